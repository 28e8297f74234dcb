/** A terminal and a node for the menu's tests: what is typed, what was shown, and what the node was asked. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runMenu } from "../../src/menu/menu.ts";
import type { NodeStatus } from "../../src/menu/node.ts";
import type { Device, Kind } from "../../src/menu/terminal.ts";
import { until } from "../lab/shell.ts";

const LOOK_MS = 10;
const LIMIT_MS = 15_000;

export class FakeDevice implements Device {
  readonly kind: Kind;
  readonly utf8: boolean;
  shown = "";
  paused = false;
  closed = false;
  columns = 80;
  lent = 0;
  #take: ((bytes: Uint8Array | null) => void) | null = null;
  #redraw: (() => void) | null = null;

  constructor(kind: Kind, utf8 = false) {
    this.kind = kind;
    this.utf8 = utf8;
  }

  size() {
    return { columns: this.columns, rows: 24 };
  }

  write(text: string): void {
    this.shown += text;
  }

  listen(take: (bytes: Uint8Array | null) => void): void {
    this.#take = take;
  }

  pause(paused: boolean): void {
    this.paused = paused;
  }

  onResize(redraw: () => void): void {
    this.#redraw = redraw;
  }

  lend(work: () => void): void {
    this.lent += 1;
    work();
  }

  close(): void {
    this.closed = true;
  }

  type(text: string | Uint8Array): void {
    this.#take?.(typeof text === "string" ? new TextEncoder().encode(text) : text);
  }

  end(): void {
    this.#take?.(null);
  }

  resize(columns: number): void {
    this.columns = columns;
    this.#redraw?.();
  }
}

export interface Asked {
  method: string;
  path: string;
  body: unknown;
}

type Answer = (body: unknown, request: Request) => unknown;

/** What a route throws becomes the node's refusal. */
export class Refusal {
  readonly code: string;
  readonly message: string;

  constructor(code: string, message: string) {
    this.code = code;
    this.message = message;
  }
}

export const STANDALONE: NodeStatus = {
  name: "node-a",
  version: "1.2.3",
  build: 45,
  role: "standalone",
  operational: false,
  reason: "This node is in no cluster.",
  peer: null,
  addresses: [{ address: "10.1.0.1/24", nic: "lan0", held: true }],
  alarms: [],
  settings_revision: 7,
};

export const ACTIVE: NodeStatus = {
  ...STANDALONE,
  role: "active",
  operational: true,
  reason: null,
  peer: { name: "node-b", role: "backup", heard: true },
};

export const BACKUP: NodeStatus = {
  ...STANDALONE,
  name: "node-b",
  role: "backup",
  operational: true,
  reason: null,
  peer: { name: "node-a", role: "active", heard: true },
};

export class FakeNode {
  readonly run = mkdtempSync(join(tmpdir(), "understudy-menu-"));
  status: NodeStatus = { ...STANDALONE };
  settings: Record<string, unknown> = {
    server: { name: "node-a" },
    interfaces: [{ nic: "lan0", role: "internal", addresses: ["10.1.0.1/24"] }],
    dns: { servers: [] },
    web: { outside: false },
  };
  cards = ["lan0", "wan0", "clu0"].map((nic, index) => ({
    nic,
    mac: `02:00:00:00:00:0${index + 1}`,
    driver: "veth",
    link: true,
    speed_mbps: 1000,
    used_as: nic === "lan0" ? "internal" : "free",
  }));
  readonly asked: Asked[] = [];
  readonly routes: Record<string, Answer> = {
    "GET /status": () => this.status,
    "GET /settings": () => this.settings,
    "GET /cards": () => this.cards,
    "PATCH /settings": () => ({}),
    "DELETE /cluster/pairing": () => ({}),
  };
  #server: ReturnType<typeof Bun.serve> | null = null;

  start(): void {
    this.#server = Bun.serve({
      unix: join(this.run, "control.sock"),
      fetch: (request: Request) => this.#answer(request),
    });
  }

  stop(): void {
    void this.#server?.stop(true);
    rmSync(join(this.run, "control.sock"), { force: true });
    this.#server = null;
  }

  remove(): void {
    this.stop();
    rmSync(this.run, { recursive: true, force: true });
  }

  /** Bodies that were sent to a route, oldest first. */
  bodies(route: string): unknown[] {
    return this.asked.filter(({ method, path }) => `${method} ${path}` === route).map(({ body }) => body);
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const text = await request.text();
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    this.asked.push({ method: request.method, path: pathname + search, body });
    const route = this.routes[`${request.method} ${pathname}`];
    if (route === undefined)
      return Response.json({ code: "unknown-route", message: `There is no ${pathname}.` }, { status: 404 });
    try {
      return Response.json((await route(body, request)) ?? {});
    } catch (error) {
      if (error instanceof Refusal) return Response.json({ code: error.code, message: error.message }, { status: 409 });
      throw error;
    }
  }
}

/** A menu under test, from the first line to the end. */
export class Session {
  readonly device: FakeDevice;
  readonly node: FakeNode;
  readonly ended: Promise<void>;
  is_over = false;
  #seen = 0;

  private constructor(node: FakeNode, device: FakeDevice, console_command: string | null) {
    this.node = node;
    this.device = device;
    this.ended = runMenu(device, { run: node.run, console_command, look_interval_ms: LOOK_MS }).then(() => {
      this.is_over = true;
    });
  }

  static open(
    prepare: (node: FakeNode) => void = () => undefined,
    { kind = "plain" as Kind, utf8 = false, console_command = null as string | null, running = true } = {},
  ): Session {
    const node = new FakeNode();
    prepare(node);
    if (running) node.start();
    return new Session(node, new FakeDevice(kind, utf8), console_command);
  }

  /** Waits until this is shown, after whatever was waited for before. */
  async sees(text: string): Promise<void> {
    await until(
      `${JSON.stringify(text)} is shown; it says: ${this.device.shown.slice(this.#seen)}`,
      () => this.device.shown.indexOf(text, this.#seen) >= 0,
      LIMIT_MS,
    ).catch(() => {
      throw new Error(
        `${JSON.stringify(text)} is not shown, but: ${JSON.stringify(this.device.shown.slice(this.#seen))}`,
      );
    });
    this.#seen = this.device.shown.indexOf(text, this.#seen) + text.length;
  }

  /** Question and answer, and so on: each answer is typed once its question is shown. */
  async talk(...turns: [question: string, answer: string][]): Promise<void> {
    for (const [question, answer] of turns) {
      await this.sees(question);
      await this.sees("# ");
      this.device.type(`${answer}\n`);
    }
  }

  /** Chooses the item with that label from the list shown last. */
  async choose(label: string): Promise<void> {
    const pattern = new RegExp(`(\\d+)\\. ${label.replace(/[.*+?^$()[\]]/g, "\\$&")}`);
    await until(`the list has ${label}`, () => pattern.test(this.device.shown.slice(this.#seen)), LIMIT_MS).catch(
      () => {
        throw new Error(`no ${label} in: ${this.device.shown.slice(this.#seen)}`);
      },
    );
    const number = pattern.exec(this.device.shown.slice(this.#seen))?.[1] ?? "";
    await this.sees("# ");
    this.device.type(`${number}\n`);
  }

  async close(): Promise<void> {
    // Whatever waits is cancelled first: a script that has said all goes on waiting.
    this.device.type("\x03");
    this.device.end();
    await this.ended;
    this.node.remove();
  }
}
