/**
 * A machine: QEMU in software emulation with UEFI (or a kernel that starts at once), a disk of its own, cards with fixed
 * MACs, a serial console and a hardware watchdog. Its power can be cut, its clock stopped, its cables pulled.
 */
import { copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { until } from "../lab/shell.ts";
import { SerialConsole } from "./console.ts";
import type { Networks } from "./network.ts";
import { type MachineEvent, Qmp } from "./qmp.ts";

const FIRMWARE = "/usr/share/OVMF/OVMF_CODE_4M.fd";
/** Kept by each machine for itself: what it wrote there survives a power cut. */
const FIRMWARE_VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.fd";

export interface Card {
  /** The name of the cable, such as `lan0`. */
  cable: string;
  mac: string;
  tap: string;
}

/** A kernel that starts without firmware and loader. */
export interface DirectBoot {
  kernel: string;
  initrd: string;
  command_line: string;
}

export interface MachineOptions {
  boot?: DirectBoot;
  cpu?: string;
  memory_mb?: number;
  /** A second serial line, for an image that has somebody there (image.ts). */
  agent?: boolean;
}

export interface Machine {
  name: string;
  /** For sockets and the firmware's variables. */
  directory: string;
  disk: string;
  cards: Card[];
  /** Where the transcript of the console goes. */
  transcript: string;
  networks: Networks;
  options: MachineOptions;
}

export class Vm {
  readonly #machine: Machine;
  readonly console = new SerialConsole();
  /** The second serial line. */
  readonly agent = new SerialConsole();
  readonly #events: MachineEvent[] = [];
  #child: ReturnType<typeof Bun.spawn> | null = null;
  #qmp: Qmp | null = null;
  #off: Promise<void> = Promise.resolve();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  get name(): string {
    return this.#machine.name;
  }

  get disk(): string {
    return this.#machine.disk;
  }

  get is_on(): boolean {
    return this.#child !== null;
  }

  /** How often it has started again by itself. */
  get resets(): number {
    return this.#events.filter(isReset).length;
  }

  /** How often its watchdog had to reset it. */
  get barks(): number {
    return this.#events.filter(({ event }) => event === "WATCHDOG").length;
  }

  async ask(command: string, values: Record<string, unknown> = {}): Promise<unknown> {
    if (this.#qmp === null) throw new Error(`Machine ${this.name} is off.`);
    return await this.#qmp.ask(command, values);
  }

  #path(what: string): string {
    return join(this.#machine.directory, `${this.name}-${what}`);
  }

  /** Power on; returns once the firmware runs. */
  async start(): Promise<void> {
    if (this.is_on) throw new Error(`Machine ${this.name} is on.`);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#off = promise;
    // Whoever waits for the end hears of it; nobody has to.
    promise.catch(() => {});
    await this.#run(resolve, reject);
  }

  /**
   * One life of QEMU. It ends with a reset of the machine, too, and begins anew: after a reset in the same process the
   * emulator goes on with all that it translated before, and is several times slower for minutes.
   */
  async #run(off: () => void, failed: (error: unknown) => void): Promise<void> {
    const { networks, transcript, options } = this.#machine;
    for (const socket of ["qmp", "console", "agent"]) rmSync(this.#path(socket), { force: true });
    const words = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", ...this.#words()];
    const child = Bun.spawn(networks.inside("room", words), {
      stdin: "ignore",
      stdout: "ignore",
      stderr: Bun.file(transcript.replace(/\.log$/, "-qemu.log")),
    });
    this.#child = child;
    const before = this.resets;
    const qmp = await Qmp.connect(this.#path("qmp"), (event) => void this.#events.push(event));
    this.#qmp = qmp;
    await this.console.connect(this.#path("console"));
    if (options.agent) await this.agent.connect(this.#path("agent"));
    Promise.all([child.exited, qmp.closed]).then(() => {
      for (const part of [this.#qmp, this.console, this.agent]) part?.close();
      this.#qmp = null;
      if (this.resets > before) return this.#run(off, failed).catch(failed);
      this.#child = null;
      off();
    });
    await qmp.ask("cont");
  }

  /** UEFI, or the kernel at once. */
  #firmware(): string[] {
    const { boot } = this.#machine.options;
    if (boot !== undefined) return ["-kernel", boot.kernel, "-initrd", boot.initrd, "-append", boot.command_line];
    const variables = this.#path("vars.fd");
    if (!existsSync(variables)) copyFileSync(FIRMWARE_VARIABLES, variables);
    return [
      ...["-drive", `if=pflash,format=raw,unit=0,readonly=on,file=${FIRMWARE}`],
      ...["-drive", `if=pflash,format=raw,unit=1,file=${variables}`],
    ];
  }

  #words(): string[] {
    const { disk, cards, transcript, options } = this.#machine;
    const serial = (id: string, file: string) => [
      "-chardev",
      `socket,id=${id},path=${this.#path(id)},server=on,wait=off,logfile=${file},logappend=on`,
      "-serial",
      `chardev:${id}`,
    ];
    return [
      ...["-name", this.name, "-nodefaults", "-no-user-config", "-display", "none", "-S"],
      ...["-machine", "q35", "-accel", "tcg", "-cpu", options.cpu ?? "max", "-m", String(options.memory_mb ?? 1024)],
      ...this.#firmware(),
      ...["-drive", `if=none,id=disk,format=raw,file=${disk}`],
      // First in the order, or right behind the kernel: UEFI would try the network before it, for minutes.
      ...["-device", `virtio-blk-pci,drive=disk,bootindex=${options.boot === undefined ? 0 : 1}`],
      ...["-device", "i6300esb", "-action", "watchdog=reset", "-action", "reboot=shutdown"],
      ...["-device", "virtio-rng-pci"],
      ...["-qmp", `unix:${this.#path("qmp")},server=on,wait=off`],
      ...serial("console", transcript),
      ...(options.agent ? serial("agent", transcript.replace(/\.log$/, "-agent.log")) : []),
      // No boot ROM on a card: the firmware would offer to boot from the network.
      ...cards.flatMap(({ cable, mac, tap }) => [
        "-netdev",
        `tap,id=net-${cable},ifname=${tap},script=no,downscript=no`,
        "-device",
        `virtio-net-pci,id=${cable},netdev=net-${cable},mac=${mac},romfile=`,
      ]),
    ];
  }

  /** The clock of the machine stands still with it. */
  async freeze(): Promise<void> {
    await this.ask("stop");
  }

  async thaw(): Promise<void> {
    await this.ask("cont");
  }

  /** Pulls a cable out of the card, or puts it back: the machine sees its carrier go or come. */
  async cable(cable: string, plugged: boolean): Promise<void> {
    await this.ask("set_link", { name: cable, up: plugged });
  }

  /** Power gone: nothing in memory survives, what the disk was given does. */
  async cut(): Promise<void> {
    this.kill();
    await this.#off;
  }

  /** Waits until the machine has turned itself off. */
  async ended(limit_ms: number): Promise<void> {
    await until(`machine ${this.name} is off`, () => !this.is_on, limit_ms);
  }

  /** At once, where a program ends: no waiting. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }
}

const isReset = ({ event, data }: MachineEvent): boolean => event === "SHUTDOWN" && data?.["reason"] === "guest-reset";
