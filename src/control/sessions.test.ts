/** Sessions: how long they last, what ends them, and that both nodes of a cluster take them. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { EndedSession } from "./replication.ts";
import { Sessions, type SessionsKept } from "./sessions.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const CLUSTER_KEY = "5a".repeat(32);

let now_ms = 0;
let hashes: Record<string, string> = {};

class Kept implements SessionsKept {
  key: string | null = null;
  stored: EndedSession[] = [];
  told: EndedSession[] = [];
  saved = 0;
  clusterKey = () => this.key;
  passwordHash = (name: string) => hashes[name] ?? null;
  loadEnded = () => this.stored;
  saveEnded = (ended: EndedSession[]) => {
    this.stored = ended;
    this.saved += 1;
  };
  tellEnded = (ended: EndedSession[]) => {
    this.told.push(...ended);
  };
}

let kept: Kept;
let sessions: Sessions;
const open = (from: Kept = kept) => new Sessions(from, () => now_ms);

beforeEach(() => {
  now_ms = Date.parse("2026-11-24T10:00:00Z");
  hashes = { admin: "$argon2id$one", other: "$argon2id$two" };
  kept = new Kept();
  sessions = open();
});

const lives = (ticket: string, use = true, at = sessions) => at.check(ticket, use) !== null;

describe("a session", () => {
  test("is what was begun, and nothing else", () => {
    const { session, ticket } = sessions.begin("admin");
    expect(sessions.check(ticket, true)).toEqual({ session, renewed: null });
    expect(session).toMatchObject({
      name: "admin",
      since: "2026-11-24T10:00:00.000Z",
      expires: "2026-11-24T22:00:00.000Z",
    });
    expect(ticket.length).toBeLessThan(600);
  });

  test("is refused where a single character of its ticket differs", () => {
    const { ticket } = sessions.begin("admin");
    for (let index = 0; index < ticket.length; index += 1) {
      const other = ticket[index] === "A" ? "B" : "A";
      expect(lives(ticket.slice(0, index) + other + ticket.slice(index + 1))).toBe(false);
    }
    for (const text of ["", "us1", "us1..", "us1.e30.", `${ticket}.`, `${ticket}x`, ticket.slice(3)])
      expect(lives(text)).toBe(false);
  });

  test("ends after half an hour in which nobody was there", () => {
    const { ticket } = sessions.begin("admin");
    now_ms += 29 * MINUTE_MS;
    expect(lives(ticket)).toBe(true);
    now_ms += 29 * MINUTE_MS;
    expect(lives(ticket)).toBe(true);
    now_ms += 31 * MINUTE_MS;
    expect(lives(ticket)).toBe(false);
  });

  test("is refused where it was last seen in the future, but for what two clocks differ", () => {
    const { session } = sessions.begin("admin");
    const seenAt = (minutes: number) => {
      now_ms += minutes * MINUTE_MS;
      const ticket = sessions.reissue(session);
      now_ms -= minutes * MINUTE_MS;
      return ticket;
    };
    expect([lives(seenAt(4)), lives(seenAt(6)), lives(seenAt(600))]).toEqual([true, false, false]);
  });

  test("is not kept alive by a page that only looks", () => {
    const { ticket } = sessions.begin("admin");
    for (let minute = 0; minute < 30; minute += 1) {
      now_ms += MINUTE_MS;
      expect(lives(ticket, false)).toBe(true);
    }
    now_ms += MINUTE_MS;
    expect(lives(ticket, false)).toBe(false);
  });

  test("ends after twelve hours whatever happens", () => {
    let { ticket } = sessions.begin("admin");
    for (let hour = 0; hour < 12 * 4 - 1; hour += 1) {
      now_ms += HOUR_MS / 4;
      const checked = sessions.check(ticket, true);
      ticket = checked?.renewed ?? ticket;
      expect(checked).not.toBeNull();
    }
    now_ms += HOUR_MS / 4;
    expect(lives(ticket)).toBe(false);
  });

  test("ends at logout, with every ticket that was made for it, and for no other session", () => {
    const { session, ticket } = sessions.begin("admin");
    const second = sessions.begin("admin");
    now_ms += 2 * MINUTE_MS;
    const renewed = sessions.check(ticket, true)?.renewed ?? "";
    expect(lives(renewed)).toBe(true);
    sessions.end(session);
    expect([lives(ticket), lives(renewed), lives(second.ticket)]).toEqual([false, false, true]);
  });

  test("ends when the password changes, but for the one that changed it", () => {
    const [one, two, other] = [sessions.begin("admin"), sessions.begin("admin"), sessions.begin("other")];
    hashes["admin"] = "$argon2id$new";
    const reissued = sessions.reissue(one.session);
    expect([one.ticket, two.ticket, reissued, other.ticket].map((ticket) => lives(ticket))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  test("ends with its administrator", () => {
    const { ticket } = sessions.begin("admin");
    hashes = {};
    expect(lives(ticket)).toBe(false);
  });

  test("does not come from the future", () => {
    const { ticket } = sessions.begin("admin");
    now_ms -= HOUR_MS;
    expect(lives(ticket)).toBe(false);
  });

  test("of a node that is alone ends with its process", () =>
    expect(lives(sessions.begin("admin").ticket, true, open())).toBe(false));
});

describe("in a cluster", () => {
  let peer: Kept;
  let there: Sessions;
  beforeEach(() => {
    peer = new Kept();
    peer.key = CLUSTER_KEY;
    there = open(peer);
  });

  test("a session that began before gets a ticket that both nodes take, and goes on meanwhile", () => {
    const { session, ticket } = sessions.begin("admin");
    expect(lives(ticket, true, there)).toBe(false);
    kept.key = CLUSTER_KEY;
    const renewed = sessions.check(ticket, true)?.renewed ?? "";
    expect(there.check(renewed, true)?.session).toEqual(session);
  });

  test("nobody takes a ticket of another cluster", () => {
    kept.key = "a5".repeat(32);
    expect(lives(sessions.begin("admin").ticket, true, there)).toBe(false);
  });

  test("a ticket that was not seen for half an hour is not taken by the other node either", () => {
    kept.key = CLUSTER_KEY;
    const { ticket } = sessions.begin("admin");
    now_ms += 31 * MINUTE_MS;
    expect(lives(ticket, true, there)).toBe(false);
  });

  test("what was ended is ended on a node that was told, and after a restart", () => {
    kept.key = CLUSTER_KEY;
    const { session, ticket } = sessions.begin("admin");
    sessions.end(session);
    expect(lives(ticket, true, open())).toBe(false);
    expect(lives(ticket, true, there)).toBe(true);
    there.takeEnded(kept.told);
    expect(lives(ticket, true, there)).toBe(false);
  });

  test("a node that is told of a logout keeps it as long as a ticket may live, tells it to nobody, and writes it once", () => {
    const ended = [{ id: "a", until_ms: Number.MAX_SAFE_INTEGER }];
    sessions.takeEnded(ended);
    sessions.takeEnded(ended);
    expect(kept.stored).toEqual([{ id: "a", until_ms: now_ms + 12 * HOUR_MS + 5 * MINUTE_MS }]);
    expect([kept.saved, kept.told]).toEqual([1, []]);
  });

  test("what was ended is forgotten once it would have ended anyway", () => {
    sessions.end(sessions.begin("admin").session);
    now_ms += 13 * HOUR_MS;
    sessions.end(sessions.begin("admin").session);
    expect(kept.stored.length).toBe(1);
  });
});
