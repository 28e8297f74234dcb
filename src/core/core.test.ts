/** The parts of the core one by one; the election itself is told in test/scripts. */
import { describe, expect, test } from "bun:test";
import { emitArpAnnouncement, emitArpProbe, parseArp } from "../wire/arp.ts";
import { emitHeartbeat, type Heartbeat, isHeartbeat, parseHeartbeat } from "../wire/heartbeat.ts";
import { emitPieces } from "../wire/pairing.ts";
import { Conversation } from "./conversation.ts";
import { Detector } from "./detector.ts";
import { Election } from "./election.ts";
import { Evidence } from "./evidence.ts";
import { isPreferred } from "./fitness.ts";
import { Journal } from "./journal.ts";
import { Peer } from "./peer.ts";
import { nextTerm, ownerOf } from "./terms.ts";
import { DEFAULT_TUNING, validateTuning } from "./tuning.ts";
import type { CoreConfiguration, Input } from "./types.ts";

const REST = { role: "backup", wish: false, unwilling: false, urgent: false, take: false, term: 0, links: 0 } as const;
const SOFTWARE = { settings_revision: 0, version: [0, 1, 0], build: 1 } as const;

/** The next heartbeat of `from`, one per path. */
function speak(from: Conversation, node: 1 | 2): Heartbeat[] {
  from.next(0);
  return [0, 1].map((slot) => ({ node, slot, ...REST, ...SOFTWARE, ...from.fields(slot, 0) }));
}

function say(from: Conversation, node: 1 | 2, to: Conversation, slot = 0): string {
  const heartbeat = speak(from, node)[slot];
  return heartbeat === undefined ? "no such slot" : to.accept(heartbeat, slot, 0);
}

/** Two conversations that have proved themselves to each other. */
function acquainted(): { one: Conversation; two: Conversation } {
  const one = new Conversation(1, 11);
  const two = new Conversation(2, 22);
  expect([say(one, 1, two), say(two, 2, one), say(one, 1, two)]).toEqual(["unproven", "news", "news"]);
  return { one, two };
}

describe("conversation", () => {
  test("a recording is refused, on its own path and on another", () => {
    const { one, two } = acquainted();
    const [first, second] = speak(one, 1) as [Heartbeat, Heartbeat];
    expect(two.accept(first, 0, 0)).toBe("news");
    expect(two.accept(first, 0, 0)).toBe("replayed");
    expect(two.accept(second, 1, 0)).toBe("copy");
    expect(two.accept(second, 1, 0)).toBe("replayed");
    expect(two.accept(first, 1, 0)).toBe("misdirected");
  });

  test("an older heartbeat after a newer one is refused", () => {
    const { one, two } = acquainted();
    const [older] = speak(one, 1) as [Heartbeat];
    const [newer] = speak(one, 1) as [Heartbeat];
    expect([two.accept(newer, 0, 0), two.accept(older, 0, 0)]).toEqual(["news", "replayed"]);
  });

  test("one's own frame is a reflection, another session of one's number a third node", () => {
    const { one } = acquainted();
    expect(say(one, 1, one)).toBe("reflected");
    expect(say(new Conversation(1, 33), 1, one)).toBe("duplicate-node");
  });

  test("after the peer restarted, its old session never comes back", () => {
    const { one, two } = acquainted();
    const recorded = speak(one, 1)[0] as Heartbeat;
    const again = new Conversation(1, 12);
    expect(say(again, 1, two)).toBe("unproven");
    // The new session learns what to repeat only when the peer has no session, or from its echo.
    expect(say(two, 2, again)).toBe("unproven");
    expect(say(again, 1, two)).toBe("news");
    expect(two.accept(recorded, 0, 0)).toBe("unproven");
    expect(say(again, 1, two)).toBe("news");
  });

  test("after this side restarted, recordings from before prove nothing", () => {
    const { one } = acquainted();
    const recorded = [speak(one, 1)[0], speak(one, 1)[0]] as Heartbeat[];
    const again = new Conversation(2, 23);
    for (const heartbeat of recorded) expect(again.accept(heartbeat, 0, 0)).toBe("unproven");
  });
});

describe("detector", () => {
  const feed = (intervals_ms: number[], count = 600): Detector => {
    const detector = new Detector(24, 250);
    let now_ms = 0;
    for (let i = 0; i < count; i++) {
      now_ms += intervals_ms[i % intervals_ms.length] ?? 0;
      detector.heard(now_ms);
    }
    return detector;
  };
  test("knows nothing at first: ceiling", () => {
    expect(feed([8], 20).timeout_ms).toBe(250);
    expect(new Detector(24, 250).isSilent(0)).toBe(true);
  });
  test("a quiet path: floor", () => expect(feed([8]).timeout_ms).toBe(24));
  test("a noisy path: more, and less when it calms down", () => {
    expect(feed([2, 14, 8, 30]).timeout_ms).toBeCloseTo(13.5 + 5.6 * Math.sqrt(108.75), 3);
    expect(feed([1, 200]).timeout_ms).toBe(250);
  });
  test("forgiven after our own sleep, and not heard by forgiving", () => {
    const detector = feed([8], 100);
    expect(detector.isSilent(900)).toBe(true);
    detector.forgive(900);
    expect([detector.isSilent(900), detector.isSilent(924)]).toEqual([false, true]);
    const never = new Detector(24, 250);
    never.forgive(0);
    expect(never.isSilent(0)).toBe(true);
  });
});

describe("evidence", () => {
  const mac = new Uint8Array(6);
  const paths = [{ slot: 1, nic: "lan", mac, peer_mac: mac, heartbeat: true }];
  const addresses = [{ slot: 1, ip: Uint8Array.of(10, 1, 0, 1), text: "10.1.0.1" }];
  test("needs a link, a question and time without an answer", () => {
    const evidence = new Evidence(24);
    expect(evidence.probes(0, paths, () => false, addresses)).toEqual([]);
    expect(evidence.isConclusive(1000)).toBe(false);
    expect(evidence.probes(0, paths, () => true, addresses).length).toBe(1);
    expect(evidence.probes(2, paths, () => true, addresses)).toEqual([]);
    expect([evidence.isConclusive(23.9), evidence.isConclusive(24)]).toEqual([false, true]);
  });
  test("an answer, or a heartbeat, begins it anew", () => {
    const evidence = new Evidence(24);
    evidence.probes(0, paths, () => true, addresses);
    evidence.answered(5);
    expect(evidence.isConclusive(100)).toBe(false);
    evidence.probes(100, paths, () => true, addresses);
    expect([evidence.isConclusive(123), evidence.isConclusive(124)]).toEqual([false, true]);
    evidence.reset();
    expect(evidence.isConclusive(1000)).toBe(false);
  });
  test("time in which nobody asked does not count", () => {
    const evidence = new Evidence(24);
    for (const at_ms of [0, 4, 14, 18, 22, 26]) evidence.probes(at_ms, paths, () => true, addresses);
    expect([evidence.isConclusive(29.9), evidence.isConclusive(30)]).toEqual([false, true]);
  });
});

test("terms belong to one node each and only rise", () => {
  for (let term = 0; term < 10; term++)
    for (const node of [1, 2] as const) {
      expect(ownerOf(nextTerm(term, node))).toBe(node);
      expect(nextTerm(term, node) - term).toBeWithin(1, 3);
    }
});

describe("tuning", () => {
  test("the defaults hold", () => expect(validateTuning(DEFAULT_TUNING)).toBe(DEFAULT_TUNING));
  const refused = [
    { interval_ms: 1 },
    { interval_ms: Number.NaN },
    { lease_ms: 15 },
    { detect_floor_ms: 23 },
    { detect_ceiling_ms: 23 },
    { listen_ms: 99 },
    { lease_ms: 5001 },
  ];
  for (const change of refused)
    test(`refused: ${JSON.stringify(change)}`, () =>
      expect(() => validateTuning({ ...DEFAULT_TUNING, ...change })).toThrow(/^cluster\./));
});

describe("election", () => {
  const configuration: CoreConfiguration = {
    node: 1,
    cluster: 1,
    authenticate: () => new Uint8Array(16),
    session: 1,
    peer_name: "node-b",
    paths: [],
    addresses: [],
    gateways: [],
    tuning: DEFAULT_TUNING,
    term_floor: 0,
    settings_revision: 1,
    version: [0, 1, 0],
    build: 1,
    bootstrap: true,
    departed: false,
    maintenance: false,
  };
  test("two claims: a peer that has not proved its session is answered at once, but not for every frame", () => {
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
    const path = { slot: 0, nic: "ha0", mac, peer_mac: Uint8Array.of(2, 0, 0, 0, 0, 2), heartbeat: true };
    const active = new Election({ ...configuration, paths: [path] }, 0);
    active.step(0, []);
    const claim = (role: "active" | "backup"): Input => {
      const peer = new Conversation(2, 22);
      peer.next(0);
      const said = { node: 2, slot: 0, ...REST, ...SOFTWARE, ...peer.fields(0, 0), role, term: 2 } as const;
      return { type: "frame", slot: 0, frame: emitHeartbeat(said, 1, path.peer_mac, mac, configuration.authenticate) };
    };
    expect(active.step(2, [claim("backup")]).frames).toHaveLength(0);
    expect(active.step(3, [claim("active")]).frames).toHaveLength(1);
    expect(active.step(5, [claim("active")]).frames).toHaveLength(0);
  });
  test("what was done late may have lost the lease: it is opened again, by an active node only", () => {
    const active = new Election(configuration, 0);
    expect(active.step(0, [])).toMatchObject({ hold: true, open_lease: true });
    expect(active.step(1, [])).toMatchObject({ hold: true, open_lease: false });
    expect(active.step(2, [{ type: "late" }])).toMatchObject({ hold: true, open_lease: true });
    const listening = new Election({ ...configuration, bootstrap: false }, 0);
    expect(listening.step(2, [{ type: "late" }])).toMatchObject({ hold: false, open_lease: false });
  });

  test("a peer's word counts only while the heartbeat that it acknowledges is fresh", () => {
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 2);
    const peer = new Peer(configuration, new Journal(0));
    const other = new Conversation(2, 22);
    const { authenticate } = configuration;
    const exchange = (now_ms: number, delay_ms: number): void => {
      peer.conversation.next(now_ms);
      const ours = { node: 1, slot: 0, ...REST, ...SOFTWARE, ...peer.conversation.fields(0, now_ms) } as const;
      other.accept(ours, 0, now_ms);
      other.next(now_ms);
      const theirs = { node: 2, slot: 0, ...REST, ...SOFTWARE, ...other.fields(0, now_ms) } as const;
      peer.hear(0, emitHeartbeat(theirs, configuration.cluster, mac, mac, authenticate), now_ms + delay_ms);
    };
    exchange(0, 0);
    exchange(100, 23);
    expect(peer.provedSince(1, 123)).toBe(true);
    expect(peer.provedSince(3, 123)).toBe(false);
    exchange(200, 24);
    expect(peer.provedSince(1, 224)).toBe(false);
  });

  test("consent that is under way for longer than the peer's patience is none", () => {
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 2);
    const path = { slot: 0, nic: "ha0", mac: Uint8Array.of(2, 0, 0, 0, 0, 1), peer_mac: mac, heartbeat: true };
    const { authenticate, cluster } = configuration;
    const roleWithConsentAfter = (delay_ms: number): string => {
      const election = new Election({ ...configuration, bootstrap: false, paths: [path] }, 0);
      const peer = new Conversation(2, 22);
      const under_way: { at_ms: number; input: Input }[] = [];
      for (let now_ms = 0; now_ms < 2300; now_ms++) {
        const inputs = under_way.filter(({ at_ms }) => at_ms === now_ms).map(({ input }) => input);
        for (const { frame } of election.step(now_ms, inputs).frames) {
          const heartbeat = parseHeartbeat(frame, cluster, authenticate);
          if (typeof heartbeat !== "string") peer.accept(heartbeat, 0, now_ms);
        }
        if (now_ms % 8 !== 0) continue;
        peer.next(now_ms);
        const said = { node: 2, slot: 0, ...REST, ...SOFTWARE, ...peer.fields(0, now_ms), term: 3 } as const;
        const frame = emitHeartbeat(said, cluster, mac, path.mac, authenticate);
        under_way.push({ at_ms: now_ms + delay_ms, input: { type: "frame", slot: 0, frame } });
      }
      return election.role;
    };
    expect(roleWithConsentAfter(1)).toBe("active");
    expect(roleWithConsentAfter(30)).toBe("backup");
  });

  test("two sleeps, each shorter than the lease, are one long one for the peer", () => {
    const active = new Election(configuration, 0);
    active.step(0, []);
    expect(active.step(7, []).role).toBe("active");
    expect(active.step(26, []).hold).toBe(false);
    const late = new Election(configuration, 0);
    late.step(0, []);
    expect(late.step(8, []).role).toBe("active");
    expect(late.step(25, [{ type: "late" }]).hold).toBe(false);
  });

  const data_path = {
    slot: 1,
    nic: "lan0",
    mac: Uint8Array.of(2, 0, 0, 0, 1, 1),
    peer_mac: Uint8Array.of(2, 0, 0, 0, 1, 2),
    heartbeat: true,
  };
  const lonely: CoreConfiguration = {
    ...configuration,
    bootstrap: false,
    paths: [data_path],
    addresses: [{ slot: 1, ip: Uint8Array.of(10, 1, 0, 1), text: "10.1.0.1" }],
  };
  /** When a node that hears nobody claims; its duties of the step before `late_ms` are done late. */
  const claimsAlone = (late_ms: number): { at_ms: number; first: Uint8Array | undefined } => {
    const election = new Election(lonely, 0);
    for (let now_ms = 0; now_ms < 3000; now_ms++) {
      const inputs: Input[] = now_ms === 0 ? [{ type: "carrier", slot: 1, up: true }] : [];
      if (now_ms === late_ms) inputs.push({ type: "late" });
      const { hold, frames } = election.step(now_ms, inputs);
      if (hold) return { at_ms: now_ms, first: frames[0]?.frame };
    }
    return { at_ms: Number.POSITIVE_INFINITY, first: undefined };
  };

  test("probes that left late do not count", () => {
    const { at_ms } = claimsAlone(-1);
    expect(at_ms).toBeLessThan(3000);
    expect(claimsAlone(at_ms - 5).at_ms).toBe(at_ms - 5 + DEFAULT_TUNING.detect_floor_ms);
  });

  test("the heartbeat with the claim leaves before the announcements", () => {
    const { first } = claimsAlone(-1);
    expect(first !== undefined && isHeartbeat(first)).toBe(true);
  });

  test("both nodes come to the same answer which of them should be active", () => {
    const fitness = (node: 1 | 2, term: number, links: number, unwilling: boolean) => ({
      node,
      role: "backup" as const,
      term,
      links,
      unwilling,
    });
    for (const terms of [
      [0, 0],
      [1, 2],
      [3, 2],
    ] as const)
      for (const links of [0, 1, 2, 3])
        for (const [one_unwilling, two_unwilling] of [
          [false, false],
          [false, true],
          [true, false],
          [true, true],
        ] as const) {
          const one = fitness(1, terms[0], links, one_unwilling);
          const two = fitness(2, terms[1], 2, two_unwilling);
          expect(isPreferred(one, two)).not.toBe(isPreferred(two, one));
        }
  });

  test("the winner of two islands says again who it is once it hears its peer, though the peer has yielded already", () => {
    const mac = (node: number, slot: number) => Uint8Array.of(2, 0, 0, 0, slot, node);
    const ip = Uint8Array.of(10, 1, 0, 1);
    const nodes = ([1, 2] as const).map((node) => {
      const path = (slot: number) => ({ slot, nic: `nic${slot}`, mac: mac(node, slot), peer_mac: mac(3 - node, slot) });
      const paths = [0, 1].map((slot) => ({ ...path(slot), heartbeat: true }));
      const addresses = [{ slot: 1, ip, text: "10.1.0.1" }];
      const election = new Election(
        { ...configuration, node, session: node, paths, addresses, bootstrap: node === 1 },
        0,
      );
      return { election, inbox: [0, 1].map((slot): Input => ({ type: "carrier", slot, up: true })) };
    });
    let announced = 0;
    for (let now_ms = 0; now_ms < 9000; now_ms++) {
      for (const [i, { election, inbox }] of nodes.entries()) {
        const { frames } = election.step(now_ms, inbox.splice(0));
        // The way to the loser is mended a little earlier, so that it yields before the winner hears it.
        const passes = now_ms < 3000 || now_ms >= (i === 1 ? 8000 : 8020);
        for (const { slot, frame } of frames) {
          if (passes) nodes[1 - i]?.inbox.push({ type: "frame", slot, frame });
          if (now_ms >= 8000 && i === 1 && parseArp(frame)?.sender_ip.join() === ip.join()) announced++;
        }
      }
    }
    expect(nodes.map(({ election }) => election.role)).toEqual(["backup", "active"]);
    expect(announced).toBeGreaterThanOrEqual(3);
  });
});

test("what became of each frame is told, in their order", () => {
  const mac = (last: number) => Uint8Array.of(2, 0, 0, 0, 0, last);
  const authenticate = (bytes: Uint8Array) =>
    new Uint8Array(16).fill(bytes.reduce((sum, byte) => (sum * 31 + byte) & 255, 7));
  const configuration: CoreConfiguration = {
    node: 2,
    cluster: 7,
    authenticate,
    session: 22,
    peer_name: "one",
    paths: [
      { slot: 0, nic: "clu0", mac: mac(2), peer_mac: mac(1), heartbeat: true },
      { slot: 1, nic: "lan0", mac: mac(12), peer_mac: mac(11), heartbeat: true },
    ],
    addresses: [{ slot: 1, ip: Uint8Array.of(10, 1, 0, 1), text: "10.1.0.1" }],
    gateways: [],
    tuning: DEFAULT_TUNING,
    term_floor: 0,
    settings_revision: 0,
    version: [0, 1, 0],
    build: 1,
    bootstrap: false,
    departed: false,
    maintenance: false,
  };
  const election = new Election(configuration, 0);
  const one = new Conversation(1, 11);
  const [unproven] = speak(one, 1) as [Heartbeat];
  const frame = (heartbeat: Heartbeat, from = mac(1), cluster = 7) =>
    emitHeartbeat(heartbeat, cluster, from, mac(2), authenticate);
  const proven = { ...unproven, sequence: 2, echo_session: 22, echo_challenge: 1 };
  const forged = frame({ ...proven, sequence: 3 });
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  const on = (slot: number, bytes: Uint8Array): Input => ({ type: "frame", slot, frame: bytes });
  const { verdicts } = election.step(1, [
    on(0, frame(unproven)),
    on(0, frame(proven)),
    { type: "carrier", slot: 1, up: true },
    on(0, frame(proven)),
    on(1, frame({ ...proven, slot: 1 }, mac(11))),
    on(0, frame({ ...proven, slot: 1 }, mac(11))),
    on(0, forged),
    on(0, frame(proven).subarray(0, 100)),
    on(0, frame(proven, mac(1), 8)),
    on(0, frame({ ...proven, sequence: 4 }, mac(9))),
    on(0, frame({ ...proven, node: 2, session: 22 }, mac(2))),
    on(1, emitArpAnnouncement(mac(11), Uint8Array.of(10, 1, 0, 1))),
    on(1, emitArpAnnouncement(mac(66), Uint8Array.of(10, 1, 0, 1))),
    on(1, emitArpAnnouncement(mac(66), Uint8Array.of(10, 1, 0, 9))),
    on(1, emitArpProbe(mac(11), Uint8Array.of(10, 1, 0, 1))),
    on(0, emitPieces(mac(2), mac(66), 1, new Uint8Array(1))[0] ?? new Uint8Array()),
    on(1, new Uint8Array(60)),
  ]);
  expect(verdicts).toEqual([
    "unproven",
    "news",
    "replayed",
    "copy",
    "misdirected",
    "forged",
    "truncated",
    "foreign-cluster",
    "duplicate-node",
    "reflected",
    "peer-answers",
    "conflict",
    "neighbour",
    "peer-asks",
    "third-node",
    "no-matter",
  ]);
  expect(election.step(2, []).verdicts).toEqual([]);
});
