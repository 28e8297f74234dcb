/** Configure an interface: its role, addresses, gateway, whether it is on, and the name servers of this one server. */
import { isIP, isIPv4, isIPv6 } from "node:net";
import { Failure } from "../errors.ts";
import { cardText } from "./cards.ts";
import { type Context, carryOut } from "./context.ts";
import type { Dialogue } from "./dialogue.ts";
import type { InterfaceEntry, NodeSettings } from "./node.ts";

const NONE = "-";

export async function configureInterface(context: Context): Promise<void> {
  const { dialogue, node, watch } = context;
  const settings = await node.settings();
  const in_cluster = watch.situation === "active";
  const nic = await chooseInterface(context, settings, in_cluster);
  let draft = settings.interfaces.find((entry) => entry.nic === nic) ?? fresh(nic, settings);
  let dns = settings.dns?.servers ?? [];
  for (;;) {
    const role = await askRole(dialogue, draft, in_cluster || !settings.interfaces.some((entry) => entry.nic === nic));
    if (role === "unused") {
      await dialogue.demand(`The settings of ${nic} will be deleted. Go on?`);
      await save(context, settings, nic, null, dns);
      return dialogue.print(`${nic} is a free network card now.`);
    }
    draft = await askEntry(dialogue, { ...draft, role });
    dns = await askList(dialogue, "Name servers (DNS) of this server, with blanks between:", dns, (text) =>
      isIP(text) === 0 ? `${text} is no IP address; type one such as 10.2.0.254.` : null,
    );
    summarise(dialogue, draft, dns);
    if (!(await dialogue.confirm("Apply these settings? n asks for them again."))) continue;
    try {
      const notes = await save(context, settings, nic, draft, dns);
      dialogue.print(`${nic} was configured.`);
      for (const note of notes) dialogue.print(note);
      return;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "bad-settings") throw error;
      dialogue.print(error.message);
      dialogue.print("What you typed is offered again.");
    }
  }
}

/** Within a cluster interfaces are neither added nor deleted (S11). */
async function chooseInterface(
  { dialogue, node }: Context,
  { interfaces }: NodeSettings,
  in_cluster: boolean,
): Promise<string> {
  const cards = await node.cards();
  const nics = new Set(interfaces.map((entry) => entry.nic));
  if (!in_cluster) for (const card of cards) if (card.state !== "missing") nics.add(card.nic);
  if (nics.size === 0) throw new Failure("no-card", "This server has no network card; put one in.");
  const choices = [...nics].map((nic) => {
    const card = cards.find((entry) => entry.nic === nic);
    const entry = interfaces.find((one) => one.nic === nic);
    const text = card === undefined ? `${nic} (no such card at present)` : cardText(card);
    return { label: `${text}  ${entry === undefined ? "free" : `${entry.role}, ${entry.addresses[0]}`}`, value: nic };
  });
  return await dialogue.choose("Select the network card:", choices);
}

function fresh(nic: string, { interfaces }: NodeSettings): InterfaceEntry {
  return { nic, role: interfaces.some(({ role }) => role === "internal") ? "external" : "internal", addresses: [] };
}

async function askRole(
  dialogue: Dialogue,
  { nic, role }: InterfaceEntry,
  stays: boolean,
): Promise<InterfaceEntry["role"] | "unused"> {
  const mark = (value: string): string => (value === role ? " (as it is)" : "");
  return await dialogue.choose(`What is connected to ${nic}?`, [
    { label: `internal: the local network${mark("internal")}`, value: "internal" as const },
    { label: `external: the provider${mark("external")}`, value: "external" as const },
    ...(stays ? [] : [{ label: "nothing: delete its settings", value: "unused" as const }]),
  ]);
}

async function askEntry(dialogue: Dialogue, draft: InterfaceEntry): Promise<InterfaceEntry> {
  const addresses = await askList(
    dialogue,
    `Addresses of ${draft.nic} with their prefix lengths, such as 10.1.0.1/24, with blanks between:`,
    draft.addresses,
    (text) => (isPrefixed(text) ? null : `${text} is no address with its prefix length; type one such as 10.1.0.1/24.`),
    { needed: true },
  );
  const gateway = await askGateway(dialogue, "IPv4", draft.gateway, isIPv4);
  const gateway6 = addresses.some((text) => text.includes(":"))
    ? await askGateway(dialogue, "IPv6", draft.gateway6, isIPv6)
    : undefined;
  const enabled = await dialogue.confirm(
    `Is ${draft.nic} to be enabled? It ${draft.enabled === false ? "is disabled" : "is enabled"} at present.`,
  );
  const { gateway: _, gateway6: __, enabled: ___, ...rest } = draft;
  return {
    ...rest,
    addresses,
    ...(gateway === undefined ? {} : { gateway }),
    ...(gateway6 === undefined ? {} : { gateway6 }),
    ...(enabled ? {} : { enabled: false }),
  };
}

async function askList(
  dialogue: Dialogue,
  question: string,
  present: string[],
  check: (text: string) => string | null,
  { needed = false } = {},
): Promise<string[]> {
  const text = await dialogue.text({
    question: needed ? question : `${question.slice(0, -1)}; ${NONE} for none:`,
    ...(needed && present.length === 0 ? {} : { current: present.join(" ") }),
    check(answer) {
      const words = split(answer);
      if (needed && words.length === 0) return "At least one is needed; type it, or c to cancel.";
      return words.map(check).find((trouble) => trouble !== null) ?? null;
    },
  });
  return split(text);
}

async function askGateway(
  dialogue: Dialogue,
  family: string,
  present: string | undefined,
  is: (text: string) => boolean,
): Promise<string | undefined> {
  const text = await dialogue.text({
    question: `${family} gateway; ${NONE} for none:`,
    current: present ?? "",
    check: (answer) =>
      answer === "" || answer === NONE || is(answer)
        ? null
        : `${answer} is no ${family} address; type one, or ${NONE}.`,
  });
  return text === "" || text === NONE ? undefined : text;
}

function split(text: string): string[] {
  return text === NONE ? [] : text.split(/[\s,;]+/).filter((word) => word !== "");
}

function isPrefixed(text: string): boolean {
  const [address = "", length = "", ...rest] = text.split("/");
  if (rest.length > 0 || !/^\d{1,3}$/.test(length)) return false;
  return isIPv4(address) ? Number(length) <= 32 : isIPv6(address) && Number(length) <= 128;
}

function summarise(dialogue: Dialogue, draft: InterfaceEntry, dns: string[]): void {
  dialogue.print();
  dialogue.print(`  Interface     ${draft.nic}, ${draft.role}, ${draft.enabled === false ? "disabled" : "enabled"}`);
  dialogue.print(`  Addresses     ${draft.addresses.join(" ")}`);
  dialogue.print(`  Gateway       ${[draft.gateway, draft.gateway6].filter(Boolean).join(" ") || "none"}`);
  dialogue.print(`  Name servers  ${dns.join(" ") || "none"}`);
}

/** All of it in one change; what else was changed meanwhile stays. */
async function save(
  context: Context,
  before: NodeSettings,
  nic: string,
  entry: InterfaceEntry | null,
  dns: string[],
): Promise<string[]> {
  const same_dns = dns.join() === (before.dns?.servers ?? []).join();
  const set = { [`interfaces.${nic}`]: entry, ...(same_dns ? {} : { "dns.servers": dns }) };
  return await carryOut(context, (how) => context.node.change(set, how));
}
