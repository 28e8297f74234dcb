/** The local menu's main loop: the list for what the server is at the moment, and what was chosen from it. */
import { Failure, sentence } from "../errors.ts";
import { createBackup, restoreBackup } from "./backup.ts";
import { destroyCluster, switchOver } from "./cluster.ts";
import type { Context } from "./context.ts";
import { createCluster } from "./create.ts";
import { Cancelled, Dialogue, InputEnded, numbered } from "./dialogue.ts";
import { configureInterface } from "./interface.ts";
import { type Item, itemsOf, NOW } from "./items.ts";
import { joinCluster, watchPairing } from "./join.ts";
import { NodeDoor } from "./node.ts";
import { panelOf } from "./panel.ts";
import { changePassword, rename, webAccess } from "./server.ts";
import { diagnose, openConsole, power } from "./system.ts";
import { type Device, Terminal } from "./terminal.ts";
import { showUpdate } from "./update.ts";
import { cancelPairing } from "./wait.ts";
import { Watch } from "./watch.ts";

export interface MenuOptions {
  run: string;
  console_command: string | null;
  look_interval_ms?: number;
}

const LOOK_INTERVAL_MS = 1000;
const CANCELLED = "Cancelled; nothing was changed.";

const WORK: Record<Exclude<Item, "exit">, (context: Context) => Promise<void>> = {
  interface: configureInterface,
  "web-access": webAccess,
  backup: createBackup,
  restore: restoreBackup,
  rename,
  password: changePassword,
  join: joinCluster,
  create: createCluster,
  "watch-pairing": watchPairing,
  "cancel-pairing": cancelPairing,
  switch: switchOver,
  destroy: destroyCluster,
  update: showUpdate,
  doctor: diagnose,
  console: openConsole,
  reboot: (context) => power(context, "reboot"),
  poweroff: (context) => power(context, "poweroff"),
};

/** Until Exit is chosen or nobody is there any more. */
export async function runMenu(device: Device, options: MenuOptions): Promise<void> {
  const terminal = new Terminal(device);
  const dialogue = new Dialogue(terminal);
  const node = new NodeDoor(options.run);
  const watch = new Watch(node, options.look_interval_ms ?? LOOK_INTERVAL_MS);
  const context: Context = { dialogue, node, watch, console_command: options.console_command };
  watch.listeners.add((status) => terminal.setPanel(panelOf(status, terminal.columns)));
  try {
    await watch.start();
    terminal.printPanel();
    let asked = false;
    for (;;) {
      // What was just done is seen in the panel at once.
      await watch.look();
      // What the server is, a node that has yet to start cannot say.
      if (!asked && !["starting", "away"].includes(watch.situation)) {
        asked = true;
        if (await isFresh(context)) {
          await carryThrough(context, offerJoining);
          continue;
        }
      }
      if (!(await oneItem(context))) break;
    }
  } catch (error) {
    if (!(error instanceof InputEnded)) throw error;
  } finally {
    watch.stop();
    terminal.close();
  }
}

/** Shows the list and does one thing of it; false where that was Exit. Throws InputEnded. */
async function oneItem(context: Context): Promise<boolean> {
  const { dialogue, watch } = context;
  const { situation } = watch;
  const items = itemsOf(situation, { console: context.console_command !== null });
  dialogue.terminal.printPanel();
  dialogue.print();
  items.forEach(({ label }, index) => dialogue.print(`${String(index + 1).padStart(3)}. ${label}`));
  for (;;) {
    const change = watch.changeFrom(situation);
    const reading = await dialogue.terminal.read({ signal: change.signal }).finally(change.done);
    if (reading.kind === "aborted") {
      dialogue.print(watch.trouble ?? NOW[watch.situation]);
      return true;
    }
    if (reading.kind === "interrupt") {
      dialogue.wrong(`Type ${items.length} and press Enter to leave the menu.`);
      continue;
    }
    const text = dialogue.usable(reading);
    if (text === null) continue;
    const choice = numbered(items, text.trim());
    if (typeof choice === "string") {
      dialogue.wrong(`${choice}.`);
      continue;
    }
    dialogue.right();
    if (choice.value === "exit") return false;
    await carryThrough(context, WORK[choice.value]);
    return true;
  }
}

/** Whatever comes of it, the menu goes on. Throws InputEnded. */
async function carryThrough(context: Context, work: (context: Context) => Promise<void>): Promise<void> {
  try {
    await work(context);
  } catch (error) {
    if (error instanceof Cancelled) context.dialogue.print(CANCELLED);
    else if (error instanceof InputEnded || !(error instanceof Error)) throw error;
    else context.dialogue.print(error instanceof Failure ? error.message : `That failed: ${sentence(error)}`);
  }
}

/** Installed just now: nothing is configured, and there is no cluster. */
async function isFresh({ watch, node }: Context): Promise<boolean> {
  if (watch.situation !== "standalone") return false;
  try {
    return (await node.settings()).interfaces.length === 0;
  } catch {
    return false;
  }
}

/** S16. */
async function offerJoining(context: Context): Promise<void> {
  const question = "This server was installed just now. Should it be the second node (backup) of a cluster?";
  if (await context.dialogue.confirm(question)) await joinCluster(context);
}
