/** The certificate by which browsers know this server. */
import { useState } from "preact/hooks";
import { note } from "../lib/app.ts";
import { ask } from "../lib/http.ts";
import { useResource } from "../lib/resource.ts";
import type { Certificate } from "../lib/types.ts";
import { timeWords } from "../lib/words.ts";
import { Button, Facts, Panel, Trouble, Waiting } from "../parts/basics.tsx";
import { Confirm, FormDialog } from "../parts/dialog.tsx";
import { AreaField } from "../parts/fields.tsx";

export function CertificatePanel({ refused }: { refused: boolean }) {
  const { value: certificate, trouble, reload } = useResource<Certificate>("/certificate");
  const [asked, setAsked] = useState<"own" | "self-made" | null>(null);
  const done = () => {
    note("The certificate is replaced; the browser may ask about the new one.");
    void reload();
  };
  return (
    <Panel title="Certificate of this web interface">
      <Trouble text={trouble} />
      {certificate === null && trouble === null && <Waiting />}
      {certificate !== null && (
        <Facts
          rows={[
            ["Kind", certificate.self_made ? "made by this server itself" : `issued by ${certificate.issuer}`],
            ["For", certificate.hosts.join(", ")],
            ["Valid", `${timeWords(certificate.from)} to ${timeWords(certificate.until)}`],
            ["Fingerprint", <span class="mono">{certificate.fingerprint}</span>],
          ]}
        />
      )}
      <p class="quiet">
        The fingerprint is on the server's console too: compare them before you trust the browser's warning away.
      </p>
      <div class="form-foot">
        <Button disabled={refused} onClick={() => setAsked("own")}>
          Install your own
        </Button>
        <Button disabled={refused} onClick={() => setAsked("self-made")}>
          Make a new one
        </Button>
      </div>
      {asked === "own" && <Install onDone={done} onClose={() => setAsked(null)} />}
      {asked === "self-made" && (
        <Confirm
          title="Make a new certificate?"
          verb="Make a new one"
          work={() => ask("DELETE", "/certificate")}
          onDone={done}
          onClose={() => setAsked(null)}
        >
          <p>This server makes one for its present name and addresses. Every browser asks about it once more.</p>
        </Confirm>
      )}
    </Panel>
  );
}

function Install({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const [certificate, setCertificate] = useState("");
  const [key, setKey] = useState("");
  return (
    <FormDialog
      title="Install your own certificate"
      verb="Install"
      wide
      work={() => ask("PUT", "/certificate", { body: { certificate, key } })}
      onDone={onDone}
      onClose={onClose}
    >
      <AreaField
        label="Certificate, with those that lead to its root (PEM)"
        value={certificate}
        onInput={setCertificate}
        rows={6}
        placeholder="-----BEGIN CERTIFICATE-----"
        required
      />
      <AreaField
        label="Private key (PEM)"
        value={key}
        onInput={setKey}
        rows={5}
        placeholder="-----BEGIN PRIVATE KEY-----"
        required
      />
    </FormDialog>
  );
}
