/**
 * Scenarios as text: commands, a line of dashes, and what they must print. `UPDATE_SCRIPTS=1`
 * rewrites what is expected; read the difference before you commit it.
 */
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type NodeName, World } from "./world.ts";

const BOTH: NodeName[] = ["a", "b"];

function execute(world: World, command: string): void {
  const [verb = "", ...words] = command.split(" ");
  const last = words.at(-1) ?? "";
  const node = (last === "b" ? "b" : "a") as NodeName;
  const nodes: NodeName[] = last === "a" || last === "b" ? [last] : BOTH;
  const actions: Record<string, () => void> = {
    start: () =>
      world.start(words[0] === "b" ? "b" : "a", { bootstrap: last === "bootstrap", departed: last === "departed" }),
    restart: () => world.start(node),
    stay: () => {
      world.tuning.on_link_loss = "stay";
    },
    run: () => world.run(Number.parseFloat(last) * (last.endsWith("ms") ? 1 : 1000)),
    freeze: () => world.suspend(node, "frozen"),
    hang: () => world.suspend(node, "hung"),
    thaw: () => world.resume(node),
    kill: () => world.kill(node),
    cut: () => world.link(words[0] ?? "", nodes, false),
    mend: () => world.link(words[0] ?? "", nodes, true),
    block: () => {
      world.blocked = true;
    },
    unblock: () => {
      world.blocked = false;
    },
    switch: () => world.ask(node, "switch"),
    take: () => world.ask(node, "take-over"),
    depart: () => world.depart(node),
    maintain: () => world.maintain(node, true),
    finish: () => world.maintain(node, false),
    stop: () => world.ask(node, "stop"),
    impair: () => world.input(node, { type: "impaired", impaired: true }),
    recover: () => world.input(node, { type: "impaired", impaired: false }),
    breakgate: () => world.input(node, { type: "gate", broken: true }),
    mendgate: () => world.input(node, { type: "gate", broken: false }),
    status: () => world.status(),
  };
  const action = actions[verb];
  if (action === undefined) throw new Error(`unknown command: ${command}`);
  action();
}

/** The script with the output that the world gives to its commands. */
function play(script: string): string {
  const world = new World();
  const blocks = script.trim().split(/\n\n+/);
  const played = blocks.map((block) => {
    if (block.split("\n").every((line) => line.startsWith("#"))) return block;
    const commands = (block.split("\n----")[0] ?? "").split("\n");
    for (const command of commands) if (!command.startsWith("#")) execute(world, command);
    return [...commands, "----", ...world.take()].join("\n");
  });
  return `${played.join("\n\n")}\n`;
}

for (const name of [...new Bun.Glob("*.txt").scanSync(import.meta.dir)].sort()) {
  test(name, () => {
    const path = join(import.meta.dir, name);
    const script = readFileSync(path, "utf8");
    const played = play(script);
    if (process.env["UPDATE_SCRIPTS"] === "1") writeFileSync(path, played);
    else expect(played).toBe(script);
  });
}

test("the same script gives the same output twice", () => {
  const script = readFileSync(join(import.meta.dir, "freeze.txt"), "utf8");
  expect(play(script)).toBe(play(script));
});
