/** The rest of the shim on a real kernel: netlink, signals, pipes, scheduling, the watchdog. Needs root (or a user namespace). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "../test/kernel/frames.ts";
import { type Agent, cable, mayBecome, Namespace } from "../test/kernel/namespaces.ts";
import type { ShimOperations, Woken } from "../test/kernel/shim-agent.ts";
import { parsePrefixed } from "./kernel/ip.ts";
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkWriter, NLM_F, readMessages } from "./kernel/netlink.ts";
import {
  type Change,
  changesRequest,
  listAddressesRequest,
  listLinksRequest,
  RTNLGRP,
  readAddresses,
  readLinks,
} from "./kernel/rtnetlink.ts";

const REPLY_BYTES = 1 << 20;
const TURNS_MAX = 100;
const SCHED_FIFO = 1;

let space: Namespace;
let shim: Agent<ShimOperations>;

beforeAll(() => {
  space = new Namespace("shim");
});
afterAll(() => space?.remove());
beforeEach(() => {
  cable(space, "v0", space, "v1");
  shim = space.startShim();
});
afterEach(() => {
  shim.kill();
  space.run("ip", "link", "del", "v0");
});

const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const request = async (bytes: Uint8Array, reply_bytes = REPLY_BYTES): Promise<Uint8Array> =>
  fromHex(await shim.call("netlink", NETLINK_ROUTE, toHex(bytes), reply_bytes));
const indexOf = (nic: string): number => Number(space.run("cat", `/sys/class/net/${nic}/ifindex`));

/** Changes that add so many addresses to v0. */
const addresses = (count: number): Change[] => {
  const link_index = indexOf("v0");
  return Array.from({ length: count }, (_, number) => ({
    kind: "add-address",
    link_index,
    address: parsePrefixed(`10.9.${number >> 8}.${number & 255}/32`),
    network_route: true,
  }));
};

/** Waits until one of the records is as wanted, and returns it. */
async function until(wanted: (record: Woken) => boolean): Promise<Woken> {
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    const found = (await shim.call("wait", 100)).find(wanted);
    if (found !== undefined) return found;
  }
  throw new Error("it never came");
}

describe("netlink", () => {
  const present = async (): Promise<number> =>
    readAddresses(readMessages(await request(listAddressesRequest(99)))).filter(
      ({ address: { bytes } }) => bytes[1] === 9,
    ).length;

  test("carries many changes in one datagram, and lists what came of them", async () => {
    expect((await request(changesRequest(7, addresses(1000)))).length).toBe(0);
    expect(await present()).toBe(1000);
  });

  test("says what the kernel refused, and does the rest", async () => {
    const [first, second, third, fourth] = addresses(4) as [Change, Change, Change, Change];
    const changes = changesRequest(7, [first, { ...second, link_index: 9999 }, third]);
    await expect(request(changes)).rejects.toMatchObject({ code: "ENODEV", operation: "netlink request" });
    expect(await present()).toBe(2);
    // Its acknowledgement, which nobody waited for, is not taken for the next answer.
    expect((await request(changesRequest(8, [fourth]))).length).toBe(0);
    expect(await present()).toBe(3);
  });

  describe("in the background", () => {
    const begin = (protocol: number, bytes: Uint8Array) => shim.call("netlinkInBackground", protocol, toHex(bytes));
    /** The name of the error of what was begun, or nothing. */
    const outcome = async (): Promise<string> =>
      Buffer.from((await until(({ kind }) => kind === "done")).hex, "hex").toString();

    test("the kernel does it meanwhile, and a record says so", async () => {
      await begin(NETLINK_ROUTE, changesRequest(7, addresses(1000)));
      expect(await outcome()).toBe("");
      expect(await present()).toBe(1000);
    });

    test("what it refused is told by name, the rest is done, and the next one begins anew", async () => {
      const [first, second, third] = addresses(3) as [Change, Change, Change];
      await begin(NETLINK_ROUTE, changesRequest(7, [first, { ...second, link_index: 9999 }, third]));
      expect(await outcome()).toBe("ENODEV");
      await begin(NETLINK_ROUTE, changesRequest(8, [second]));
      expect(await outcome()).toBe("");
      expect(await present()).toBe(3);
    });

    test("one at a time, whoever waits for it sees what it did, and its record still comes", async () => {
      await begin(NETLINK_ROUTE, changesRequest(7, addresses(1000)));
      await expect(begin(NETLINK_ROUTE, changesRequest(8, addresses(1)))).rejects.toMatchObject({ code: "EBUSY" });
      await shim.call("shim", "awaitBackground");
      await shim.call("shim", "awaitBackground");
      expect(await present()).toBe(1000);
      expect(await outcome()).toBe("");
    });

    test("of one protocol, with requests that are whole, and from a port of its own", async () => {
      expect(await shim.call("shim", "backgroundPort")).toBe(0);
      await expect(begin(NETLINK_ROUTE, new Uint8Array(16))).rejects.toMatchObject({ code: "EINVAL" });
      await begin(NETLINK_ROUTE, changesRequest(7, addresses(1)));
      await outcome();
      await expect(begin(NETLINK_NETFILTER, changesRequest(8, addresses(1)))).rejects.toMatchObject({ code: "EINVAL" });
      expect(await shim.call("shim", "backgroundPort")).not.toBe(await shim.call("shim", "netlinkPort", NETLINK_ROUTE));
    });

    test("with real-time priority, but below whoever waits for frames", async () => {
      await shim.call("shim", "realtime", 40);
      await begin(NETLINK_ROUTE, changesRequest(7, addresses(1)));
      await outcome();
      const priorities = (await shim.call("threads")).map(({ priority }) => priority).sort();
      expect([priorities[0], priorities[1]]).toEqual([39, 40]);
    });
  });

  test("refuses an answer longer than the room for it, and can be used again", async () => {
    await expect(request(listLinksRequest(7), 100)).rejects.toMatchObject({
      code: "ENOBUFS",
      operation: "netlink answer",
    });
    expect(
      readLinks(readMessages(await request(listLinksRequest(8))))
        .map(({ link }) => link.name)
        .sort(),
    ).toEqual(["lo", "v0", "v1"]);
  });

  /** Asks for a list, but is no request: the kernel does not answer. */
  const unanswered = new NetlinkWriter(7);
  unanswered.message(18, NLM_F.dump, () => unanswered.raw(new Uint8Array(16)));
  const silence = unanswered.finish();
  /** "Operation not permitted", to number 7. */
  const forgery = `24000000020000000700000000000000ffffffff${"00".repeat(16)}`;

  test("gives up after a second without an answer", async () => {
    await expect(request(silence)).rejects.toMatchObject({ code: "ETIMEDOUT", operation: "netlink answer" });
  });

  test("believes nobody but the kernel, in answers and in notifications", async () => {
    const forger = space.startShim();
    const port = Number(await shim.call("shim", "netlinkPort", NETLINK_ROUTE));
    await shim.call("shim", "subscribe", NETLINK_ROUTE, [RTNLGRP.neighbour]);
    const outcome = request(silence).catch(({ code }) => code);
    let settled = false;
    outcome.then(() => {
      settled = true;
    });
    while (!settled) {
      expect(await forger.call("forge", NETLINK_ROUTE, { port, group: 0 }, forgery)).toBe(forgery.length / 2);
    }
    expect(await outcome).toBe("ETIMEDOUT");
    await forger.call("forge", NETLINK_ROUTE, { port: 0, group: RTNLGRP.neighbour }, forgery);
    expect(await shim.call("wait", 100)).toEqual([]);
    forger.kill();
  });

  for (const [what, hex] of [
    ["that is empty", ""],
    ["without its header", "1000000012000503"],
    ["longer than its bytes", `ff000000120005030700000000000000${"00".repeat(16)}`],
    ["of no length", "00000000120005030700000000000000"],
    ["of four gigabytes", "ffffffff120005030700000000000000"],
    ["that asks for no answer", `2000000012000100070000000000000000${"00".repeat(15)}`],
  ] as const) {
    test(`a request ${what} is refused`, async () => {
      const refused = expect(shim.call("netlink", NETLINK_ROUTE, hex, REPLY_BYTES)).rejects;
      await refused.toMatchObject({ code: "EINVAL", operation: "netlink request" });
    });
  }
});

describe("a subscription", () => {
  test("tells of carriers and addresses as they change", async () => {
    const links = await shim.call("shim", "subscribe", NETLINK_ROUTE, [RTNLGRP.link]);
    const told = await shim.call("shim", "subscribe", NETLINK_ROUTE, [RTNLGRP.ipv4_address]);
    space.run("ip", "link", "set", "v1", "down");
    const lost = await until(({ kind, source, hex }) => {
      if (kind !== "netlink" || source !== links) return false;
      return readLinks(readMessages(fromHex(hex))).some(({ link }) => link.name === "v0" && link.up && !link.carrier);
    });
    expect(lost.source).toBe(Number(links));
    space.run("ip", "addr", "add", "10.9.0.7/24", "dev", "v0");
    const added = await until(({ source }) => source === told);
    expect(readAddresses(readMessages(fromHex(added.hex))).map(({ address }) => address.bytes)).toEqual([
      Uint8Array.of(10, 9, 0, 7),
    ]);
  });

  test("that lost notifications says so by an empty record, and goes on", async () => {
    const told = await shim.call("shim", "subscribe", NETLINK_ROUTE, [RTNLGRP.ipv4_address]);
    const added = addresses(500);
    const removed = added.map((change) => ({ ...change, kind: "delete-address" }) as Change);
    // More than its socket holds, while nobody reads.
    for (let turn = 0; turn < 20; turn += 1) {
      await request(changesRequest(turn, turn % 2 === 0 ? added : removed));
    }
    await until(({ source, hex }) => source === told && hex === "");
    while ((await shim.call("wait", 0)).length > 0) {}
    space.run("ip", "addr", "add", "10.8.0.1/24", "dev", "v0");
    expect((await until(({ source }) => source === told)).hex).not.toBe("");
  });

  test("to what the kernel does not have is refused, and leaves nothing open", async () => {
    const before = await shim.call("descriptors");
    for (const [protocol, groups, code] of [
      [77, [1], "EPROTONOSUPPORT"],
      [-1, [1], "EPROTONOSUPPORT"],
      [NETLINK_ROUTE, [100_000], "EINVAL"],
    ] as const) {
      await expect(shim.call("shim", "subscribe", protocol, groups)).rejects.toMatchObject({
        code,
        operation: "subscribe to netlink",
      });
    }
    expect(await shim.call("descriptors")).toEqual(before);
  });
});

describe("a pipe", () => {
  test("is read to its end, which is told once and frees its place", async () => {
    for (let round = 0; round < 150; round += 1) {
      const [reader, writer] = await shim.call("pipe");
      await shim.call("shim", "watchInput", reader);
      await shim.call("writeFile", writer, "616263");
      await shim.call("closeFile", writer);
      expect((await shim.call("wait", 1000)).map(({ source, hex }) => [source, hex])).toEqual([[reader, "616263"]]);
      expect(await shim.call("wait", 1000)).toEqual([{ kind: "input", source: reader, hex: "" }]);
      await shim.call("closeFile", reader);
    }
    expect(await shim.call("wait", 0)).toEqual([]);
  });

  test("that is watched twice is read once", async () => {
    const [reader, writer] = await shim.call("pipe");
    await shim.call("shim", "watchInput", reader);
    await shim.call("shim", "watchInput", reader);
    await shim.call("writeFile", writer, "61");
    await shim.call("closeFile", writer);
    const woken = [
      ...(await shim.call("wait", 100)),
      ...(await shim.call("wait", 100)),
      ...(await shim.call("wait", 0)),
    ];
    expect(woken.map(({ hex }) => hex)).toEqual(["61", ""]);
  });

  test("takes what it has room for, and never blocks", async () => {
    const [reader, writer] = await shim.call("pipe");
    expect(await shim.call("write", writer, 100)).toBe(100);
    let written = 1;
    for (let turn = 0; turn < 1000 && written > 0; turn += 1) written = await shim.call("write", writer, 10_000);
    expect(written).toBe(0);
    await shim.call("readFile", reader, 1 << 16);
    expect(await shim.call("write", writer, 100)).toBe(100);
  });

  test("that nobody reads is an error, full or not", async () => {
    for (const bytes of [1, 1 << 16]) {
      const [reader, writer] = await shim.call("pipe");
      for (let left = bytes; left > 0; left -= await shim.call("write", writer, left)) {}
      await shim.call("closeFile", reader);
      await expect(shim.call("write", writer, 100)).rejects.toMatchObject({ code: "EPIPE", operation: "write" });
    }
  });
});

test("a signal wakes, whichever thread the kernel gives it to", async () => {
  await shim.call("shim", "watchSignals", ["SIGTERM", "SIGHUP", "SIGUSR1"]);
  await shim.call("kill", "SIGTERM");
  expect(await until(({ kind }) => kind === "signal")).toEqual({ kind: "signal", source: 15, hex: "" });
  shim.child.kill("SIGHUP");
  expect(await until(({ kind }) => kind === "signal")).toEqual({ kind: "signal", source: 1, hex: "" });
});

test("the clock is CLOCK_BOOTTIME and never goes back", async () => {
  const [before, boottime, after] = await shim.call("clocks");
  expect(before).toBeLessThanOrEqual(boottime);
  expect(boottime).toBeLessThanOrEqual(after);
});

describe("privileges", () => {
  /** In a user namespace of its own even root has none of these. */
  const in_first_namespace = readFileSync("/proc/self/uid_map", "utf8").trim().split(/\s+/)[2] === "4294967295";

  test("real-time priority for every thread, where allowed", async () => {
    const result = await shim.call("shim", "realtime", 40).then(
      () => "granted",
      ({ code, operation }) => `${operation}: ${code}`,
    );
    expect(result).toBe(in_first_namespace ? "granted" : "set real-time priority: EPERM");
    const threads = await shim.call("threads");
    expect(threads.length).toBeGreaterThan(1);
    if (in_first_namespace)
      expect(new Set(threads.map(({ policy, priority }) => `${policy} ${priority}`))).toEqual(
        new Set([`${SCHED_FIFO} 40`]),
      );
  });

  test("locked memory, where allowed", async () => {
    const locked = await shim.call("shim", "lockMemory").then(
      () => true,
      () => false,
    );
    expect(locked).toBe(in_first_namespace);
    if (in_first_namespace) expect(await shim.call("lockedKilobytes")).toBeGreaterThan(0);
  });

  test("are left for good: another user, no capability, no new privileges, and no program is run", async () => {
    const left = space.startShim();
    expect(await left.call("runs", "true")).toBe(true);
    expect(await left.call("shim", "leaveRights", 65_534)).toBe(mayBecome(65_534));
    const status = readFileSync(`/proc/${left.child.pid}/task/${left.child.pid}/status`, "utf8");
    if (mayBecome(65_534))
      for (const line of ["Uid:\t65534\t65534", "Gid:\t65534\t65534", "CapEff:\t0000000000000000\n"])
        expect(status).toContain(line);
    expect(status).toContain("NoNewPrivs:\t1\n");
    expect(await left.call("runs", "true")).toBe(false);
    // A second time there is nothing left to leave with.
    expect(await left.call("shim", "leaveRights", 65_533)).toBe(false);
    await expect(left.call("shim", "leaveRights", 0)).rejects.toMatchObject({ code: "EINVAL" });
    left.kill();
  });

  test("without them, each failure says what it was", async () => {
    const bounded = space.startShim([
      "prlimit",
      "--memlock=0",
      "--rtprio=0",
      "setpriv",
      "--bounding-set=-ipc_lock,-sys_nice",
    ]);
    const refusals = [
      { call: ["lockMemory"], error: { code: "EPERM", operation: "lock memory" } },
      { call: ["realtime", 40], error: { code: "EPERM", operation: "set real-time priority" } },
    ] as const;
    for (const {
      call: [name, ...values],
      error,
    } of refusals)
      await expect(bounded.call("shim", name, ...values)).rejects.toMatchObject(error);
    bounded.kill();
    const limited = space.startShim(["prlimit", "--memlock=65536", "setpriv", "--bounding-set=-ipc_lock"]);
    await expect(limited.call("shim", "lockMemory")).rejects.toMatchObject({
      code: "ENOMEM",
      operation: "lock memory",
    });
    limited.kill();
  });
});

describe("an interface", () => {
  test("has its driver, or none", async () => {
    expect(await shim.call("shim", "driver", "v0")).toBe("veth");
    expect(await shim.call("shim", "driver", "lo")).toBe("");
  });
  test("is wireless or not", async () => {
    expect(await shim.call("shim", "wireless", "v0")).toBe(false);
  });
});

describe("a watchdog", () => {
  test("that is none is left as it was", async () => {
    const directory = mkdtempSync(join(tmpdir(), "understudy-watchdog-"));
    const file = join(directory, "file");
    writeFileSync(file, "precious");
    space.run("mkfifo", join(directory, "fifo"));
    const before = await shim.call("descriptors");
    try {
      for (const [path, code] of [
        [join(directory, "missing"), "ENOENT"],
        [file, "ENOTTY"],
        ["/dev/null", "ENOTTY"],
        [join(directory, "fifo"), "ENXIO"],
        [directory, "EISDIR"],
        [`/${"x".repeat(200)}`, "ENAMETOOLONG"],
      ] as const) {
        await expect(shim.call("shim", "openWatchdog", path, 10)).rejects.toMatchObject({
          code,
          operation: "open watchdog",
        });
      }
      expect(readFileSync(file, "utf8")).toBe("precious");
      expect(await shim.call("descriptors")).toEqual(before);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
    expect(existsSync(directory)).toBe(false);
  });
});

describe("every failure names operation and errno", () => {
  const failures: { call: [string, ...unknown[]]; operation: string; code: string }[] = [
    { call: ["openCapture", "v9", {}], operation: "open capture on v9", code: "ENODEV" },
    { call: ["captureStatistics", 5], operation: "read capture statistics", code: "EBADF" },
    { call: ["close", 5], operation: "close handle", code: "EBADF" },
    { call: ["close", -1], operation: "close handle", code: "EBADF" },
    { call: ["close", 4_294_967_296], operation: "close handle", code: "EBADF" },
    { call: ["send", {}, 0], operation: "send frames", code: "EINVAL" },
    { call: ["wait", {}, 0], operation: "wait", code: "EINVAL" },
    { call: ["subscribe", 99, [1]], operation: "subscribe to netlink", code: "EPROTONOSUPPORT" },
    { call: ["netlink", 0, {}, {}], operation: "netlink request", code: "EINVAL" },
    { call: ["netlinkPort", 99], operation: "netlink port", code: "EPROTONOSUPPORT" },
    { call: ["newNetlinkSocket", 99], operation: "open netlink", code: "EPROTONOSUPPORT" },
    { call: ["adoptNetlinkSocket", 12, 999], operation: "adopt netlink", code: "EBADF" },
    { call: ["watchInput", 999], operation: "watch input", code: "EBADF" },
    { call: ["watchInput", -1], operation: "watch input", code: "EBADF" },
    { call: ["watchSignals", ["SIGKILL"]], operation: "watch signals", code: "EINVAL" },
    { call: ["write", 1, {}], operation: "write", code: "EINVAL" },
    { call: ["notify", "", {}], operation: "notify", code: "EINVAL" },
    { call: ["notify", "/nowhere", {}], operation: "notify", code: "EINVAL" },
    { call: ["driver", "v9"], operation: "read driver", code: "ENODEV" },
    { call: ["driver", `v0${"x".repeat(30)}`], operation: "read driver", code: "ENODEV" },
    { call: ["wireless", "v9"], operation: "look for wireless", code: "ENODEV" },
    { call: ["realtime", 4000], operation: "set real-time priority", code: "EINVAL" },
    { call: ["openWatchdog", "/nowhere", 10], operation: "open watchdog", code: "ENOENT" },
    { call: ["petWatchdog", 5], operation: "pet watchdog", code: "EBADF" },
    { call: ["disarmWatchdog", 5], operation: "disarm watchdog", code: "EBADF" },
  ];
  for (const { call, operation, code } of failures) {
    test(call.map((value) => JSON.stringify(value)).join(" "), async () => {
      await expect(shim.call("shim", ...call)).rejects.toMatchObject({ operation, code });
    });
  }

  test("and a write to what is no file", async () => {
    for (const fd of [-1, 999])
      await expect(shim.call("write", fd, 1)).rejects.toMatchObject({ operation: "write", code: "EBADF" });
  });
});
