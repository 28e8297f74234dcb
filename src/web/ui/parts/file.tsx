/** Files from and to this computer; nothing leaves for anywhere else. */
import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";
import { Button } from "./basics.tsx";

const BYTES_MAX = 4 << 20;

interface FileProps {
  children: ComponentChildren;
  disabled?: boolean;
  onText: (text: string, name: string) => void;
}

interface BlobProps {
  children: ComponentChildren;
  disabled?: boolean;
  onFile: (file: File) => void;
}

export function FileButton({ children, disabled = false, onText }: FileProps) {
  const take = (file: File) => {
    if (file.size <= BYTES_MAX) void file.text().then((text) => onText(text, file.name));
  };
  return (
    <BlobButton disabled={disabled} onFile={take}>
      {children}
    </BlobButton>
  );
}

/** A file of any size, which nobody reads as a whole. */
export function BlobButton({ children, disabled = false, onFile }: BlobProps) {
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  return (
    <>
      <Button disabled={disabled} onClick={() => input.current?.click()}>
        {children}
      </Button>
      <input
        ref={input}
        id={id}
        type="file"
        hidden
        aria-hidden="true"
        tabIndex={-1}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file !== undefined) onFile(file);
        }}
      />
    </>
  );
}

export function saveFile(name: string, content: string | Uint8Array<ArrayBuffer>): void {
  const url = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
