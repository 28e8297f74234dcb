import { useEffect } from "preact/hooks";
import { useResource } from "../lib/resource.ts";
import { useStore } from "../lib/store.ts";
import type { Card } from "../lib/types.ts";
import { speedWords } from "../lib/words.ts";
import { Button, Dot, Empty, Notice, Trouble, Waiting } from "../parts/basics.tsx";
import { search } from "./pairing.ts";
import { chooseCard, wizard } from "./state.ts";

const LOOK_MS = 2000;

export const USE_WORDS: Record<Card["used_as"], string> = {
  internal: "in use, internal",
  external: "in use, external",
  cluster: "cluster network",
  "bridge port": "in use, part of a bridge",
  wireless: "wireless, cannot be used",
  free: "free",
  missing: "not in use",
};

export function CardStep() {
  const { value: cards, trouble, reload } = useResource<Card[]>("/cards");
  const chosen = useStore(wizard, ({ nic }) => nic);
  useEffect(() => {
    const timer = setInterval(() => void reload(), LOOK_MS);
    return () => clearInterval(timer);
  }, [reload]);
  const none_free = cards !== null && cards.length > 0 && cards.every(({ used_as }) => used_as !== "free");
  const valid = cards?.some(({ nic, used_as }) => nic === chosen && used_as === "free") ?? false;
  return (
    <>
      <h2 id="card-title">Which card is for the cluster network?</h2>
      <p class="quiet">
        It is reserved for the cable between the two servers, needs no address, and can be used for nothing else while
        the cluster exists.
      </p>
      <Trouble text={trouble} />
      {cards === null && trouble === null && <Waiting />}
      {cards?.length === 0 && <Empty>This server has no network card.</Empty>}
      {none_free && (
        <Notice tone="bad" live title="No network card of this server is free">
          The cluster network needs one of its own: add a card, or <a href="#/interfaces">delete an interface</a>. The
          second server needs as many cards as this one.
        </Notice>
      )}
      <fieldset class="choices" aria-labelledby="card-title">
        {cards
          ?.filter(({ state }) => state !== "missing")
          .map((card) => (
            <CardChoice key={card.nic} card={card} checked={card.nic === chosen} />
          ))}
      </fieldset>
      <div class="wizard-foot">
        <Button onClick={() => wizard.set({ step: "topology" })}>Back</Button>
        <Button
          kind="primary"
          disabled={!valid}
          onClick={() => {
            if (chosen === null) return;
            wizard.set({ ended: null });
            void search(chosen);
          }}
        >
          Search for the second server
        </Button>
      </div>
    </>
  );
}

function CardChoice({ card, checked }: { card: Card; checked: boolean }) {
  const { nic, mac, driver, model, link, speed_mbps, used_as } = card;
  const kind = [driver, model].filter((word) => word !== "").join(" ");
  return (
    <label class="choice">
      <input
        type="radio"
        name="cluster-card"
        value={nic}
        checked={checked}
        disabled={used_as !== "free"}
        onChange={() => chooseCard(nic)}
      />
      <span>
        <strong class="mono">{nic}</strong> <span class="mono quiet">{mac}</span>
        <span class="quiet">{kind === "" ? "" : ` · ${kind}`}</span>
      </span>
      <span class="choice-state">
        <Dot tone={link ? "good" : "none"} label={link ? "Link" : "No link"} />
        {`${link ? speedWords(speed_mbps) : "no link"}, ${USE_WORDS[used_as]}`}
      </span>
    </label>
  );
}
