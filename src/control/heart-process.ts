/** The heart as a child: started, spoken to line by line, and started again when it dies. */

import { scrubbedEnvironment } from "../environment.ts";
import { Failure, sentence } from "../errors.ts";
import { Lines } from "../heart/inbox.ts";
import type { CapturePiece, FromHeart, HeartConfiguration, HeartEvent, Snapshot, ToHeart } from "../heart/messages.ts";
import { keepGateSocket } from "../kernel/gate.ts";
import { openShim } from "../shim.ts";
import { COMPILED } from "../version.ts";
import { letGo } from "./letting-go.ts";

/** Where the heart finds the socket that owns its gate. */
const GATE_SOCKET_FD = 3;
const RESTART_MS_MIN = 200;
const RESTART_MS_MAX = 5000;
const ALIVE_INTERVAL_MS = 1000;
const STABLE_MS = 10_000;
const REPLY_MS_MAX = 3000;
/** A snapshot of some ten thousand addresses. */
const LINE_BYTES_MAX = 4 << 20;

type Spawn = () => ReturnType<typeof spawnHeart>;

export interface HeartListener {
  snapshot(snapshot: Snapshot): void;
  event(event: Omit<HeartEvent, "at_ms">): void;
  /** A piece of what was said and heard around a switch. */
  capture?(piece: CapturePiece): void;
}

export class HeartProcess {
  readonly #listener: HeartListener;
  #configuration: HeartConfiguration | null = null;
  #child: ReturnType<Spawn> | null = null;
  #unfit: string | null = null;
  #restart_ms = RESTART_MS_MIN;
  #stopping = false;
  #next_id = 1;
  readonly #waiting = new Map<number, (failure: Failure | null) => void>();
  /** Of the last `configure`. */
  #configured: Promise<boolean> = Promise.resolve(true);

  readonly #spawnHeart: Spawn;

  constructor(listener: HeartListener, spawn: Spawn) {
    this.#listener = listener;
    this.#spawnHeart = spawn;
  }

  start(configuration: HeartConfiguration): void {
    this.#configuration = configuration;
    this.#spawn();
    setInterval(() => this.#sayAlive(), ALIVE_INTERVAL_MS);
  }

  /** Why this node should not be the active one, as part of a sentence; null where nothing is wrong. */
  set unfit(reason: string | null) {
    if (reason === this.#unfit) return;
    this.#unfit = reason;
    this.#sayAlive();
  }

  #sayAlive(): void {
    this.#send({ type: "alive", ...(this.#unfit === null ? {} : { unfit: this.#unfit }) });
  }

  /**
   * True when the heart works by it, or is started again with it; false where it is silent, and may still work by the one
   * before. Whatever it could not do is an event.
   */
  configure(configuration: HeartConfiguration): Promise<boolean> {
    const done = this.#ask((id) => ({ type: "configure", id, configuration })).then(
      () => true,
      (failure: Failure) => failure.code !== "heart-silent",
    );
    // Bootstrapping is for this one moment, not for a heart that is started again later.
    const { bootstrap: _, ...lasting } = configuration;
    this.#configuration = lasting;
    this.#configured = done;
    return done;
  }

  /**
   * As `configure`, but a heart that would do the same as before is told the revision only: it need not look at its kernel.
   * It works by it once it has answered the `configure` before, and not where it is silent.
   */
  follow(configuration: HeartConfiguration): Promise<boolean> {
    if (this.#configuration === null || workOf(configuration) !== workOf(this.#configuration))
      return this.configure(configuration);
    const { settings_revision } = configuration;
    this.#configuration.settings_revision = settings_revision;
    this.#send({ type: "revision", settings_revision });
    return this.#configured;
  }

  /** A term seen since the configuration was made, for a heart that is started again. */
  rememberTerm(term: number): void {
    if (this.#configuration !== null) this.#configuration.term_floor = Math.max(term, this.#configuration.term_floor);
  }

  /** Hands over; resolves when done, rejects with the heart's Failure. */
  switchOver(): Promise<void> {
    return this.#ask((id) => ({ type: "switch", id }));
  }

  /** Makes the active peer hand over to this node; resolves when it has, rejects with the heart's Failure. */
  takeOver(): Promise<void> {
    return this.#ask((id) => ({ type: "take-over", id }));
  }

  /** Hands over if active, releases everything and ends the heart. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child === null) return;
    const { exited } = this.#child;
    await this.#ask((id) => ({ type: "stop", id })).catch(() => {});
    await Promise.race([exited, Bun.sleep(1000)]);
    this.#child?.kill("SIGKILL");
    await Promise.race([exited, Bun.sleep(1000)]);
  }

  #ask(order: (id: number) => ToHeart): Promise<void> {
    const id = this.#next_id++;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => settle(new Failure("heart-silent", "The heart did not answer; see the events.")),
      REPLY_MS_MAX,
    );
    const settle = (failure: Failure | null): void => {
      clearTimeout(timer);
      this.#waiting.delete(id);
      if (failure === null) resolve();
      else reject(failure);
    };
    this.#waiting.set(id, settle);
    this.#send(order(id));
    return promise;
  }

  #send(message: ToHeart): void {
    const child = this.#child;
    if (child === null) return;
    // A heart that has died is known only a turn later; until then its pipe refuses, at once or in a promise.
    try {
      child.stdin.write(`${JSON.stringify(message)}\n`);
      void Promise.resolve(child.stdin.flush()).catch(() => {});
    } catch {
      // Whoever waits for an answer is told by its end.
    }
  }

  #spawn(): void {
    const started_ms = performance.now();
    const child = this.#spawnHeart();
    this.#child = child;
    if (this.#configuration !== null) this.#send({ type: "configure", configuration: this.#configuration });
    void this.#listen(child.stdout);
    void child.exited.then((status) => {
      this.#child = null;
      for (const settle of this.#waiting.values())
        settle(this.#stopping ? null : new Failure("heart-died", "The heart ended before it answered."));
      if (this.#stopping) return;
      this.#letGo();
      if (performance.now() - started_ms > STABLE_MS) this.#restart_ms = RESTART_MS_MIN;
      this.#listener.event({
        code: "heart-died",
        severity: "error",
        message: `The heartbeat process ended (${child.signalCode ?? status}); it is started again.`,
      });
      setTimeout(() => this.#stopping || this.#spawn(), this.#restart_ms);
      this.#restart_ms = Math.min(RESTART_MS_MAX, this.#restart_ms * 2);
    });
  }

  #letGo(): void {
    try {
      if (this.#configuration !== null) letGo(this.#configuration);
    } catch (error) {
      this.#listener.event({
        code: "addresses-remain",
        severity: "error",
        message: `The shared addresses could not be taken away after the heart's death: ${sentence(error)}.`,
      });
    }
  }

  async #listen(stream: ReadableStream<Uint8Array>): Promise<void> {
    const lines = new Lines(LINE_BYTES_MAX);
    for await (const chunk of stream)
      for (const line of lines.take(chunk)) {
        const message = parseFromHeart(line);
        if (message !== null) this.#take(message);
      }
  }

  #take(message: FromHeart): void {
    if (message.type === "snapshot") this.#listener.snapshot(message.snapshot);
    else if (message.type === "event") this.#listener.event(message.event);
    else if (message.type === "capture") this.#listener.capture?.(message.capture);
    else this.#waiting.get(message.id)?.(message.ok ? null : new Failure(message.code, message.message));
  }
}

/** What the heart says; null for a line that is nothing of that, as whatever else is written to its output. */
export function parseFromHeart(line: string): FromHeart | null {
  let message: Record<string, unknown>;
  try {
    message = Object(JSON.parse(line)) as Record<string, unknown>;
  } catch {
    return null;
  }
  const { type, snapshot, event, capture, id, ok } = message;
  const has = (value: unknown, types: Record<string, string>): boolean =>
    Object.entries(types).every(([key, wanted]) => typeof (Object(value) as Record<string, unknown>)[key] === wanted);
  const whole =
    (type === "snapshot" && has(snapshot, { role: "string", term: "number" })) ||
    (type === "event" && has(event, { code: "string", severity: "string", message: "string" })) ||
    (type === "capture" && has(capture, { number: "number", piece: "number", pieces: "number", data: "string" })) ||
    (type === "reply" &&
      typeof id === "number" &&
      (ok === true || has(message, { code: "string", message: "string" })));
  return whole ? (message as unknown as FromHeart) : null;
}

/** All of a configuration that the heart works by. */
function workOf({ settings_revision: _, term_floor: __, bootstrap: ___, ...work }: HeartConfiguration): string {
  return JSON.stringify(work);
}

/** Held here as well, so that nobody can flush the gate of a heart that is dead. */
let gate_socket: number | null = null;

/** `watchdog` is the device that it feeds; null for none. */
export function spawnHeart(watchdog: string | null) {
  gate_socket ??= keepGateSocket(openShim());
  const program = COMPILED ? [process.execPath] : [process.execPath, process.argv[1] ?? ""];
  const words = [
    "heart",
    "--gate-socket",
    String(GATE_SOCKET_FD),
    ...(watchdog === null ? [] : ["--watchdog", watchdog]),
  ];
  return Bun.spawn([...program, ...words], {
    stdio: ["pipe", "pipe", "inherit", gate_socket],
    env: scrubbedEnvironment(),
    cwd: "/",
  });
}
