/** Answers to a peer's questions about our history, each within the bounds of a message. */
import type { Chain, Revision } from "../settings/chain.ts";
import { BATCH_CHARACTERS, BATCH_REVISIONS_MAX, LOCATE_IDS_MAX, type Message } from "./messages.ts";

/** What a line of history takes beside its content. */
const LINE_CHARACTERS = 400;

export function answerFetch(chain: Chain, after: string, revisions_max = BATCH_REVISIONS_MAX): Message {
  if (chain.find(after) === null) return { type: "unknown", after };
  const head = chain.head();
  // Revisions are as large as their neighbours, more or less: not many more are read than fit.
  const likely = Math.ceil(BATCH_CHARACTERS / (LINE_CHARACTERS + head.content.length));
  const revisions = fitting(chain.since(after, Math.min(revisions_max, likely)));
  return { type: "batch", after, revisions, more: (revisions.at(-1)?.id ?? after) !== head.id };
}

/** The first of these, newest first, that we have too. */
export function answerLocate(chain: Chain, ids: string[]): Message {
  return { type: "common", id: ids.find((id) => chain.find(id) !== null) ?? null };
}

/** Our history from `id` back, so many ids that one message holds; none where it ends before. */
export function idsFrom(chain: Chain, id: string): string[] {
  const ids: string[] = [];
  for (let at = chain.find(id); at !== null && ids.length < LOCATE_IDS_MAX; at = chain.find(at.parent)) ids.push(at.id);
  return ids;
}

function fitting(revisions: Revision[]): Revision[] {
  let characters = 0;
  const end = revisions.findIndex(({ content }) => {
    characters += LINE_CHARACTERS + content.length;
    return characters > BATCH_CHARACTERS;
  });
  return end === -1 ? revisions : revisions.slice(0, end + 1);
}
