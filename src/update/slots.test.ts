/** Slots: which one is started, how one is filled, and that power may go after every single operation. */
import { describe, expect, test } from "bun:test";
import { makeBundle } from "../../test/update/bundle.ts";
import { fakeImage } from "../../test/update/image.ts";
import { MemoryBoot, PowerCut } from "../../test/update/memory-boot.ts";
import { CHUNK_BYTES, type Manifest, readHeader } from "./bundle.ts";
import { isOnTrial, isRefused, isUsedUp, parseName, SlotStore, startedNext } from "./slots.ts";

const OLD = fakeImage(10);
const NEW = fakeImage(11);
const manifest = readHeader(makeBundle(NEW))?.manifest as Manifest;

async function* chunks(image = NEW) {
  for (let at = 0; at < image.length; at += CHUNK_BYTES) yield image.subarray(at, at + CHUNK_BYTES);
}

function disk(files: Record<string, Buffer>): MemoryBoot {
  const boot = new MemoryBoot();
  for (const [name, bytes] of Object.entries(files)) boot.put(name, bytes);
  return boot;
}

const store = (boot: MemoryBoot, build = 10, selected: string | null = null) =>
  new SlotStore(boot, { build, selected });

test("names", () => {
  expect(parseName("understudy-a.efi")).toEqual({ letter: "a", name: "understudy-a.efi", tries: null });
  expect(parseName("understudy-b+2-1.efi")?.tries).toEqual({ left: 2, done: 1 });
  expect(parseName("UNDERSTUDY-B+3.EFI")).toMatchObject({ letter: "b", tries: { left: 3, done: 0 } });
  for (const name of ["understudy-c.efi", "understudy-a.new", "understudy-a.efi.bak", "understudy-a+.efi", "linux.efi"])
    expect(parseName(name)).toBe(null);
});

describe("systemd-boot starts", () => {
  for (const [what, files, started] of [
    ["the newer of two", { "understudy-a.efi": OLD, "understudy-b.efi": NEW }, "understudy-b.efi"],
    ["a newer one on trial", { "understudy-a.efi": OLD, "understudy-b+3.efi": NEW }, "understudy-b+3.efi"],
    [
      "the older, where the newer has no try left",
      { "understudy-a.efi": OLD, "understudy-b+0-3.efi": NEW },
      "understudy-a.efi",
    ],
    [
      "the older, where the newer was refused",
      { "understudy-a.efi": OLD, "understudy-b+0.efi": NEW },
      "understudy-a.efi",
    ],
    ["the newer of two bad ones", { "understudy-a+0.efi": OLD, "understudy-b+0-3.efi": NEW }, "understudy-b+0-3.efi"],
    [
      "the higher build by number, not by text",
      { "understudy-a.efi": fakeImage(9), "understudy-b.efi": OLD },
      "understudy-b.efi",
    ],
  ] as const)
    test(what, () => expect(startedNext(disk(files).slots())?.name).toBe(started));
});

describe("the running slot", () => {
  const files = { "understudy-a.efi": OLD, "understudy-b+2-1.efi": NEW };
  test("is the one that the loader names", async () => {
    const { running, other } = await store(disk(files), 10, "understudy-b+3.efi").look();
    expect([running.name, other?.name]).toEqual(["understudy-b+2-1.efi", "understudy-a.efi"]);
  });
  test("or that of the build that runs", async () => {
    expect((await store(disk(files), 11).look()).running.name).toBe("understudy-b+2-1.efi");
    expect((await store(disk(files), 10, "debian.conf").look()).running.name).toBe("understudy-a.efi");
  });
  test("or there is none, in one sentence", async () => {
    await expect(store(disk(files), 99).look()).rejects.toMatchObject({ code: "no-slots" });
  });
});

test("an update fills the other slot, is started on trial, and blessed", async () => {
  const boot = disk({ "understudy-a.efi": OLD, "understudy-b.efi": fakeImage(9) });
  await store(boot).write(manifest, chunks());
  expect(boot.names().sort()).toEqual(["understudy-a.efi", "understudy-b+3.efi"]);
  expect(boot.image("understudy-b+3.efi").equals(NEW)).toBe(true);
  expect(boot.start()?.name).toBe("understudy-b+2-1.efi");
  const { running } = await store(boot, 11).look();
  expect([isOnTrial(running), isUsedUp(running), isRefused(running)]).toEqual([true, false, false]);
  await store(boot, 11).bless();
  expect(boot.names().sort()).toEqual(["understudy-a.efi", "understudy-b.efi"]);
  expect(boot.start()?.release?.build).toBe(11);
});

test("three starts that nobody blessed, and the old one is back", async () => {
  const boot = disk({ "understudy-a.efi": OLD });
  await store(boot).write(manifest, chunks());
  expect([1, 2, 3, 4].map(() => boot.start()?.release?.build)).toEqual([11, 11, 11, 10]);
  const { running, other } = await store(boot).look();
  expect([running.release?.build, other !== null && isUsedUp(other)]).toEqual([10, true]);
});

test("back to the previous version, and forward again", async () => {
  const boot = disk({ "understudy-a.efi": OLD, "understudy-b.efi": NEW });
  expect((await store(boot, 11).preferOther()).build).toBe(10);
  expect(boot.names().sort()).toEqual(["understudy-a.efi", "understudy-b+0.efi"]);
  expect(boot.start()?.release?.build).toBe(10);
  await store(boot, 10).preferOther();
  expect(boot.start()?.name).toBe("understudy-b+2-1.efi");
});

test("back from a version on trial, to one that was refused before", async () => {
  const boot = disk({ "understudy-a+0.efi": OLD, "understudy-b+2-1.efi": NEW });
  await store(boot, 11).preferOther();
  expect(boot.start()?.release?.build).toBe(10);
});

test("nothing to go back to is one sentence", async () => {
  const boot = disk({ "understudy-a.efi": OLD });
  await expect(store(boot).preferOther()).rejects.toMatchObject({ code: "no-previous" });
});

test("no room is noticed before the old slot is touched", async () => {
  const boot = disk({ "understudy-a.efi": OLD, "understudy-b.efi": fakeImage(9) });
  boot.capacity = 7 << 20;
  const big = { ...manifest, size_bytes: 4 << 20 };
  await expect(store(boot).write(big, chunks())).rejects.toMatchObject({ code: "no-room-slot" });
  expect(boot.names().sort()).toEqual(["understudy-a.efi", "understudy-b.efi"]);
});

test("what reads back differently is not started", async () => {
  const boot = disk({ "understudy-a.efi": OLD });
  boot.damages = true;
  await expect(store(boot).write(manifest, chunks())).rejects.toMatchObject({ code: "slot-damaged" });
  expect(boot.names()).toEqual(["understudy-a.efi"]);
});

/** Every operation of `work` once as the last one before power goes, with and without what was not synchronised. */
async function cutEverywhere(
  files: Record<string, Buffer>,
  work: (boot: MemoryBoot) => Promise<unknown>,
  look: (boot: MemoryBoot) => Promise<void>,
): Promise<number> {
  for (let cut = 0; ; cut++) {
    let ended = true;
    for (const kept of [false, true]) {
      const boot = disk(files);
      boot.power_ends_after = cut;
      ended = await work(boot).then(
        () => true,
        (error: unknown) => {
          if (error instanceof PowerCut) return false;
          throw error;
        },
      );
      boot.reboot(kept);
      await look(boot);
    }
    if (ended) return cut;
  }
}

describe("power goes after any operation, and one whole system is started", () => {
  const whole = (boot: MemoryBoot, builds: number[]) => {
    for (const { name, release } of boot.slots()) {
      const image = release?.build === 10 ? OLD : release?.build === 11 ? NEW : fakeImage(release?.build ?? 0);
      expect(boot.image(name).equals(image)).toBe(true);
    }
    const started = boot.start();
    expect(builds).toContain(started?.release?.build ?? -1);
    return started?.release?.build ?? -1;
  };

  test("while a slot is filled; the next start cleans up", async () => {
    const files = { "understudy-a.efi": OLD, "understudy-b.efi": fakeImage(9) };
    const cuts = await cutEverywhere(
      files,
      (boot) => store(boot).write(manifest, chunks()),
      async (boot) => {
        const build = whole(boot, [10, 11]);
        await store(boot, build).cleanUp();
        expect(boot.names().filter((name) => !/\.efi$/.test(name))).toEqual([]);
        // And what was begun can be begun again.
        if (build === 10) await store(boot).write(manifest, chunks());
        expect(
          boot
            .slots()
            .map(({ release }) => release?.build)
            .sort(),
        ).toEqual([10, 11]);
      },
    );
    expect(cuts).toBeGreaterThan(8);
  });

  test("while a slot is blessed", async () => {
    await cutEverywhere(
      { "understudy-a.efi": OLD, "understudy-b+2-1.efi": NEW },
      (boot) => store(boot, 11).bless(),
      async (boot) => void whole(boot, [11]),
    );
  });

  test("while the previous version is restored, also from a last try to one that was refused", async () => {
    await cutEverywhere(
      { "understudy-a+0.efi": OLD, "understudy-b+0-3.efi": NEW },
      (boot) => store(boot, 11).preferOther(),
      async (boot) => void whole(boot, [10, 11]),
    );
  });
});
