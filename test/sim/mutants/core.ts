/** Deliberate faults in the election and what it stands on. */
import { CORE } from "./catchers.ts";
import type { Mutant } from "./mutant.ts";

const mutant = (name: string, file: string, search: string, replacement: string): Mutant => ({
  name,
  file,
  search,
  replacement,
  catchers: CORE,
});
const election = (name: string, search: string, replacement: string): Mutant =>
  mutant(name, "src/core/election.ts", search, replacement);

export const CORE_MUTANTS: Mutant[] = [
  // Terms and claims.
  election("the higher claim does not count", 'this.role === "active" && term < this.term', 'this.role === "active"'),
  election(
    "terms compared the wrong way round",
    'this.role === "active" && term < this.term',
    'this.role === "active" && term > this.term',
  ),
  election(
    "yielding forgotten",
    'this.#journal.event("yielded", peer_name, term);\n      this.#stepDown();',
    'this.#journal.event("yielded", peer_name, term);',
  ),
  mutant(
    "both nodes claim the same term",
    "src/core/terms.ts",
    "return ownerOf(next) === node ? next : next + 1;",
    "return next + (node === 1 ? 0 : 0);",
  ),
  election("a term is claimed twice", "&& peer.term > this.#spent_term;", ";"),
  election("the disk's term is forgotten", "this.term = configuration.term_floor;", "this.term = 0;"),
  election(
    "consent without a proof that it is fresh",
    "&& is_new && this.#peer.provedSince(this.#proof, this.#now_ms);",
    "&& is_new;",
  ),
  mutant(
    "consent never grows old",
    "src/core/peer.ts",
    "return now_ms - conversation.sent_ms(heartbeat.ack) < this.#configuration.tuning.detect_floor_ms;",
    "return true;",
  ),
  election(
    "fails back",
    "    this.#considerLinks();\n",
    '    if (this.configuration.node === 2) this.#beginHandOver("node 1 is back", null);\n    this.#considerLinks();\n',
  ),
  election("a node with a broken gate claims", "if (!this.#stopping && !this.#gate_broken", "if (!this.#stopping"),
  election("goes on after a sleep with a broken gate", "!this.#gate_broken && peer?.role", "peer?.role"),
  election("a broken gate does not matter", "if (broken && !this.#gate_broken && this.role", "if (false && this.role"),
  election("starts without listening", ">= this.configuration.tuning.listen_ms) this.#become", ">= 0) this.#become"),
  // Evidence.
  mutant("evidence always conclusive", "src/core/evidence.ts", "return now_ms >= this.conclusive_ms;", "return true;"),
  mutant("no wait for an answer", "src/core/evidence.ts", "this.wait_ms = wait_ms;", "this.wait_ms = 0;"),
  mutant("answers of the peer's kernel ignored", "src/core/neighbourhood.ts", "this.#evidence.answered(now_ms);", ""),
  mutant(
    "a foreign MAC counts as the peer",
    "src/core/neighbourhood.ts",
    "if (equalBytes(mac, path.peer_mac)) {",
    "if (mac.length === 6) {",
  ),
  mutant(
    "suspects before a lease can have ended",
    "src/core/detector.ts",
    "return Math.min(this.#ceiling_ms, Math.max(this.#floor_ms, timeout_ms));",
    "return Math.min(this.#ceiling_ms, timeout_ms);",
  ),
  mutant(
    "never suspects",
    "src/core/detector.ts",
    "return this.silence_ms(now_ms) >= this.#timeout_ms;",
    "return false;",
  ),
  // Sleep and lateness.
  election(
    "sleep ignored",
    "this.#proof = this.conversation.sequence + 1;\n    this.#evidence.reset();",
    "if (slept_ms > 0) return;",
  ),
  election(
    "a node that slept opens its lease again at once",
    'this.#become("resuming");\n    this.#announcer.released();',
    "this.#output.open_lease = true;",
  ),
  election(
    "silence of its own ignored",
    'if (this.role === "active" && quiet_ms >= this.configuration.tuning.detect_floor_ms)',
    "if (false)",
  ),
  election("lateness ignored", "return this.#takeLate();", "return;"),
  election("late probes count", "this.#evidence.reset();\n    this.#speaker.late();", "this.#speaker.late();"),
  election("goes on after a sleep unasked", "if (proved && peer !== null", "if (peer !== null"),
  election("goes on after a sleep though the peer has a higher term", "&& peer.term <= this.term && !peer.wish)", ")"),
  election(
    "a lease at risk is not opened again",
    'if (this.role === "active" && lease_at_risk) this.#output.open_lease = true;',
    "",
  ),
  election(
    "never opens the lease",
    "this.#output.open_lease = true;\n    this.#announcer.claimed(this.#now_ms);\n    this.#journal.clear",
    "this.#announcer.claimed(this.#now_ms);\n    this.#journal.clear",
  ),
  // Handing over.
  election(
    "hands over to a peer that has not answered",
    "!peer.unwilling && this.#peer.provedSince(proof, this.#now_ms);",
    "!peer.unwilling;",
  ),
  election("hands over on an old answer", "proof: this.conversation.sequence + 1 };", "proof: 0 };"),
  election(
    "hands over to an unwilling peer",
    'peer.role !== "active" && !peer.unwilling &&',
    'peer.role !== "active" &&',
  ),
  election("keeps the gate open when it hands over", "this.#stepDown();\n      // Our consent", "// Our consent"),
  election(
    "takes over though less fit",
    "if (countBits(this.#links()) < countBits(this.#linksOf(this.peer))) {",
    "if (countBits(this.#links()) < 0) {",
  ),
  mutant(
    "the impaired node is preferred",
    "src/core/fitness.ts",
    "if (mine.unwilling !== theirs.unwilling) return theirs.unwilling;",
    "if (mine.unwilling !== theirs.unwilling) return mine.unwilling;",
  ),
  mutant("each prefers itself", "src/core/fitness.ts", "ownerOf(newest) === mine.node;", "true;"),
  election("a lost data link does not matter", "if (isBetterLinked(", "if (false && isBetterLinked("),
  election("two claims: no hurry to prove one's own", 'if (heartbeat === "unproven-claim") this.#urgeProof();', ""),
  election("an urgent heartbeat is not answered", "if (heartbeat.urgent) this.#speaker.oweAnswer();", ""),
  election(
    "announcements leave before heartbeats",
    "this.#output.frames.unshift(...frames);",
    "this.#output.frames.push(...frames);",
  ),
  mutant(
    "nothing is announced",
    "src/core/announcer.ts",
    "this.#claimed_ms = now_ms;",
    "this.#claimed_ms = now_ms + 3_600_000;",
  ),
  election(
    "timer on the wall clock",
    "const idle_ms = now_ms - this.#now_ms;",
    "const idle_ms = Date.now() - this.#now_ms;",
  ),
  mutant(
    "the loop on the wall clock",
    "src/heart/main.ts",
    "const now_ms = this.#shim.now();\n    this.#watchControl",
    "const now_ms = Date.now();\n    this.#watchControl",
  ),
];
