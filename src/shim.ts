/**
 * The door to the C shim (native/shim.c): captures and injection through libpcap, netlink, the
 * clock, scheduling and the hardware watchdog. The shim has no idea of roles; it does what it is
 * told, and every failure is a SystemFailure that names the operation and errno.
 *
 * One process blocks in `wait`, which fills a buffer that the caller owns with whatever happened:
 * nothing is allocated per frame, and no callback runs behind the caller's back.
 */
import { Failure, SystemFailure } from "./errors.ts";

/** A capture, an event subscription or a watchdog: a number that is never given twice in a row, valid until closed; at most 128 at a time. */
export type Handle = number;

/** What a record in the buffer of `wait` is. */
export const RECORD = {
  /** A frame; `source` is the capture's handle, the payload is the frame from its Ethernet header on. */
  frame: 1,
  /** A netlink datagram of a subscription; `source` is its handle. Length 0 means that some were lost: look at what is. */
  netlink: 2,
  /** Bytes read from a watched file descriptor; `source` is the descriptor. Length 0 means end of file: it is not watched any more. */
  input: 3,
  /** A watched signal; `source` is its number. */
  signal: 4,
  /** A capture or subscription that failed (the interface went away …); the payload is i32 errno. `source` is its handle. */
  failed: 5,
  /** The kernel has answered `netlinkInBackground`; the payload is errno by name, nothing where it did as asked. */
  done: 6,
} as const;

/**
 * Layout of a record, little-endian, records start at multiples of 8:
 * u16 kind · u16 flags (0) · u32 source · u32 length · u32 reserved · payload[length] · padding to 8.
 */
export const RECORD_HEADER_BYTES = 16;

/**
 * Layout of a frame to send, little-endian, entries start at multiples of 8:
 * u32 capture handle · u32 length · i32 status (written by the shim: 0 or errno) · u32 reserved · frame[length] · padding to 8.
 */
export const SEND_HEADER_BYTES = 16;

export interface CaptureOptions {
  /** pcap filter expression, for example `ether proto 0x88b5 or arp`. */
  filter: string;
  /** Bytes kept of each frame, at most 65,536. */
  snap_bytes: number;
  /** Bytes of kernel buffer. */
  buffer_bytes: number;
  promiscuous: boolean;
}

export interface Shim {
  /** Milliseconds of CLOCK_BOOTTIME (goes on during suspend, never steps), with a fraction. */
  now(): number;
  /** Opens a live capture in immediate mode, frames received only (not those this host sends). */
  openCapture(nic: string, options: CaptureOptions): Handle;
  /** Counters since the capture was opened. */
  captureStatistics(capture: Handle): { received: number; dropped: number };
  /** Sends the frames in `batch[0..length)`, in order; returns how many failed (see each entry's status). Never throws for a link that is down. */
  send(batch: Uint8Array, length: number): number;
  /** Subscribes to multicast groups of a netlink protocol (numbers as in linux/rtnetlink.h, nfnetlink.h); datagrams arrive in `wait`. */
  subscribe(protocol: number, groups: number[]): Handle;
  /** Bytes readable on `fd` arrive in `wait` (up to 64 KiB a record). The descriptor is made non-blocking. */
  watchInput(fd: number): void;
  /** Catches these signals of the process, on whichever thread, and delivers them in `wait` (names as in `SIGTERM`). */
  watchSignals(names: string[]): void;
  /** Closes a capture, subscription or watchdog (a watchdog that was not disarmed resets the machine). */
  close(handle: Handle): void;
  /**
   * Waits until something happens or `timeout_ms` (with a fraction; 0 polls, negative waits for ever)
   * has passed, then takes everything that is there, as far as `out` has room; returns the bytes
   * written (0: time-out). At most 64 frames per capture are taken in one call, and each call begins
   * with another source, so that a flood on one interface cannot starve the rest. A buffer in which not
   * even one record fits is refused with ENOBUFS (a capture needs its `snap_bytes`, a subscription 8 KiB).
   */
  wait(out: Uint8Array, timeout_ms: number): number;
  /**
   * Sends one or more netlink messages in one datagram on a socket kept per protocol, waits for the
   * answer (until NLMSG_DONE, the acknowledgement of the last message, or an error) and copies all
   * answer messages to `reply`; returns their length. An error answer (NLMSG_ERROR with a non-zero
   * code) throws SystemFailure with its errno. Gives up with ETIMEDOUT after one second without an answer.
   */
  netlink(protocol: number, request: Uint8Array, reply: Uint8Array): number;
  /**
   * As `netlink` for a request that is only acknowledged (64 KiB at most), on a thread of its own: returns at once, and a
   * record `done` in `wait` tells the outcome. One at a time (EBUSY), and all of one protocol (EINVAL).
   */
  netlinkInBackground(protocol: number, request: Uint8Array): void;
  /** Waits until the kernel has answered what is under way; its record still comes. */
  awaitBackground(): void;
  /** Port id of the socket that `netlinkInBackground` uses; 0 before it was used. */
  backgroundPort(): number;
  /** Port id of the socket that `netlink` uses for a protocol, to tell own notifications from others'. */
  netlinkPort(protocol: number): number;
  /** A socket of a netlink protocol that `netlink` of this process does not use, as a file descriptor that a child can be given. */
  newNetlinkSocket(protocol: number): number;
  /** Makes `netlink` use a socket that this process was given. Before the first request of that protocol; EINVAL otherwise. */
  adoptNetlinkSocket(protocol: number, fd: number): void;
  /** Writes without blocking; returns bytes written (0 when the pipe is full). A reader that has gone is EPIPE. */
  write(fd: number, bytes: Uint8Array): number;
  /** Sends a datagram to a Unix socket, without waiting; a path that begins with `@` is a name of the abstract namespace. */
  notify(path: string, text: Uint8Array): void;
  /** Kernel driver of an interface (ETHTOOL_GDRVINFO), or "" where it has none. */
  driver(nic: string): string;
  /** True where the interface is wireless (SIOCGIWNAME or /sys phy80211). */
  wireless(nic: string): boolean;
  /** mlockall(current, future, on fault). */
  lockMemory(): void;
  /** SCHED_FIFO for every thread of the process, present and future. */
  realtime(priority: number): void;
  /** The priority of every thread of the process, present and future: 19 gives way to everybody. */
  beNice(niceness: number): void;
  /**
   * Gives up every right for good: this user and group and no other, no new privileges, no program, no core file; for
   * all threads. False where the system has no such user to become (a user namespace with one), and the rest is done.
   */
  leaveRights(user: number): boolean;
  /** Opens a hardware watchdog and sets its time-out; the machine resets unless it is petted. */
  openWatchdog(path: string, timeout_s: number): Handle;
  petWatchdog(watchdog: Handle): void;
  /** Disarms it (magic close), as far as the hardware allows. */
  disarmWatchdog(watchdog: Handle): void;
}

/** Signal numbers of Linux for the names that `watchSignals` takes. */
const SIGNALS: Record<string, number> = { SIGHUP: 1, SIGINT: 2, SIGUSR1: 10, SIGUSR2: 12, SIGPIPE: 13, SIGTERM: 15 };

type Addon = Record<string, (...values: unknown[]) => unknown>;

declare const UNDERSTUDY_COMPILED: boolean | undefined;

function loadAddon(): Addon {
  // Two literal paths: Bun embeds the one it finds beside the bundle; esbuild drops the other.
  if (typeof UNDERSTUDY_COMPILED !== "undefined" && UNDERSTUDY_COMPILED) return require("./shim.node") as Addon;
  return require("../build/shim.node") as Addon;
}

const NO_SHIM =
  "The C shim cannot be loaded: the temporary directory must be there, be writable and allow execution; set BUN_TMPDIR to one that is and does.";

/** Loads the addon at the first call; commands that never call it never unpack it. */
function bind(): Shim {
  let addon: Addon;
  try {
    addon = loadAddon();
  } catch (error) {
    throw new Failure("no-shim", NO_SHIM, { cause: error });
  }
  const wrap =
    (name: string) =>
    (...values: unknown[]): unknown => {
      try {
        return addon[name]?.(...values);
      } catch (error) {
        const { operation, errno, message } = error as { operation?: string; errno?: string; message: string };
        if (operation === undefined || errno === undefined) throw error;
        throw new SystemFailure(operation, errno, message);
      }
    };
  const bound = Object.fromEntries(Object.keys(addon).map((name) => [name, wrap(name)]));
  const watchSignals = bound["watchSignals"];
  return {
    ...bound,
    watchSignals: (names: string[]) => watchSignals?.(names.map((name) => SIGNALS[name] ?? 0)),
  } as unknown as Shim;
}

let loaded: Shim | null = null;

/** The shim of this process. */
export function openShim(): Shim {
  loaded ??= bind();
  return loaded;
}
