import { expect, test } from "bun:test";
import { type Fact, GRUDGE_MS, type Situation, Supervisor } from "./supervisor.ts";
import type { ServiceDefinition, ServiceName, ServiceRole } from "./table.ts";

const usual = {
  start_ms_max: 1000,
  stop_ms_max: 500,
  restart_ms_min: 100,
  restart_ms_max: 2000,
  failures_max: 3,
  window_ms: 60_000,
  stable_ms: 5000,
};
const service = (name: string, place: number, runs: ServiceRole[] = ["active", "backup"]): ServiceDefinition => ({
  ...usual,
  name: name as ServiceName,
  title: name.toUpperCase(),
  place,
  runs,
});

/** A supervisor with a clock, whose processes do as the test says. */
class World {
  readonly supervisor: Supervisor;
  now_ms = 1000;
  readonly situation: Situation = { role: null, marks: {} };
  done: string[] = [];
  told: string[] = [];

  constructor(...services: ServiceDefinition[]) {
    this.supervisor = new Supervisor(services);
    for (const { name } of services) this.situation.marks[name] = { mark: "1" };
  }

  step(...facts: Fact[]): string[] {
    const { actions, notices } = this.supervisor.step(this.now_ms, this.situation, facts);
    this.done = actions.map(({ type, name }) => `${type} ${name}`);
    this.told.push(...notices.map(({ code }) => code));
    return this.done;
  }

  /** Turns of 50 ms until something is done, or the time is over. */
  wait(ms: number): string[] {
    for (let waited_ms = 0; waited_ms < ms; waited_ms += 50) {
      this.now_ms += 50;
      if (this.step().length > 0) return this.done;
    }
    return [];
  }

  healthy = (name: string) => this.step({ type: "healthy", name: name as ServiceName });
  ended = (name: string) => this.step({ type: "ended", name: name as ServiceName, why: "ended with status 1" });
  state = (name: string) => this.supervisor.reports().find((report) => report.name === name);
  unfit = (name: string) => this.supervisor.unfit([name as ServiceName]);

  become(role: Situation["role"]): string[] {
    this.situation.role = role;
    return this.step();
  }
}

test("services start in order, each once those before it are healthy, and end in the opposite order", () => {
  const world = new World(service("b", 2), service("a", 1), service("c", 3));
  expect(world.step()).toEqual([]);
  expect(world.become("active")).toEqual(["start a"]);
  expect(world.wait(500)).toEqual([]);
  expect(world.healthy("a")).toEqual(["start b"]);
  expect(world.healthy("b")).toEqual(["start c"]);
  world.healthy("c");
  expect(world.become("none")).toEqual(["terminate c"]);
  expect(world.supervisor.all_ended).toBe(false);
  expect(world.ended("c")).toEqual(["terminate b"]);
  expect(world.ended("b")).toEqual(["terminate a"]);
  world.ended("a");
  expect(world.supervisor.all_ended).toBe(true);
  expect(world.told).toEqual([]);
});

test("a service runs in its roles alone, and a role on the way to another one changes nothing", () => {
  const world = new World(service("dhcp", 1, ["active", "standalone"]));
  expect(world.become("backup")).toEqual([]);
  expect(world.become("active")).toEqual(["start dhcp"]);
  world.healthy("dhcp");
  expect(world.become(null)).toEqual([]);
  expect(world.become("standalone")).toEqual([]);
  expect(world.become("backup")).toEqual(["terminate dhcp"]);
  // Wanted again before it has ended.
  expect(world.become("active")).toEqual([]);
  expect(world.ended("dhcp")).toEqual(["start dhcp"]);
  expect(world.told).toEqual([]);
});

test("one that does not end is killed", () => {
  const world = new World(service("a", 1));
  world.become("active");
  world.healthy("a");
  world.become("none");
  expect(world.wait(450)).toEqual([]);
  expect(world.wait(100)).toEqual(["kill a"]);
});

test("one that does not get ready, or is sick, is ended and started again", () => {
  const world = new World(service("a", 1));
  world.become("active");
  expect(world.wait(1100)).toEqual(["terminate a"]);
  world.ended("a");
  expect(world.wait(200)).toEqual(["start a"]);
  world.healthy("a");
  expect(world.step({ type: "sick", name: "a" as ServiceName, why: "does not answer" })).toEqual(["terminate a"]);
  expect(world.state("a")?.trouble).toBe("A does not answer.");
});

test("the wait doubles, and one that fails again and again will not run, is still tried, and is told once", () => {
  const world = new World(service("a", 1));
  world.become("active");
  const waits_ms: number[] = [];
  for (let turn = 0; turn < 6; turn++) {
    world.ended("a");
    const from_ms = world.now_ms;
    expect(world.wait(5000)).toEqual(["start a"]);
    waits_ms.push(world.now_ms - from_ms);
  }
  expect(waits_ms).toEqual([100, 200, 400, 2000, 2000, 2000]);
  expect(world.told).toEqual(["service-ended", "service-ended", "service-failed"]);
  expect(world.unfit("a")).toBe('the service "A" will not run');
  expect(world.unfit("other")).toBeNull();
  world.healthy("a");
  world.wait(6000);
  expect(world.told.at(-1)).toBe("service-recovered");
  expect(world.unfit("a")).toBeNull();
  expect(world.state("a")?.trouble).toBeNull();
});

test("one that flaps, healthy for a moment each time, will not run either", () => {
  const world = new World(service("a", 1));
  world.become("active");
  for (let turn = 0; turn < 3; turn++) {
    world.healthy("a");
    world.wait(1000);
    world.ended("a");
    world.wait(2500);
  }
  expect(world.state("a")?.failing).toBe(true);
});

test("a failure now and then is no failing", () => {
  const world = new World(service("a", 1));
  world.become("active");
  for (let turn = 0; turn < 10; turn++) {
    world.healthy("a");
    world.wait(6000);
    world.ended("a");
    world.wait(2500);
  }
  expect(world.state("a")?.failing).toBe(false);
});

test("a failing service keeps nobody waiting, nor does a missing one", () => {
  const world = new World(service("a", 1), service("b", 2), service("c", 3));
  world.situation.marks["b" as ServiceName] = { missing: "B is not installed." };
  expect(world.become("active")).toEqual(["start a"]);
  expect(world.ended("a")).toEqual(["start c"]);
  expect(world.state("b")).toMatchObject({ state: "missing", trouble: "B is not installed." });
});

test("another mark starts it anew, at once and without blame; one that was failing gets another chance", () => {
  const world = new World(service("a", 1));
  world.become("active");
  world.healthy("a");
  world.situation.marks["a" as ServiceName] = { mark: "2" };
  expect(world.step()).toEqual(["terminate a"]);
  expect(world.ended("a")).toEqual(["start a"]);
  for (let turn = 0; turn < 3; turn++) {
    world.ended("a");
    world.wait(2500);
  }
  expect(world.unfit("a")).not.toBeNull();
  world.situation.marks["a" as ServiceName] = { mark: "3" };
  world.step();
  expect(world.unfit("a")).toBeNull();
});

test("what would not run before the node lost the role is held against it for a while, and no longer", () => {
  const world = new World(service("dhcp", 1, ["active"]));
  world.become("active");
  for (let turn = 0; turn < 3; turn++) {
    world.ended("dhcp");
    if (turn < 2) world.wait(2500);
  }
  world.become("backup");
  expect(world.wait(GRUDGE_MS - 1000)).toEqual([]);
  expect(world.unfit("dhcp")).not.toBeNull();
  world.wait(2000);
  expect(world.unfit("dhcp")).toBeNull();
});

test("nothing to do for it, and it ends", () => {
  const world = new World(service("a", 1));
  world.become("backup");
  world.healthy("a");
  delete world.situation.marks["a" as ServiceName];
  expect(world.step()).toEqual(["terminate a"]);
  world.ended("a");
  expect(world.state("a")).toMatchObject({ wanted: false, state: "off", trouble: null });
});
