/** Captures, injection and waiting on a real kernel, in a namespace of their own. Needs root (or a user namespace). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type Agent, cable, mayMakeTunnels, Namespace } from "../test/kernel/namespaces.ts";
import type { ShimOperations, Woken } from "../test/kernel/shim-agent.ts";

const OPTIONS = { filter: "", snap_bytes: 2048, buffer_bytes: 1 << 21, promiscuous: false };
const HEARTBEATS = { ...OPTIONS, filter: "ether proto 0x88b5" };
/** Turns of at most 100 ms that a test waits for what must come. */
const TURNS_MAX = 100;
const FRAMES_PER_CALL = 64;

/** A broadcast frame of our EtherType with a number in it, and as long as asked. */
const frame = (number: number, length = 60, ether_type = "88b5"): string =>
  `ffffffffffff020000000009${ether_type}${number.toString(16).padStart(8, "0")}`.padEnd(2 * length, "0");

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
  space.run("sh", "-c", "ip link del v0 2>/dev/null; ip link del v2 2>/dev/null; true");
});

const open = async (nic: string, options = HEARTBEATS): Promise<number> =>
  (await shim.call("shim", "openCapture", nic, options)) as number;
const refusal = async (nic: string, options: object = HEARTBEATS, by = shim) =>
  await by.call("shim", "openCapture", nic, options).then(
    () => "opened",
    ({ code, operation }) => `${operation}: ${code}`,
  );

/** Waits until `enough` says so of all that has come so far. */
async function gather(enough: (woken: Woken[]) => boolean, size = 1 << 20): Promise<Woken[]> {
  const woken: Woken[] = [];
  for (let turn = 0; turn < TURNS_MAX && !enough(woken); turn += 1) woken.push(...(await shim.call("wait", 100, size)));
  if (!enough(woken)) throw new Error(`only these came: ${JSON.stringify(woken.slice(-5))}`);
  return woken;
}

describe("a capture", () => {
  test("takes what its filter lets through, and nothing that this host sends", async () => {
    const [v0, v1] = [await open("v0"), await open("v1")];
    await shim.call("send", [
      { capture: v0, hex: frame(1, 60, "0800") },
      { capture: v0, hex: frame(2) },
    ]);
    expect(await gather((woken) => woken.length > 0)).toEqual([{ kind: "frame", source: v1, hex: frame(2) }]);
    expect(await shim.call("wait", 0)).toEqual([]);
  });

  test("keeps as much of a frame as was asked for", async () => {
    const v0 = await open("v0");
    await open("v1", { ...HEARTBEATS, snap_bytes: 40 });
    await shim.call("send", [{ capture: v0, hex: frame(3, 1000) }]);
    const [record] = await gather((woken) => woken.length > 0);
    expect(record?.hex).toBe(frame(3, 1000).slice(0, 80));
  });

  test("counts what it received", async () => {
    const [v0, v1] = [await open("v0"), await open("v1")];
    await shim.call(
      "send",
      Array.from({ length: 5 }, (_, number) => ({ capture: v0, hex: frame(number) })),
    );
    await gather((woken) => woken.length === 5);
    expect(await shim.call("shim", "captureStatistics", v1)).toEqual({ received: 5, dropped: 0 });
  });

  test("drops and counts what its buffer cannot hold", async () => {
    const [v0, v1] = [await open("v0"), await open("v1", { ...HEARTBEATS, buffer_bytes: 1 << 16 })];
    await shim.call(
      "send",
      Array.from({ length: 500 }, (_, number) => ({ capture: v0, hex: frame(number) })),
    );
    const { dropped } = (await shim.call("shim", "captureStatistics", v1)) as { dropped: number };
    expect(dropped).toBeGreaterThan(0);
  });

  test("on an interface that goes down lives on, and hears again when it is up", async () => {
    const [v0, v1] = [await open("v0"), await open("v1")];
    space.run("ip", "link", "set", "v1", "down");
    expect(await shim.call("wait", 50)).toEqual([]);
    space.run("ip", "link", "set", "v1", "up");
    const heard = async (): Promise<boolean> => {
      await shim.call("send", [{ capture: v0, hex: frame(5) }]);
      return (await shim.call("wait", 100)).some(({ source }) => source === v1);
    };
    let again = false;
    for (let turn = 0; turn < TURNS_MAX && !again; turn += 1) again = await heard();
    expect(again).toBe(true);
  });

  test("whose interface vanished says so, even where another took its name at once", async () => {
    await open("v0");
    const v1 = await open("v1");
    space.run("sh", "-c", "ip link del v0 && ip link add v0 type veth peer name v1 && ip link set v1 up");
    const woken = await gather((records) => records.some(({ kind, source }) => kind === "failed" && source === v1));
    expect(woken.filter(({ source }) => source === v1)).toEqual([
      { kind: "failed", source: v1, hex: "13000000" }, // ENODEV
    ]);
    expect(await shim.call("wait", 0)).toEqual([]);
    expect((await shim.call("send", [{ capture: v1, hex: frame(6) }])).failures).toBe(1);
  });

  test("whose interface went down before it vanished says so too", async () => {
    const v1 = await open("v1");
    space.run("ip", "link", "set", "v1", "down");
    expect(await shim.call("wait", 50)).toEqual([]);
    space.run("sh", "-c", "ip link del v0 && ip link add v0 type veth peer name v1 && ip link set v1 up");
    const woken = await gather((records) => records.length > 0);
    expect(woken).toEqual([{ kind: "failed", source: v1, hex: "13000000" }]);
  });

  test("is not confused with a later one in its place", async () => {
    const first = await open("v0");
    await shim.call("shim", "close", first);
    const second = await open("v1");
    expect(second).not.toBe(first);
    expect(await shim.call("send", [{ capture: first, hex: frame(7) }])).toEqual({ failures: 1, statuses: [9] });
    await expect(shim.call("shim", "close", first)).rejects.toMatchObject({ code: "EBADF", operation: "close handle" });
    await shim.call("shim", "close", second);
  });

  test("is closed with all it had open, and no child inherits it", async () => {
    const before = await shim.call("descriptors");
    const v0 = await open("v0");
    const during = await shim.call("descriptors");
    expect(during.length).toBeGreaterThan(before.length);
    expect(during.filter(({ closes_on_exec }) => !closes_on_exec)).toEqual([]);
    await shim.call("shim", "close", v0);
    expect(await shim.call("descriptors")).toEqual(before);
  });

  describe("is refused", () => {
    const refusals: { what: string; nic: string; options?: object; error: string }[] = [
      { what: "on an interface that is not there", nic: "v9", error: "open capture on v9: ENODEV" },
      { what: "on a name that only begins like one", nic: `v0${"x".repeat(40)}`, error: "open capture: ENODEV" },
      { what: "on no name", nic: "", error: "open capture: ENODEV" },
      { what: "on all interfaces at once", nic: "any", error: "open capture on any: ENODEV" },
      { what: "on one that is down", nic: "v2", error: "open capture on v2: ENETDOWN" },
      {
        what: "with a filter that is none",
        nic: "v0",
        options: { ...OPTIONS, filter: "port blue" },
        error: "compile capture filter: EINVAL",
      },
      {
        what: "with a filter too long to be read whole",
        nic: "v0",
        options: { ...OPTIONS, filter: `arp${" or arp".repeat(300)}` },
        error: "compile capture filter: E2BIG",
      },
      { what: "without options", nic: "v0", options: [], error: "open capture on v0: EINVAL" },
      {
        what: "with nothing to keep of a frame",
        nic: "v0",
        options: { ...OPTIONS, snap_bytes: 0 },
        error: "open capture on v0: EINVAL",
      },
      {
        what: "with frames longer than any",
        nic: "v0",
        options: { ...OPTIONS, snap_bytes: 1 << 20 },
        error: "open capture on v0: EINVAL",
      },
      {
        what: "without a buffer",
        nic: "v0",
        options: { ...OPTIONS, buffer_bytes: -1 },
        error: "open capture on v0: EINVAL",
      },
    ];
    for (const { what, nic, options, error } of refusals) {
      test(what, async () => {
        space.run("ip", "link", "add", "v2", "type", "veth", "peer", "name", "v3");
        const before = await shim.call("descriptors");
        expect(await refusal(nic, options)).toBe(error);
        expect(await shim.call("descriptors")).toEqual(before);
      });
    }

    if (mayMakeTunnels()) {
      test("on an interface without Ethernet", async () => {
        space.run("ip", "tuntap", "add", "tun0", "mode", "tun");
        space.run("ip", "link", "set", "tun0", "up");
        const before = await shim.call("descriptors");
        expect(await refusal("tun0")).toBe("open capture on tun0: EMEDIUMTYPE");
        expect(await shim.call("descriptors")).toEqual(before);
        space.run("ip", "link", "del", "tun0");
      });
    }

    test("without the permission", async () => {
      const bounded = space.startShim(["setpriv", "--bounding-set=-net_raw"]);
      expect(await refusal("v0", HEARTBEATS, bounded)).toBe("open capture on v0: EPERM");
      bounded.kill();
    });

    test("when there are 128 handles already", async () => {
      const group = [1];
      const handles: unknown[] = [];
      for (let i = 0; i < 128; i += 1) handles.push(await shim.call("shim", "subscribe", 0, group));
      expect(new Set(handles).size).toBe(128);
      const before = await shim.call("descriptors");
      expect(await refusal("v0")).toBe("open capture on v0: EMFILE");
      await expect(shim.call("shim", "subscribe", 0, group)).rejects.toMatchObject({ code: "EMFILE" });
      expect(await shim.call("descriptors")).toEqual(before);
      await shim.call("shim", "close", handles[77]);
      expect(await refusal("v0")).toBe("opened");
    });
  });
});

describe("sending", () => {
  test("takes many frames in one call, in order, and says of each how it went", async () => {
    const [v0, v1] = [await open("v0"), await open("v1", { ...HEARTBEATS, buffer_bytes: 1 << 22 })];
    const entries = Array.from({ length: 200 }, (_, number) => ({ capture: v0, hex: frame(number, 60 + number) }));
    entries.splice(
      50,
      0,
      { capture: 999_999, hex: frame(0) },
      { capture: v0, hex: frame(0, 4000) },
      { capture: v0, hex: "ff" },
    );
    const { failures, statuses } = await shim.call("send", entries);
    expect(failures).toBe(3);
    expect(statuses.slice(50, 53)).toEqual([9, 90, 22]); // EBADF, EMSGSIZE, EINVAL
    expect(statuses.filter((status) => status !== 0).length).toBe(3);
    const woken = await gather((records) => records.filter(({ source }) => source === v1).length >= 200);
    expect(woken.map(({ hex }) => hex)).toEqual(Array.from({ length: 200 }, (_, number) => frame(number, 60 + number)));
  });

  test("on a link that is down is a status, not an exception", async () => {
    const v0 = await open("v0");
    space.run("ip", "link", "set", "v0", "down");
    const ENETDOWN = 100;
    expect(await shim.call("send", [{ capture: v0, hex: frame(1) }])).toEqual({ failures: 1, statuses: [ENETDOWN] });
  });

  for (const [what, hex, length, code] of [
    ["longer than its buffer", "00".repeat(16), 17, "EINVAL"],
    ["of negative length", "00".repeat(16), -1, "EINVAL"],
    ["with a frame that reaches past its end", `0000000011000000${"00".repeat(24)}`, 32, "EMSGSIZE"],
    ["with a frame of four gigabytes", `00000000ffffffff${"00".repeat(24)}`, 32, "EMSGSIZE"],
  ] as const) {
    test(`a batch ${what} is refused`, async () => {
      await expect(shim.call("sendRaw", hex, length)).rejects.toMatchObject({ code, operation: "send frames" });
    });
  }
});

describe("waiting", () => {
  test("ends after its time without anything", async () => {
    const before = (await shim.call("shim", "now")) as number;
    expect(await shim.call("wait", 30)).toEqual([]);
    expect((await shim.call("shim", "now")) as number).toBeGreaterThanOrEqual(before + 30);
  });

  test("takes at most 64 frames of a capture a call, and of every other source meanwhile", async () => {
    cable(space, "v2", space, "v3");
    const [v0, v1, v2, v3] = [await open("v0"), await open("v1"), await open("v2"), await open("v3")];
    const [reader, writer] = await shim.call("pipe");
    await shim.call("shim", "watchInput", reader);
    await shim.call("writeFile", writer, "0102");
    await shim.call("send", [
      ...Array.from({ length: 100 }, (_, number) => ({ capture: v0, hex: frame(number) })),
      { capture: v2, hex: frame(777) },
    ]);
    const woken = await shim.call("wait", 1000);
    expect(woken.filter(({ source }) => source === v1).length).toBe(FRAMES_PER_CALL);
    expect(woken.filter(({ source }) => source === v3).map(({ hex }) => hex)).toEqual([frame(777)]);
    expect(woken.filter(({ kind }) => kind === "input")).toEqual([{ kind: "input", source: reader, hex: "0102" }]);
    expect((await shim.call("wait", 1000)).length).toBe(100 - FRAMES_PER_CALL);
  });

  test("with a small buffer loses no frame, and starves no source", async () => {
    cable(space, "v2", space, "v3");
    const short = { ...HEARTBEATS, snap_bytes: 128 };
    const [v0, v1, v2, v3] = [await open("v0"), await open("v1", short), await open("v2"), await open("v3", short)];
    await shim.call("send", [
      ...Array.from({ length: 60 }, (_, number) => ({ capture: v0, hex: frame(number) })),
      { capture: v2, hex: frame(777) },
    ]);
    // Room for two frames in each call, and four sources to begin with.
    const first: Woken[] = [];
    for (let call = 0; call < 4; call += 1) first.push(...(await shim.call("wait", 1000, 300)));
    expect(first.filter(({ source }) => source === v3).map(({ hex }) => hex)).toEqual([frame(777)]);
    const rest = await gather((woken) => first.length + woken.length > 60, 300);
    const flood = [...first, ...rest].filter(({ source }) => source === v1);
    expect(flood.map(({ hex }) => hex)).toEqual(Array.from({ length: 60 }, (_, number) => frame(number)));
  });

  test("with a buffer that no frame fits in is refused, where it would spin for ever", async () => {
    const v0 = await open("v0");
    await open("v1");
    await shim.call("send", [{ capture: v0, hex: frame(1) }]);
    await expect(shim.call("wait", 1000, 1024)).rejects.toMatchObject({ code: "ENOBUFS", operation: "wait" });
    await shim.call("wait", 1000);
    expect(await shim.call("wait", 0)).toEqual([]);
  });

  test("refuses a time that is no number", async () => {
    await expect(shim.call("shim", "wait", {}, 0)).rejects.toMatchObject({ code: "EINVAL", operation: "wait" });
    await expect(shim.call("wait", Number.NaN)).rejects.toMatchObject({ code: "EINVAL", operation: "wait" });
  });
});
