/** Dialogs, on the browser's own element: it keeps the focus inside and gives it back. */
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { useAction } from "../lib/resource.ts";
import { Button, Trouble } from "./basics.tsx";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}

export function Dialog({ title, onClose, children, wide = false }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    if (dialog !== null && !dialog.open) dialog.showModal();
    return () => {
      dialog?.close();
      // The browser gives the focus back only to what it finds once the dialog is gone from the page.
      if (before instanceof HTMLElement) setTimeout(() => before.isConnected && before.focus());
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? "wide" : undefined}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** What the button says: a verb, never "OK". */
  verb: string;
  refuse?: string;
  danger?: boolean;
  children: ComponentChildren;
  work: () => Promise<unknown>;
  onDone?: () => void;
  onClose: () => void;
}

/** Asks before something is done, and says what will happen to which node. */
export function Confirm({ title, verb, refuse = "Cancel", danger = false, children, work, ...rest }: ConfirmProps) {
  const { busy, trouble, run } = useAction();
  const confirm = async () => {
    if (!(await run(work))) return;
    rest.onClose();
    rest.onDone?.();
  };
  return (
    <Dialog title={title} onClose={() => busy || rest.onClose()}>
      <div class="prose">{children}</div>
      <Trouble text={trouble} />
      <div class="dialog-actions">
        <Button onClick={rest.onClose} disabled={busy}>
          {refuse}
        </Button>
        <Button kind={danger ? "danger" : "primary"} busy={busy} onClick={() => void confirm()}>
          {verb}
        </Button>
      </div>
    </Dialog>
  );
}

interface FormDialogProps {
  title: string;
  verb: string;
  wide?: boolean;
  children: ComponentChildren;
  work: () => Promise<unknown>;
  onDone?: () => void;
  onClose: () => void;
}

/** A form in a dialog; what the node refuses is said above its buttons. */
export function FormDialog({ title, verb, wide = false, children, work, onDone, onClose }: FormDialogProps) {
  const { busy, trouble, run } = useAction();
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!(await run(work))) return;
    onClose();
    onDone?.();
  };
  return (
    <Dialog title={title} onClose={() => busy || onClose()} wide={wide}>
      <form onSubmit={(event) => void submit(event)}>
        {children}
        <Trouble text={trouble} />
        <div class="dialog-actions">
          <Button onClick={onClose} disabled={busy}>
            Cancel
          </Button>
          <Button kind="primary" type="submit" busy={busy}>
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
