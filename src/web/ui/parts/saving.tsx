/** What stands below a form of settings: what the node refused, and the buttons. */
import type { Saving } from "../lib/settings.ts";
import { Button, Notice, Trouble } from "./basics.tsx";

export function SaveTrouble({ saving, onDone }: { saving: Saving; onDone: () => void }) {
  if (!saving.offer_alone) return <Trouble text={saving.trouble} />;
  return (
    <Notice tone="warning" live>
      <p>{saving.trouble}</p>
      <Button busy={saving.busy} onClick={() => void saving.saveAlone().then((well) => well && onDone())}>
        Store it on this node alone
      </Button>
    </Notice>
  );
}
