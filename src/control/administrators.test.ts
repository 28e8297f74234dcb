/** Passwords of administrators: which are taken, who may set them, and what a guesser learns. */
import { beforeEach, describe, expect, spyOn, test } from "bun:test";
import { type Administrator, Administrators, ARGON2, demandGoodPassword, type Hasher } from "./administrators.ts";

const GOOD = "four boats in the fog";
const OTHER = "seven owls under a roof";

/** As slow work is: later, but not for long. What is said of real hashes is tested with real ones. */
const fast: Hasher = {
  hash: async (password) => `$argon2id$v=19$m=65536,t=3,p=1$fast$${Buffer.from(String(password)).toString("hex")}`,
  verify: async (password, hash) => hash === (await fast.hash(password)),
};

let kept: Administrator[];
let saved: number;
let now_ms: number;
let administrators: Administrators;
let made: (hasher: Hasher) => Administrators;

beforeEach(() => {
  kept = [];
  saved = 0;
  now_ms = 0;
  const change = async (work: (now: readonly Administrator[]) => Administrator[]) => {
    kept = work(kept);
    saved += 1;
  };
  made = (hasher) => new Administrators({ list: () => kept, change }, () => now_ms, hasher);
  administrators = made(fast);
});

describe("a password", () => {
  const rows: [string, string, RegExp | null][] = [
    ["of words", GOOD, null],
    ["of twelve characters", "tr0ub4dor&3x", null],
    ["of twelve characters that take many bytes", "пароль-вода-7", null],
    ["too short", "tr0ub4dor&3", /fewer than 12 characters/],
    ["short, in letters of four bytes", "🐟🐠🐡🦈🐬🐳", /fewer than 12 characters/],
    ["too long", "abcde ".repeat(171), /more than 1024 bytes/],
    ["the name", "Administrator", /is the administrator's name/],
    ["with a line break", `${GOOD}\n`, /cannot be typed/],
    ["of one letter", "aaaaaaaaaaaaaaaa", /fewer than 5 different/],
  ];
  for (const [what, password, refusal] of rows)
    test(what, () => {
      const work = () => demandGoodPassword("administrator", password);
      if (refusal === null) expect(work).not.toThrow();
      else expect(work).toThrow(refusal);
    });

  test("is kept as Argon2id with the parameters that are stated", async () => {
    administrators = made(Bun.password);
    await administrators.setPassword("console", { name: "admin", password: GOOD });
    expect(kept[0]?.password_hash).toStartWith(`$argon2id$v=19$m=${ARGON2.memoryCost},t=${ARGON2.timeCost},p=1$`);
    expect(JSON.stringify([kept, administrators.list()])).not.toContain(GOOD);
    expect(administrators.list()).toEqual([{ name: "admin", password: "set" }]);
    await administrators.verify("admin", GOOD);
    await expect(administrators.verify("admin", OTHER)).rejects.toThrow(/is wrong/);
  });

  test("is the same from a keyboard that composes letters and from one that does not", async () => {
    await administrators.setPassword("console", { name: "admin", password: "caf\u00e9 au lait chaud" });
    await administrators.verify("admin", "cafe\u0301 au lait chaud");
  });
});

describe("the first password", () => {
  test("may come from the web, and after it none without the present one", async () => {
    await administrators.setPassword("web", { name: "admin", password: GOOD });
    await expect(administrators.setPassword("web", { name: "admin", password: OTHER })).rejects.toThrow(
      /present password/,
    );
    await administrators.setPassword("web", { name: "admin", password: OTHER, current: GOOD });
    await administrators.verify("admin", OTHER);
  });

  test("is one: of two visitors at once the second is refused", async () => {
    const visits = [GOOD, OTHER].map((password) => administrators.setPassword("web", { name: "admin", password }));
    const settled = await Promise.allSettled(visits);
    expect(settled.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(saved).toBe(1);
  });

  test("is that of admin and of nobody else", async () => {
    for (const door of ["web", "console"] as const)
      await expect(administrators.setPassword(door, { name: "root", password: GOOD })).rejects.toThrow(
        /no administrator root/,
      );
    expect(saved).toBe(0);
  });
});

describe("changing a password", () => {
  beforeEach(() => administrators.setPassword("console", { name: "admin", password: GOOD }));

  test("the console needs no present one, and ends a lock", async () => {
    for (let tries = 0; tries < 4; tries++) await administrators.verify("admin", "wrong").catch(() => {});
    await expect(administrators.verify("admin", GOOD)).rejects.toThrow(/Too many wrong/);
    await administrators.setPassword("console", { name: "admin", password: OTHER });
    await administrators.verify("admin", OTHER);
  });

  test("a wrong present one changes nothing and counts as a guess", async () => {
    for (let tries = 0; tries < 4; tries++)
      await expect(
        administrators.setPassword("web", { name: "admin", password: OTHER, current: "wrong" }),
      ).rejects.toThrow(/is wrong/);
    await expect(administrators.setPassword("web", { name: "admin", password: OTHER, current: GOOD })).rejects.toThrow(
      /Too many wrong/,
    );
    expect(saved).toBe(1);
  });

  test("others keep theirs, and stay in their order", async () => {
    const zoe = { name: "Zoë", password_hash: kept[0]?.password_hash ?? "" };
    kept = [...kept, zoe];
    await administrators.setPassword("console", { name: "admin", password: OTHER });
    expect(kept.map(({ name }) => name)).toEqual(["admin", "Zoë"]);
    expect(kept[1]).toEqual(zoe);
  });
});

describe("a guesser", () => {
  beforeEach(() => administrators.setPassword("console", { name: "admin", password: GOOD }));

  test("hears the same of a wrong password and of a name that nobody has, and each is hashed", async () => {
    const verify = spyOn(fast, "verify");
    for (const name of ["admin", "nobody"])
      await expect(administrators.verify(name, "wrong")).rejects.toThrow("The name or the password is wrong.");
    const costs = verify.mock.calls.map(([, hash]) => /m=\d+,t=\d+,p=\d+/.exec(String(hash))?.[0]);
    verify.mockRestore();
    expect(costs).toEqual(["m=65536,t=3,p=1", "m=65536,t=3,p=1"]);
  });

  test("gets four tries before the first wait, with the right password too", async () => {
    const many = Array.from({ length: 6 }, () => administrators.verify("admin", "wrong"));
    const settled = await Promise.allSettled(many);
    const codes = settled.map((one) => (one.status === "rejected" ? (one.reason as { code: string }).code : "right"));
    expect(codes).toEqual([...Array(4).fill("wrong-password"), ...Array(2).fill("too-many-tries")]);
    await expect(administrators.verify("admin", GOOD)).rejects.toThrow(/try again in 1 second/);
    now_ms += 1000;
    await administrators.verify("admin", GOOD);
  });

  test("makes nobody hash what is endless", async () => {
    await expect(administrators.verify("admin", "x".repeat(2000))).rejects.toThrow(/is wrong/);
  });

  test("who comes when too many wait is told so", async () => {
    const many = Array.from({ length: 12 }, (_, index) => administrators.verify(`name-${index}`, "wrong"));
    const settled = await Promise.allSettled(many);
    const busy = settled.filter((one) => one.status === "rejected" && (one.reason as { code: string }).code === "busy");
    expect(busy.length).toBe(4);
  });
});

test("a name that nobody has is refused by a real hash of the same cost", async () => {
  const verify = spyOn(Bun.password, "verify");
  await expect(made(Bun.password).verify("nobody", "wrong")).rejects.toThrow(/is wrong/);
  const hashes = verify.mock.calls.map(([, hash]) => String(hash));
  verify.mockRestore();
  expect(hashes).toEqual([expect.stringMatching(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$[^$]{43}\$[^$]{43}$/)]);
});

test("a hash that came from elsewhere and asks for too much is not computed", async () => {
  kept = [{ name: "admin", password_hash: "$argon2id$v=19$m=4000000,t=3,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA" }];
  await expect(administrators.verify("admin", GOOD)).rejects.toThrow(/set a new password/);
});
