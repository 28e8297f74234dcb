/** The web interface of the real executable: who is let in, who is not, and what the process behind it can do. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../src/web/http/server.ts";
import { ROUTES, type Route } from "../../src/web/routes.ts";
import { mayBecome } from "../kernel/namespaces.ts";
import { until } from "../lab/shell.ts";
import { Appliance } from "./appliance.ts";
import { PASSWORD, ticketOf } from "./browser.ts";

const SETTINGS = {
  server: { name: "node-a" },
  interfaces: [{ nic: "no-such-wan", role: "external", addresses: ["10.2.0.1/24"] }],
};

let appliance: Appliance;
let session = "";

beforeAll(async () => {
  appliance = new Appliance();
  await appliance.start();
  session = await appliance.login();
});
afterAll(() => appliance?.remove());

/** Bodies that have the form of their routes, so that a refusal is about who asks. */
const BODIES: Record<string, unknown> = {
  "POST /session": { name: "admin", password: "not the password" },
  "PUT /settings": SETTINGS,
  "PATCH /settings": { set: { "server.name": "intruder" } },
  "POST /cluster/search": { interface: "eth9" },
  "POST /cluster/code": { code: "123456" },
  "POST /cluster/test": { mine: "a0", theirs: "b0" },
  "POST /cluster/apply": { matches: [] },
  "PUT /cluster/maintenance": { on: true },
  "POST /cluster/destroy": { confirm: true },
  "POST /backups": {},
  "POST /backups/restore": { name: "x", current: PASSWORD },
  "PUT /license": { text: "x" },
  "POST /administrators/password": { name: "admin", password: "another good password", current: PASSWORD },
  "POST /tokens": { name: "x", access: "full" },
  "PUT /certificate": { certificate: "x", key: "x" },
  "POST /update/check": "a bundle",
  "PUT /update/bundle": "a bundle",
  "POST /update/start": {},
  "POST /update/restore": { confirm: true },
};

const place = ({ path }: Route) => path.replaceAll(/\{\w+\}/g, "no-such-name");
const bodyFor = ({ method, path, body }: Route) => (body === undefined ? {} : { body: BODIES[`${method} ${path}`] });
const headersFor = ({ raw }: Route): Record<string, string> =>
  raw ? { "content-type": "application/octet-stream" } : {};
const revision = async () => (await appliance.status()).settings_revision;

/** Past the web process, as whoever has broken into it. */
const direct = async (method: string, path: string, bearer = "", body?: unknown) => {
  const response = await fetch(`http://node${path}`, {
    method,
    unix: join(appliance.run, "web/web.sock"),
    headers: { authorization: `Bearer ${bearer}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  } as RequestInit);
  return `${response.status} ${((await response.json()) as { code?: string }).code ?? "done"}`;
};

describe("every route", () => {
  const closed = ROUTES.filter(({ access }) => access !== "public");
  const forged = `us1.${Buffer.from('{"id":"x","name":"admin"}').toString("base64url")}.${"A".repeat(43)}`;
  let ended = "";
  let before = 0;

  beforeAll(async () => {
    ended = await appliance.login();
    expect((await appliance.ask("GET", "/status", { session: ended }))?.status).toBe(200);
    expect((await appliance.ask("DELETE", "/session", { session: ended }))?.status).toBe(200);
    before = await revision();
  });

  for (const route of closed) {
    test(`${route.method} ${route.path} is refused without a session, with a forged one, and after the logout`, async () => {
      if (route.body !== undefined) expect(BODIES).toHaveProperty([`${route.method} ${route.path}`]);
      for (const ticket of [undefined, forged, ended]) {
        const asking = {
          ...bodyFor(route),
          headers: headersFor(route),
          ...(ticket === undefined ? {} : { session: ticket }),
        };
        expect(await appliance.codeOf(route.method, place(route), asking)).toBe("no-session");
      }
      const headers = { ...headersFor(route), authorization: "Bearer ust_notoken" };
      expect(await appliance.codeOf(route.method, place(route), { ...bodyFor(route), headers })).toBe(
        route.people_only ? "people-only" : "no-session",
      );
    });
  }

  for (const route of ROUTES.filter(({ method }) => method !== "GET"))
    test(`${route.method} ${route.path} is refused from elsewhere, although logged in`, async () => {
      const refused = [
        { headers: { origin: "https://evil.example" } },
        { headers: { "x-understudy": "" } },
        { headers: { "sec-fetch-site": "cross-site" } },
        { page: false, headers: { "content-type": "text/plain" } },
      ];
      for (const asking of refused)
        expect(await appliance.codeOf(route.method, place(route), { ...bodyFor(route), session, ...asking })).toBe(
          "foreign-origin",
        );
    });

  test("and nothing was changed by all that", async () => {
    expect(await revision()).toBe(before);
    expect((await appliance.status()).name).not.toBe("intruder");
  });

  test("/metrics too is refused without a session or a token", async () => {
    expect((await appliance.tell("GET", "/metrics"))?.status).toBe(401);
    expect((await appliance.tell("GET", "/metrics", { session }))?.status).toBe(200);
  });
});

describe("secrets", () => {
  test("are in no answer of any route, as long as there is something to say", async () => {
    const { token } = await appliance.value<{ token: string }>("POST", "/tokens", {
      session,
      body: { name: "t", access: "read" },
    });
    await appliance.untilAnotherServes(() => appliance.value("DELETE", "/certificate", { session }));
    const secrets = JSON.stringify(await appliance.control("GET", "/settings?secrets=1"));
    const [hash = ""] = /\$argon2id[^"]+/.exec(secrets) ?? [];
    const [token_hash = ""] = /[0-9a-f]{64}/.exec(secrets) ?? [];
    const [key = ""] = /-----BEGIN PRIVATE KEY-----[^"]+/.exec(secrets) ?? [];
    expect([hash, token_hash, key].map((secret) => secret.length > 40)).toEqual([true, true, true]);
    const names = ["current", "0", "1", "2"];
    const paths = ROUTES.filter(({ method, media_type }) => method === "GET" && media_type !== "text/event-stream");
    for (const { path } of paths)
      for (const name of path.includes("{") ? names : [""]) {
        const answer = await appliance.ask("GET", path.replaceAll(/\{\w+\}/g, name), { session });
        const said = JSON.stringify(answer?.value);
        for (const secret of [hash, token_hash, key, token]) expect(said.includes(secret)).toBe(false);
      }
    expect(JSON.stringify((await appliance.ask("GET", "/settings", { session }))?.value)).toContain(
      '"password_hash":"set"',
    );
  });

  test("are refused where they are asked for", async () => {
    const answer = await appliance.ask("GET", "/settings?secrets=1", { session });
    expect(JSON.stringify(answer?.value)).not.toContain("$argon2");
    expect(await direct("GET", "/settings?secrets=1", session)).toBe("403 secrets-refused");
  });

  test("a backup copy in plain text is not given out", async () => {
    const { name } = await appliance.value<{ name: string }>("POST", "/backups", { session, body: {} });
    expect(await appliance.codeOf("GET", `/backups/${name}`, { session })).toBe("not-encrypted");
    const body = { passphrase: "correct horse battery" };
    const locked = await appliance.value<{ name: string }>("POST", "/backups", { session, body });
    expect((await appliance.ask("GET", `/backups/${locked.name}`, { session }))?.status).toBe(200);
  });
});

describe("the socket of the web process", () => {
  for (const route of ROUTES.filter(({ access }) => access !== "public"))
    test(`demands a session for ${route.method} ${route.path} by itself`, async () => {
      expect(await direct(route.method, place(route), "", bodyFor(route).body)).toBe("401 no-session");
    });

  test("has no route that is not in the table, even for whoever is logged in", async () => {
    for (const [method, path] of [
      ["POST", "/administrators/verify"],
      ["POST", "/cluster/join"],
      ["POST", "/cluster/create"],
    ] as const)
      expect(await direct(method, path, session, {})).toBe("404 unknown-route");
  });
});

describe("logging in", () => {
  test("the first password can be set only once", async () => {
    const body = { name: "admin", password: "the intruder's own", first: true };
    expect(await appliance.codeOf("POST", "/session", { body })).toBe("current-needed");
  });

  test("guessing is slowed down and told apart from nothing", async () => {
    const codes: string[] = [];
    for (let guess = 0; guess < 6; guess += 1)
      codes.push(await appliance.codeOf("POST", "/session", { body: { name: "nobody", password: `guess ${guess}` } }));
    expect(codes[0]).toBe("wrong-password");
    expect(codes).toContain("too-many-tries");
  });

  test("a new password ends every other session of that name, and not the one that set it", async () => {
    const other = await appliance.login();
    const body = { name: "admin", password: "five boats in the fog", current: PASSWORD };
    expect(
      await appliance.codeOf("POST", "/administrators/password", { session, body: { ...body, current: "wrong" } }),
    ).toBe("wrong-password");
    const mine = ticketOf(await appliance.ask("POST", "/administrators/password", { session, body }));
    expect(await appliance.codeOf("GET", "/status", { session: other })).toBe("no-session");
    expect(await appliance.codeOf("GET", "/status", { session })).toBe("no-session");
    session = mine ?? "";
    expect(await appliance.codeOf("GET", "/status", { session })).toBe("200");
    const back = { name: "admin", password: PASSWORD, current: body.password };
    session = ticketOf(await appliance.ask("POST", "/administrators/password", { session, body: back })) ?? "";
  });
});

test("a backup copy is restored by whoever knows the password, and not by whoever finds a page open", async () => {
  const { name } = await appliance.value<{ name: string }>("POST", "/backups", { session, body: {} });
  const change = { set: { "dns.servers": ["10.2.0.53"] } };
  await appliance.value("PATCH", "/settings", { session, body: change });
  const before = await revision();
  const restore = (more: object) => appliance.codeOf("POST", "/backups/restore", { session, body: { name, ...more } });
  expect(await restore({})).toBe("bad-request");
  expect(await restore({ current: "wrong" })).toBe("wrong-password");
  expect(await direct("POST", "/backups/restore", session, { name })).toBe("400 bad-request");
  expect(await direct("POST", "/backups/restore", session, { name, current: "wrong" })).toBe("401 wrong-password");
  expect(await revision()).toBe(before);
  expect(await restore({ current: PASSWORD })).toBe("200");
  const { dns } = (await appliance.control("GET", "/settings")) as { dns?: { servers?: string[] } };
  expect(dns?.servers ?? []).toEqual([]);
});

describe("a token", () => {
  test("reads, or changes too, until it is revoked", async () => {
    const make = (access: string) =>
      appliance.value<{ id: string; token: string }>("POST", "/tokens", { session, body: { name: access, access } });
    const [read, full] = [await make("read"), await make("full")];
    const use = (token: string, method: string, path: string, body?: unknown) =>
      appliance.codeOf(method, path, {
        page: false,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body }),
      });
    const change = { set: { "dns.servers": ["10.2.0.53"] } };
    expect(await use(read.token, "GET", "/status")).toBe("200");
    expect(await use(read.token, "PATCH", "/settings", change)).toBe("read-only-token");
    expect(await use(full.token, "PATCH", "/settings", change)).toBe("200");
    expect(await use(full.token, "POST", "/tokens", { name: "more", access: "full" })).toBe("people-only");
    expect(await direct("POST", "/tokens", full.token, { name: "more", access: "full" })).toBe("403 people-only");
    expect(await direct("PATCH", "/settings", read.token, change)).toBe("403 read-only-token");
    for (const set of [{ administrators: [] }, { "web.tokens": [] }, { "web.certificate": null }])
      expect(await direct("PATCH", "/settings", full.token, { set })).toBe("403 other-route");
    const { revisions } = (await appliance.control("GET", "/settings/revisions")) as {
      revisions: { author: string }[];
    };
    expect(revisions[0]?.author).toBe("token full");
    for (const { id } of [read, full]) await appliance.ask("DELETE", `/tokens/${id}`, { session });
    for (const { token } of [read, full]) expect(await use(token, "GET", "/status")).toBe("no-session");
  });
});

describe("slow and greedy clients", () => {
  test("a body that is too large is refused before it is read", async () => {
    const large = JSON.stringify({ name: "admin", password: "x".repeat(70_000) });
    expect(await appliance.codeOf("POST", "/session", { body: large })).toBe("too-large");
    const huge = JSON.stringify({ filler: "x".repeat(5 << 20) });
    expect(await appliance.codeOf("PUT", "/settings", { session, body: huge })).toMatch(/too-large|no answer/);
    expect(await appliance.codeOf("GET", "/status", { session })).toBe("200");
  });

  test("one address gets so many connections, and idle ones among them shut nobody out", async () => {
    const path = join(appliance.directory, `${appliance.port}.sock`);
    let closed = 0;
    const idle = await Promise.all(
      Array.from({ length: LIMITS.connections_per_address + 20 }, () =>
        Bun.connect({ unix: path, socket: { data: () => {}, close: () => void closed++, error: () => {} } }),
      ),
    );
    await until("room was made for those beyond", () => closed >= 20);
    expect(closed).toBeLessThan(idle.length);
    expect((await appliance.ask("GET", "/public"))?.status).toBe(200);
    await until("the idle ones are dropped", () => closed === idle.length, 2 * LIMITS.patience.head_ms);
  });
});

describe("the process", () => {
  const web = () => {
    const pid = appliance.process("web");
    // 0 would be everybody.
    if (pid === null) throw new Error("There is no web process.");
    return pid;
  };
  const statusOf = (pid: number, task: string) => readFileSync(`/proc/${pid}/task/${task}/status`, "utf8");

  if (!mayBecome(65_534))
    test("says that it has kept its user, where there is no other one", async () => {
      const events = (await appliance.control("GET", "/events")) as { code: string }[];
      expect(events.map(({ code }) => code)).toContain("web-privileged");
    });

  const with_others = mayBecome(65_534) ? test : () => {};
  with_others("has no right left on any of its threads, and runs no program", () => {
    const field = (status: string, name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1];
    for (const task of readdirSync(`/proc/${web()}/task`)) {
      const status = statusOf(web(), task);
      expect(field(status, "Uid")?.split("\t")).toEqual(Array(4).fill("65534"));
      expect(field(status, "Gid")?.split("\t")).toEqual(Array(4).fill("65534"));
      expect(field(status, "Groups")?.trim()).toBe("");
      expect([field(status, "CapEff"), field(status, "CapPrm")]).toEqual(["0000000000000000", "0000000000000000"]);
      expect([field(status, "NoNewPrivs"), field(status, "Seccomp")]).toEqual(["1", "2"]);
    }
  });

  with_others("reaches its own socket, and neither the state directory nor the control socket", () => {
    const as_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"];
    const from_there = (script: string) =>
      Bun.spawnSync(["sh", "-c", `cd /proc/${web()}/cwd && exec "$@"`, "sh", ...as_nobody, "sh", "-c", script])
        .exitCode;
    const { state, run } = appliance;
    expect(from_there("test -w web.sock")).toBe(0);
    for (const path of [
      `${run}/control.sock`,
      "../control.sock",
      state,
      `${state}/settings.db`,
      `${state}/web-certificate.json`,
    ])
      expect([path, from_there(`test -r ${path} || test -w ${path} || test -x ${path}`)]).toEqual([path, 1]);
    expect(from_there("touch here")).not.toBe(0);
    // Were the directory its own, it could put a link in the socket's place, and root would hand over what that leads to.
    expect(from_there("chmod 700 .")).not.toBe(0);
    expect(from_there("ls ..")).not.toBe(0);
  });

  test("when it is killed it is started again, sessions go on, and the heart notices nothing", async () => {
    const heart = appliance.process("heart");
    await appliance.untilAnotherServes(async () => process.kill(web(), "SIGKILL"));
    expect(await appliance.codeOf("GET", "/status", { session })).toBe("200");
    expect(appliance.process("heart")).toBe(heart);
    const events = (await appliance.control("GET", "/events")) as { code: string }[];
    expect(events.map(({ code }) => code)).toContain("web-died");
    expect(events.map(({ code }) => code)).not.toContain("heart-died");
  });
});

describe("the certificate", () => {
  const lab = (name: string) => readFileSync(join(import.meta.dir, "certificates", name), "utf8");
  const fingerprint = async () => (await appliance.status()).web?.fingerprint;
  /** What is served, and not what is said about it. */
  const served = () =>
    Bun.spawnSync(
      appliance.inside(
        "sh",
        "-c",
        `echo | openssl s_client -connect 127.0.0.1:${appliance.port} 2>/dev/null | openssl x509 -noout -fingerprint -sha256`,
      ),
    )
      .stdout.toString()
      .split("=")[1]
      ?.trim();

  test("is the one whose fingerprint the status shows, before and after another one is brought", async () => {
    expect(served()).toBe((await fingerprint()) ?? "none");
    const body = { certificate: lab("server.pem") + lab("ca.pem"), key: lab("server.key") };
    expect(await appliance.codeOf("PUT", "/certificate", { session, body: { ...body, key: lab("weak.key") } })).toBe(
      "bad-key",
    );
    await appliance.untilAnotherServes(() => appliance.value("PUT", "/certificate", { session, body }));
    expect(served()).toBe((await fingerprint()) ?? "none");
    const shown = (await appliance.ask("GET", "/certificate", { session }))?.value;
    expect(shown).toMatchObject({ subject: "CN=gateway.example", self_made: false, chain: 2 });
  });

  test("outlives a restart, and sessions of a node that is alone do not", async () => {
    const before = await fingerprint();
    await appliance.restart();
    expect([served(), await appliance.codeOf("GET", "/status", { session })]).toEqual([before ?? "none", "no-session"]);
    session = await appliance.login();
  });
});
