import { useStore } from "../lib/store.ts";
import type { Status } from "../lib/types.ts";
import { countdownWords } from "../lib/words.ts";
import { Button, Notice, Waiting } from "../parts/basics.tsx";
import { search } from "./pairing.ts";
import { wizard } from "./state.ts";

export function SearchStep({ status }: { status: Status }) {
  const nic = useStore(wizard, (value) => value.nic);
  const ended = useStore(wizard, (value) => value.ended);
  const pairing = status.pairing ?? null;
  return (
    <>
      <h2>{pairing === null && ended !== null ? "The search has ended" : "Searching for the second server"}</h2>
      {ended !== null && (
        <Notice tone="bad" live>
          {ended}
        </Notice>
      )}
      {(pairing !== null || ended === null) && (
        <>
          <Waiting>
            {nic === null ? "Looking for a server that waits …" : `Looking on ${nic} for a server that waits …`}
          </Waiting>
          <p class="quiet">
            On the second server's console, choose Create cluster, and its card on the same cable. It then waits for
            this server.{pairing === null ? "" : ` Time left here: ${countdownWords(pairing.seconds_left)}.`} You may
            leave this page meanwhile.
          </p>
        </>
      )}
      {pairing === null && ended !== null && (
        <div class="wizard-foot">
          <Button onClick={() => wizard.set({ step: "card", ended: null })}>Choose another card</Button>
          {nic !== null && (
            <Button
              kind="primary"
              onClick={() => {
                wizard.set({ ended: null });
                void search(nic);
              }}
            >
              Search again
            </Button>
          )}
        </div>
      )}
    </>
  );
}
