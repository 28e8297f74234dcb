/** After an update the page in this window is the one of the version before. */
import { useRef } from "preact/hooks";
import { app } from "../lib/app.ts";
import { useStore } from "../lib/store.ts";
import { versionWords } from "../lib/words.ts";
import { Button, Notice } from "./basics.tsx";

export function VersionNotice() {
  const version = useStore(app, ({ status }) => (status === null ? null : versionWords(status)));
  const first = useRef<string | null>(null);
  first.current ??= version;
  if (version === null || version === first.current) return null;
  return (
    <div class="page">
      <Notice tone="info" title="This server now runs another version">
        <p>{`${version} answers; this page is the one of ${first.current}.`}</p>
        <Button icon="reload" onClick={() => location.reload()}>
          Reload the page
        </Button>
      </Notice>
    </div>
  );
}
