/**
 * State and run directories that are read-only, full, damaged or not directories, and users without rights, beside a
 * live pair and in it. Each is refused in one sentence with exit status 1, or survived; the pair keeps working.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ended, LabNode } from "./node.ts";
import { Pair, SETTINGS } from "./pair.ts";
import { until } from "./shell.ts";

const TEST_MS = 60_000;
/** Root without any capability: what a service that was given none, or another user, may do. */
const WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];

let pair: Pair;
let stranger: LabNode;

beforeAll(async () => {
  pair = await Pair.make({ population: { a: "clu", b: "clu", c: "clu2" } });
  stranger = pair.lab.node("c");
}, TEST_MS);

beforeEach(() => pair.findActive(), TEST_MS);

afterAll(() => pair?.remove());

function expectSentence({ status, stdout, stderr }: Ended, sentence: RegExp): void {
  expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: "", stderr: expect.stringMatching(sentence) });
  expect(stderr.split("\n").length).toBe(1);
}

const fresh = (name: string) => {
  const path = join(pair.lab.directory, "c", name);
  mkdirSync(path, { recursive: true });
  return path;
};
const tiny = (path: string, size_kb = 64) => `mount -t tmpfs -o size=${size_kb}k tmpfs ${path}`;
const fill = (path: string) => `dd if=/dev/zero of=${path}/filler bs=4k 2>/dev/null || true`;
const readOnly = (path: string) => `mount --bind ${path} ${path}\nmount -o remount,ro,bind ${path}`;

describe("a node that cannot start says why", () => {
  const cases: [string, () => { state?: string; run?: string; before?: string; prefix?: string[] }, RegExp][] = [
    [
      "the state directory is read-only",
      () => ({ state: fresh("ro"), before: readOnly(fresh("ro")) }),
      /^The state directory \S+ cannot be written: it is read-only; mount it writable\.$/,
    ],
    [
      "the state directory is full",
      () => ({ state: fresh("full"), before: `${tiny(fresh("full"))}\n${fill(fresh("full"))}` }),
      /^The state directory \S+ cannot be written: the disk is full; free some space\.$/,
    ],
    [
      "the state directory is a file",
      () => ({ state: fileAt("state-file") }),
      /^The state directory \S+ cannot be used: a file is in its place; name another directory\.$/,
    ],
    [
      "the run directory is read-only",
      () => ({ run: fresh("ro-run"), before: readOnly(fresh("ro-run")) }),
      /^The run directory \S+ cannot be used: it is read-only; mount it writable\.$/,
    ],
    [
      "the run directory is a file",
      () => ({ run: fileAt("run-file") }),
      /^The run directory \S+ cannot be used: a file is in its place; name another directory\.$/,
    ],
    [
      "the run directory cannot be made",
      () => ({ run: "/proc/understudy" }),
      /^The run directory \S+ cannot be used: nothing can be made there; name another directory\.$/,
    ],
    [
      "the run directory's name is too long for a socket",
      () => ({ run: fresh("x".repeat(100)) }),
      /^The run directory \S+ has too long a name for the control socket; name a shorter one with --run\.$/,
    ],
    [
      "it has no rights over the network",
      () => ({ prefix: WITHOUT_RIGHTS }),
      /^understudy node needs the rights of root over the network \(CAP_NET_ADMIN and CAP_NET_RAW are missing\); start it as root\.$/,
    ],
  ];
  for (const [what, how, sentence] of cases)
    test(
      what,
      () =>
        pair.undisturbed(() => {
          const { state = fresh("state"), run = fresh("run"), ...rest } = how();
          expectSentence(stranger.attempt(["node", "--state", state, "--run", run], rest), sentence);
        }),
      TEST_MS,
    );

  test("another node process uses the state directory", () =>
    pair.undisturbed(() => {
      expectSentence(
        stranger.attempt(["node", "--state", pair.a.state, "--run", fresh("run")]),
        /^Another node \(process \d+\) uses the state directory \S+; stop it first, or name another directory with --state\.$/,
      );
    }));

  function fileAt(name: string): string {
    const path = join(fresh("files"), name);
    writeFileSync(path, "");
    return path;
  }
});

test("a user who may not use the control socket is told so", () =>
  pair.undisturbed(() => {
    const run = fresh("locked");
    chmodSync(run, 0o000);
    expectSentence(
      stranger.attempt(["--run", run, "status"], { prefix: WITHOUT_RIGHTS }),
      /^This user may not speak to the node at \S+; run the command as root\.$/,
    );
  }));

describe("the backup's state is damaged while it is away", () => {
  for (const name of ["cluster.json", "term.json"]) {
    test(
      `${name}: the copy before it is used; without one the node does not start; restored, it is the backup again`,
      () =>
        pair.undisturbed(async () => {
          const node = pair.node(pair.backup);
          const path = join(node.state, name);
          await node.stop();
          rmSync(`${path}.previous`, { force: true });
          copyFileSync(path, `${path}.good`);
          flipByte(path);
          expectSentence(
            node.attempt(["node", "--state", node.state, "--run", node.run]),
            /^\S+ is damaged and there is no good copy; restore it, or erase the whole state directory to start from a fresh install\.$/,
          );
          copyFileSync(`${path}.good`, `${path}.previous`);
          flipByte(`${path}.previous`);
          expectSentence(
            node.attempt(["node", "--state", node.state, "--run", node.run]),
            /damaged and there is no good/,
          );
          copyFileSync(`${path}.good`, `${path}.previous`);
          await node.start();
          expect((await node.events()).filter(({ code }) => code === "state-damaged").at(-1)?.message).toBe(
            `${path} is damaged; the copy before it is used.`,
          );
        }),
      TEST_MS,
    );
  }

  test(
    "settings.db: the copy beside it is used; without one the node does not start; restored, it is the backup again",
    () =>
      pair.undisturbed(async () => {
        const node = pair.node(pair.backup);
        const [path, copy] = ["settings.db", "settings.copy.json"].map((name) => join(node.state, name)) as [
          string,
          string,
        ];
        const before = node.command(["settings", "export"]);
        await node.stop();
        for (const file of [path, copy]) copyFileSync(file, `${file}.good`);
        writeFileSync(path, readFileSync(path).fill(0, 100, 20_000));
        flipByte(copy);
        expectSentence(
          node.attempt(["node", "--state", node.state, "--run", node.run]),
          /^\S+settings\.db is damaged and there is no good copy; restore it, or erase the whole state directory to start from a fresh install\.$/,
        );
        copyFileSync(`${copy}.good`, copy);
        await node.start();
        const said = (await node.events()).filter(({ code }) => code === "state-damaged").map(({ message }) => message);
        expect(said.findLast((message) => message.includes("settings"))).toMatch(
          /settings\.db is damaged; revision \d+ of \S+ is used, and the file is kept as settings\.db\.damaged\.$/,
        );
        expect(node.command(["settings", "export"])).toBe(before);
      }),
    TEST_MS,
  );

  function flipByte(path: string): void {
    const bytes = readFileSync(path);
    const at = bytes.length >> 1;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  }
});

describe("the disk runs full under a running node", () => {
  /** The state directory moves to a disk of its own, with everything that is in it. */
  const onTinyDisk = (state: string) =>
    `cp -a ${state} ${state}.moved\n${tiny(state, 512)}\ncp -a ${state}.moved/. ${state}`;
  const inside = (node: LabNode) => `/proc/${node.processes()[0]?.pid}/root${node.state}`;
  const fillUp = (node: LabNode) => {
    try {
      for (let i = 0; ; i++) writeFileSync(`${inside(node)}/filler${i}`, Buffer.alloc(4096));
    } catch (error) {
      expect((error as { code?: string }).code).toBe("ENOSPC");
    }
  };
  const makeRoom = (node: LabNode) => {
    for (let i = 0; existsSync(`${inside(node)}/filler${i}`); i++) rmSync(`${inside(node)}/filler${i}`);
  };

  test(
    "a change of the settings is refused in one sentence and not half made; with room again it is made",
    () =>
      pair.undisturbed(async () => {
        mkdirSync(stranger.state, { recursive: true });
        await stranger.start(onTinyDisk(stranger.state));
        const change = JSON.stringify({ server: { name: "node-c" }, interfaces: [] });
        const words = ["--run", stranger.run, "settings", "import", "-"];
        fillUp(stranger);
        expectSentence(
          stranger.attempt(words, { input: change }),
          /^The state directory \S+ cannot be written: the disk is full; free some space\.$/,
        );
        expect((await stranger.status())?.name).toBe("understudy");
        makeRoom(stranger);
        expect(stranger.attempt(words, { input: change }).status).toBe(0);
        expect((await stranger.status())?.name).toBe("node-c");
        await stranger.stop();
      }),
    TEST_MS,
  );

  test(
    "the backup takes over all the same, and says what it could not write",
    async () => {
      const [from, to] = [pair.node(pair.active), pair.node(pair.backup)];
      await to.stop();
      await to.start(onTinyDisk(to.state));
      await pair.scenario(pair.backup, 1, async () => {
        fillUp(to);
        from.freeze();
        await to.untilRole("active");
        await until("it says so", async () => (await to.events()).some(({ code }) => code === "state-unwritable"));
        from.thaw();
      });
      makeRoom(to);
      await to.stop();
      await to.start();
    },
    TEST_MS,
  );
});

test("the settings that the pair was made with are still there", async () => {
  for (const node of [pair.a, pair.b])
    expect(JSON.parse(node.command(["settings", "export"]))).toMatchObject({ interfaces: SETTINGS.interfaces });
});
