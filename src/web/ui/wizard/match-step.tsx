import { useEffect, useState } from "preact/hooks";
import { useResource } from "../lib/resource.ts";
import { useSettings } from "../lib/settings.ts";
import { useStore } from "../lib/store.ts";
import type { Card, InterfaceSettings, PeerCard, Status } from "../lib/types.ts";
import { Button, Chip, Dot, Empty, Notice } from "../parts/basics.tsx";
import { testMatch } from "./pairing.ts";
import { type Match, setMatches, type TestState, wizard } from "./state.ts";

const LOOK_MS = 2000;

export function MatchStep({ status }: { status: Status }) {
  const { value: settings } = useSettings();
  const { value: cards, reload } = useResource<Card[]>("/cards");
  const { matches, tests, nic } = useStore(wizard, (value) => value);
  const [mine, setMine] = useState<string | null>(null);
  const [theirs, setTheirs] = useState<string | null>(null);
  useEffect(() => {
    const timer = setInterval(() => void reload(), LOOK_MS);
    return () => clearInterval(timer);
  }, [reload]);
  const testing = Object.values(tests).includes("running");
  // What was matched before this page was opened anew is tested again, one pair after the other.
  useEffect(() => {
    const untested = matches.find((match) => tests[match.mine] === undefined);
    if (!testing && untested !== undefined) void testMatch(untested);
  }, [matches, tests, testing]);
  const peer = status.pairing?.peer ?? null;
  const own = settings?.interfaces ?? [];
  const left = own.filter((entry) => !matches.some((match) => match.mine === entry.nic));
  const over_there = (peer?.cards ?? []).filter(
    (card) => !card.reserved && !matches.some((match) => match.theirs === card.nic),
  );
  const match = () => {
    if (mine === null || theirs === null) return;
    setMatches([...matches, { mine, theirs }]);
    setMine(null);
    setTheirs(null);
  };
  const undo = (pair: Match) => {
    const { [pair.mine]: _, ...rest } = wizard.get().tests;
    wizard.set({ tests: rest });
    setMatches(matches.filter((other) => other !== pair));
  };
  const passed = own.length > 0 && left.length === 0 && matches.every((pair) => isGood(tests[pair.mine]));
  return (
    <>
      <h2>Which cards belong together?</h2>
      <p class="quiet">
        Choose one card in each column, then Match. For each pair a frame is sent both ways, which proves that the two
        are in one segment.
      </p>
      {left.length > 0 && (
        <div class="match-columns">
          <MineColumn left={left} cards={cards ?? []} name={status.name} chosen={mine} choose={setMine} />
          <TheirsColumn cards={over_there} name={peer?.name ?? "Second server"} chosen={theirs} choose={setTheirs} />
        </div>
      )}
      {left.length > 0 && (
        <div>
          <Button kind="primary" disabled={mine === null || theirs === null} onClick={match}>
            Match
          </Button>
        </div>
      )}
      <h3>Pairs</h3>
      {matches.length === 0 && <Empty>None yet.</Empty>}
      <ul class="pairs">
        {matches.map((pair) => (
          <PairLine
            key={pair.mine}
            pair={pair}
            state={tests[pair.mine]}
            undo={() => undo(pair)}
            again={() => void testMatch(pair)}
          />
        ))}
      </ul>
      <div class="wizard-foot">
        <span class="quiet">
          {left.length > 0
            ? `${left.length === 1 ? "One interface has" : `${left.length} interfaces have`} no counterpart yet.`
            : `The cluster network is on ${nic ?? "the card chosen before"}.`}
        </span>
        <Button kind="primary" disabled={!passed} onClick={() => wizard.set({ step: "summary" })}>
          Continue
        </Button>
      </div>
    </>
  );
}

function isGood(state: TestState | undefined): boolean {
  return typeof state === "object" && "advice" in state && state.advice === null;
}

interface ColumnProps {
  name: string;
  chosen: string | null;
  choose: (nic: string) => void;
}

function MineColumn({ left, cards, name, chosen, choose }: ColumnProps & { left: InterfaceSettings[]; cards: Card[] }) {
  return (
    <fieldset class="choices">
      <legend>{`${name}, this server`}</legend>
      {left.map(({ nic, role }) => {
        const card = cards.find((entry) => entry.nic === nic);
        return (
          <label class="choice" key={nic}>
            <input type="radio" name="mine" checked={chosen === nic} onChange={() => choose(nic)} />
            <span>
              <span class="light">
                <Dot tone={card?.link === true ? "good" : "bad"} label={card?.link === true ? "Link" : "No link"} />
                <strong class="mono">{nic}</strong>
              </span>{" "}
              <span class="quiet">{role}</span>
              <br />
              <span class="mono quiet">{card?.mac ?? ""}</span>
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}

function TheirsColumn({ cards, name, chosen, choose }: ColumnProps & { cards: PeerCard[] }) {
  return (
    <fieldset class="choices">
      <legend>{name}</legend>
      {cards.map(({ nic, mac }) => (
        <label class="choice" key={nic}>
          <input type="radio" name="theirs" checked={chosen === nic} onChange={() => choose(nic)} />
          <span>
            <strong class="mono">{nic}</strong>
            <br />
            <span class="mono quiet">{mac}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

interface PairProps {
  pair: Match;
  state: TestState | undefined;
  undo: () => void;
  again: () => void;
}

function PairLine({ pair, state, undo, again }: PairProps) {
  const advice = typeof state !== "object" ? null : "refused" in state ? state.refused : state.advice;
  return (
    <li>
      <span class="pair-names">{`${pair.mine} = ${pair.theirs}`}</span>
      {(state === "running" || state === undefined) && (
        <span class="light" role="status">
          <span class="spinner" aria-hidden="true" /> testing
        </span>
      )}
      {typeof state === "object" && "there" in state && (
        <>
          <Chip tone={state.there.good ? "good" : "bad"}>{state.there.good ? "there: arrives" : "there: lost"}</Chip>
          <Chip tone={state.back.good ? "good" : "bad"}>{state.back.good ? "back: arrives" : "back: lost"}</Chip>
        </>
      )}
      <Button kind="quiet" label={`Undo ${pair.mine} = ${pair.theirs}`} onClick={undo}>
        Undo
      </Button>
      {advice !== null && (
        <Notice tone="bad" live>
          <p>{advice}</p>
          <Button icon="reload" onClick={again}>
            Test again
          </Button>
        </Notice>
      )}
    </li>
  );
}
