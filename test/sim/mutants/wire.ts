/** Deliberate faults in what protects the heartbeats, and in the kernel's part: as simulated, and as it ships. */
import { type CatcherName, CORE } from "./catchers.ts";
import type { Mutant } from "./mutant.ts";

const CONVERSATION = "src/core/conversation.ts";
const GATE = "src/kernel/gate-rules.ts";
const SIMULATION: CatcherName[] = ["simulation"];
const KERNEL: CatcherName[] = ["kernel"];

export const WIRE_MUTANTS: Mutant[] = [
  {
    name: "a recording from before a restart is believed",
    file: CONVERSATION,
    search: "if (heartbeat.echo_session !== this.session || heartbeat.echo_challenge !== this.#challenge) {",
    replacement: "if (heartbeat.session === 0) {",
    catchers: CORE,
  },
  {
    name: "the challenge is not looked at",
    file: CONVERSATION,
    search: "if (heartbeat.echo_session !== this.session || heartbeat.echo_challenge !== this.#challenge) {",
    replacement: "if (heartbeat.echo_session !== this.session) {",
    catchers: CORE,
  },
  {
    name: "the challenge stays the same for a new session",
    file: CONVERSATION,
    search: "this.#challenge++;",
    replacement: "",
    catchers: CORE,
  },
  {
    name: "replays are not refused",
    file: CONVERSATION,
    search: 'if (heartbeat.sequence <= path.sequence) return "replayed";',
    replacement: "",
    catchers: CORE,
  },
  {
    name: "an old heartbeat is news",
    file: CONVERSATION,
    search: 'if (heartbeat.sequence <= this.#ack) return "copy";',
    replacement: "",
    catchers: CORE,
  },
  {
    name: "a heartbeat may come by another path",
    file: CONVERSATION,
    search: 'if (heartbeat.slot !== slot) return "misdirected";',
    replacement: "",
    catchers: CORE,
  },
  {
    name: "one's own heartbeat is the peer's",
    file: CONVERSATION,
    search: "if (heartbeat.node === this.#node) return",
    replacement: "if (heartbeat.session === 0) return",
    catchers: CORE,
  },
  {
    name: "the tag is not checked",
    file: "src/wire/heartbeat.ts",
    search: "if (!equalTags(authenticate(frame.subarray(P, TAG)), frame.subarray(TAG, TAG + TAG_BYTES))) return",
    replacement: "if (frame[TAG] === undefined) return",
    catchers: CORE,
  },
  {
    name: "a MAC that is not the sender's",
    file: "src/wire/heartbeat.ts",
    search: 'if (mac[i] !== frame[MAC + i]) return "forged";',
    replacement: 'if (mac[i] === undefined) return "forged";',
    catchers: CORE,
  },
  {
    name: "a lease longer than the detection",
    file: "src/core/tuning.ts",
    search: "lease_ms: 20,",
    replacement: "lease_ms: 60,",
    catchers: CORE,
  },
  {
    name: "such a lease may be configured",
    file: "src/core/tuning.ts",
    search: "if (tuning.detect_floor_ms < tuning.lease_ms + LEASE_SLACK_MS) {",
    replacement: "if (tuning.detect_floor_ms < 0) {",
    catchers: CORE,
  },
];

/** The gate's contract: what the simulated kernel does, and the heart around the core. */
export const CONTRACT_MUTANTS: Mutant[] = [
  {
    name: "simulated gate: no lease",
    file: "test/sim/kernel.ts",
    search: "return this.holds && (!this.has_gate || this.#lease_until > this.#tick(now_us));",
    replacement: "return this.holds;",
    catchers: SIMULATION,
  },
  {
    name: "simulated gate: a heartbeat revives an expired lease",
    file: "test/sim/kernel.ts",
    search: "if (live && frame[CLAIM_BYTE] === 1)",
    replacement: "if (frame[CLAIM_BYTE] === 1)",
    catchers: SIMULATION,
  },
  {
    name: "simulated gate: closing does not",
    file: "test/sim/kernel.ts",
    search: "closeLease(): void {\n    this.#lease_until = 0;",
    replacement: "closeLease(): void {",
    catchers: SIMULATION,
  },
  {
    name: "simulated heart: opens late",
    file: "test/sim/heart.ts",
    search: "if (!act.opens || !this.#isPrompt(act) || !kernel.openLease(now_us)) return;",
    replacement: "if (!act.opens || !kernel.openLease(now_us)) return;",
    catchers: SIMULATION,
  },
  {
    name: "simulated heart: opens before it shuts",
    file: "test/sim/heart.ts",
    search: "if (act.shuts) {\n        kernel.closeLease();",
    replacement: "if (act.shuts) {",
    catchers: SIMULATION,
  },
  {
    name: "simulated heart: a start leaves the gate open",
    file: "test/sim/heart.ts",
    search: "machine.kernel.installGate(bootstrap, timeline.now_us);\n    machine.kernel.hold(bootstrap);",
    replacement: "machine.kernel.has_gate ||= true;",
    catchers: SIMULATION,
  },
];

/** The gate itself, on a real kernel. */
export const GATE_MUTANTS: Mutant[] = [
  {
    name: "gate: frames come in without the lease",
    file: GATE,
    search: 'rule("data_in", "open", LEASE_IN, ACCEPT),',
    replacement: 'rule("data_in", "open", ACCEPT),',
    catchers: KERNEL,
  },
  {
    name: "gate: frames leave without the lease",
    file: GATE,
    search: 'rule("data_out", "open", LEASE_OUT, ACCEPT),',
    replacement: 'rule("data_out", "open", ACCEPT),',
    catchers: KERNEL,
  },
  {
    name: "gate: any heartbeat renews the lease",
    file: GATE,
    search: "HEARTBEAT, is(CLAIM, Uint8Array.of(1)), LEASE_OUT, renewal);",
    replacement: "HEARTBEAT, LEASE_OUT, renewal);",
    catchers: KERNEL,
  },
  {
    name: "gate: no heartbeat renews the lease",
    file: GATE,
    search: "HEARTBEAT, is(CLAIM, Uint8Array.of(1)), LEASE_OUT, renewal);",
    replacement: "HEARTBEAT, is(CLAIM, Uint8Array.of(9)), LEASE_OUT, renewal);",
    catchers: KERNEL,
  },
  {
    name: "gate: questions for a shared address come in",
    file: GATE,
    search: 'ARP, outside(ARP_TARGET_IP, "shared4"), ACCEPT),',
    replacement: "ARP, ACCEPT),",
    catchers: KERNEL,
  },
  {
    name: "gate: a shut gate announces a shared address",
    file: GATE,
    search: 'ARP, outside(ARP_SENDER_IP, "shared4"), ACCEPT),',
    replacement: "ARP, ACCEPT),",
    catchers: KERNEL,
  },
  {
    name: "gate: solicitations for a shared address come in",
    file: GATE,
    search: 'within(DISCOVERY_TARGET, "shared6"),\n      DROP,\n    ),\n    rule("data_in", "neighbour discovery"',
    replacement: 'within(DISCOVERY_TARGET, "own6"),\n      DROP,\n    ),\n    rule("data_in", "neighbour discovery"',
    catchers: KERNEL,
  },
  {
    name: "gate: what no rule knows comes in",
    file: GATE,
    search: 'hook: "ingress", priority: INGRESS_PRIORITY, policy: "drop"',
    replacement: 'hook: "ingress", priority: INGRESS_PRIORITY, policy: "accept"',
    catchers: KERNEL,
  },
  {
    name: "gate: what no rule knows leaves",
    file: GATE,
    search: 'hook: "egress", priority: EGRESS_PRIORITY, policy: "drop"',
    replacement: 'hook: "egress", priority: EGRESS_PRIORITY, policy: "accept"',
    catchers: KERNEL,
  },
  {
    name: "gate: the lease does not end",
    file: "src/kernel/gate.ts",
    search: ".newElements(FAMILY.netdev, GATE_TABLE, LEASE_SET, [LEASE_KEY], lease_ms)",
    replacement: ".newElements(FAMILY.netdev, GATE_TABLE, LEASE_SET, [LEASE_KEY], lease_ms * 1000)",
    catchers: KERNEL,
  },
  {
    name: "gate: closing does not",
    file: "src/kernel/gate.ts",
    search: "command(shim, NETLINK_NETFILTER, gate.close_request);",
    replacement: "void gate.close_request;",
    catchers: KERNEL,
  },
];
