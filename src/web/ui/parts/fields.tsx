/** Form fields: a label, what is typed, and what is to be known or mended below it. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Common {
  label: string;
  hint?: ComponentChildren;
  disabled?: boolean | undefined;
}

/** What describes the field of this id; undefined where nothing does. */
function hintId(id: string, hint: ComponentChildren): string | undefined {
  return hint === undefined ? undefined : `${id}-hint`;
}

function Hint({ id, hint }: { id: string; hint: ComponentChildren }) {
  if (hint === undefined) return null;
  return (
    <div class="hint" id={hintId(id, hint)}>
      {hint}
    </div>
  );
}

interface TextProps extends Common {
  value: string;
  onInput: (value: string) => void;
  type?: "text" | "password" | "number";
  required?: boolean;
  min?: number;
  max?: number;
  minLength?: number;
  maxLength?: number;
  placeholder?: string;
  autocomplete?: string;
  inputMode?: "text" | "numeric";
  pattern?: string;
  autofocus?: boolean;
  mono?: boolean;
  class?: string;
}

export function TextField({ label, hint, value, onInput, type = "text", mono, class: extra = "", ...rest }: TextProps) {
  const id = useId();
  return (
    <div class={`field ${extra}`}>
      <label for={id}>{label}</label>
      <input
        {...rest}
        id={id}
        // The types of the elements want one member of the union at a time.
        type={type as "text"}
        class={mono === true ? "mono" : undefined}
        value={value}
        autocomplete={rest.autocomplete ?? "off"}
        spellcheck={false}
        aria-describedby={hintId(id, hint)}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <Hint id={id} hint={hint} />
    </div>
  );
}

interface AreaProps extends Common {
  value: string;
  onInput: (value: string) => void;
  rows?: number;
  placeholder?: string;
  required?: boolean;
}

export function AreaField({ label, hint, value, onInput, rows = 3, ...rest }: AreaProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        {...rest}
        id={id}
        class="mono"
        rows={rows}
        value={value}
        autocomplete="off"
        spellcheck={false}
        aria-describedby={hintId(id, hint)}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <Hint id={id} hint={hint} />
    </div>
  );
}

interface SelectProps<T extends string> extends Common {
  value: T;
  options: readonly { value: T; text: string; disabled?: boolean }[];
  onChange: (value: T) => void;
}

export function SelectField<T extends string>({ label, hint, value, options, onChange, disabled }: SelectProps<T>) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        aria-describedby={hintId(id, hint)}
        onChange={(event) => {
          const chosen = options.find((option) => option.value === event.currentTarget.value);
          if (chosen !== undefined) onChange(chosen.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled}>
            {option.text}
          </option>
        ))}
      </select>
      <Hint id={id} hint={hint} />
    </div>
  );
}

interface CheckProps extends Common {
  checked: boolean;
  onChange: (checked: boolean) => void;
}

export function CheckField({ label, hint, checked, onChange, disabled }: CheckProps) {
  const id = useId();
  return (
    <div class="field check">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        disabled={disabled}
        aria-describedby={hintId(id, hint)}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      <Hint id={id} hint={hint} />
    </div>
  );
}

/** What stands on the lines of a text area, without what is empty. */
export function linesOf(text: string): string[] {
  return text
    .split(/[\n,]+/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
