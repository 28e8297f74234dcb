/** SIGKILL at every step of a change, on either side, with the real database and the real connection. */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "../../src/control/certificate.ts";
import { SettingsDatabase } from "../../src/settings/database.ts";
import { until } from "../lab/shell.ts";
import type { FromProcess, ProcessOptions, ToProcess } from "./process.ts";

/** Two changes, each with a step before and after its one write. */
const STEPS = [0, 1, 2, 3];
const CHANGES_MAX = 4;

class Side {
  readonly directory = mkdtempSync(join(tmpdir(), "understudy-crash-"));
  readonly #options: Omit<ProcessOptions, "dies_at">;
  #child: ReturnType<typeof spawn> | null = null;
  state = "";
  confirmed: string[] = [];
  answers = 0;

  constructor(options: Omit<ProcessOptions, "dies_at" | "directory">) {
    this.#options = { ...options, directory: this.directory };
  }

  get alive(): boolean {
    return this.#child !== null;
  }

  start(dies_at: number): void {
    const child = spawn({ ...this.#options, dies_at });
    this.#child = child;
    this.state = "";
    void this.#listen(child.stdout);
    void child.exited.then(() => {
      if (this.#child === child) this.#child = null;
    });
  }

  say(order: ToProcess): void {
    this.#child?.stdin.write(`${JSON.stringify(order)}\n`);
    this.#child?.stdin.flush();
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    child?.kill("SIGKILL");
    await child?.exited;
  }

  async #listen(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const message = JSON.parse(line) as FromProcess;
        if ("state" in message) this.state = message.state;
        else this.answers++;
        if ("confirmed" in message) this.confirmed.push(message.confirmed);
      }
    }
  }
}

function spawn(options: ProcessOptions) {
  const command = [process.execPath, join(import.meta.dir, "process.ts"), JSON.stringify(options)];
  return Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "ignore" });
}

const sides: Side[] = [];
afterEach(async () => {
  for (const side of sides.splice(0)) {
    await side.stop();
    rmSync(side.directory, { recursive: true, force: true });
  }
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "::1");
  await new Promise((resolve) => server.on("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function pair(): Promise<[Side, Side]> {
  const port = await freePort();
  const certificates = [makeCertificate("one"), makeCertificate("two")] as const;
  const side = (node: 1 | 2): Side => {
    const own = certificates[node - 1] ?? certificates[0];
    const tls = { ...own, peer_certificate: certificates[2 - node]?.certificate ?? "" };
    const made = new Side({ cluster: { id: "00000001", node, nic: "none", peer_name: `node-${3 - node}`, tls }, port });
    sides.push(made);
    return made;
  };
  return [side(1), side(2)];
}

for (const victim of ["the active node", "the backup"] as const)
  for (const dies_at of STEPS)
    test(`${victim} dies at step ${dies_at} of its writing, and nothing confirmed is lost`, async () => {
      const [active, backup] = await pair();
      const dying = victim === "the active node" ? active : backup;
      const living = dying === active ? backup : active;
      active.start(dying === active ? dies_at : -1);
      backup.start(dying === backup ? dies_at : -1);
      active.say({ role: "active", term: 1, heard: true });
      backup.say({ role: "backup", term: 1, heard: true });
      await until("in sync", () => active.state === "in-sync" && backup.state === "in-sync");
      for (let change = 1; change <= CHANGES_MAX && dying.alive; change++) {
        const { answers } = active;
        active.say({ change: JSON.stringify({ change }) });
        await until("an answer or a death", () => active.answers > answers || !dying.alive);
      }
      expect(dying.alive).toBe(false);

      // The one that is left goes on alone, and takes a change.
      const { answers } = living;
      living.say({ role: "active", term: 2, heard: false });
      await Bun.sleep(100);
      living.say({ change: JSON.stringify({ change: "alone" }) });
      await until("an answer", () => living.answers > answers);

      dying.start(-1);
      dying.say({ role: "backup", term: 2, heard: true });
      living.say({ role: "active", term: 2, heard: true });
      await until("in sync again", () => active.state === "in-sync" && backup.state === "in-sync");
      const confirmed = [...active.confirmed, ...backup.confirmed];
      await Promise.all([active.stop(), backup.stop()]);

      const [one, two] = [active, backup].map(({ directory }) => new SettingsDatabase(directory));
      try {
        expect(one?.head().id).toBe(two?.head().id as string);
        expect(confirmed.length).toBeGreaterThanOrEqual(1);
        for (const id of confirmed) expect([one?.find(id)?.id, two?.find(id)?.id]).toEqual([id, id]);
        expect(living.confirmed.at(-1)).toBe(one?.head().id as string);
      } finally {
        one?.close();
        two?.close();
      }
    });
