/**
 * The settings of a gateway: what an administrator types, checked before anything is stored.
 * Unknown keys are refused by name, and what is left out is filled in. The least a gateway needs is a
 * server name and two interfaces.
 */
import { isIPv4, isIPv6 } from "node:net";
import { DEFAULT_TUNING, validateTuning } from "../core/tuning.ts";
import { Failure } from "../errors.ts";
import type { Tuning } from "../heart/messages.ts";
import { refusalOf } from "./refusal.ts";
import { type InterfaceSettings, type Settings, schema } from "./schema.ts";
import { inNetwork, plain } from "./values.ts";

export type { InterfaceSettings, Settings } from "./schema.ts";

/** All of them go to the heart in one line (LINE_BYTES_MAX in heart/control.ts). */
const ADDRESSES_MAX = 8192;
/** Who is asked for first, at the console and in the web interface. */
export const FIRST_ADMINISTRATOR = "admin";

/** Settings of a server that was just installed. */
export function freshSettings(): Settings {
  return parseSettings({ server: { name: "understudy" } });
}

/** Checks settings of unknown origin. Throws Failure `bad-settings` that names the place and the mend. */
export function parseSettings(value: unknown): Settings {
  const result = schema.safeParse(value, { reportInput: true });
  if (!result.success) throw refusalOf(result.error);
  const settings = result.data;
  checkInterfaces(settings);
  checkAdministrators(settings);
  checkForwards(settings);
  checkMail(settings);
  tuningOf(settings);
  return settings;
}

/** The timings with defaults filled in. Throws Failure `bad-tuning`. */
export function tuningOf({ cluster }: Pick<Settings, "cluster">): Tuning {
  const given = Object.fromEntries(Object.entries(cluster ?? {}).filter(([, value]) => value !== undefined));
  return validateTuning({ ...DEFAULT_TUNING, ...given } as Tuning);
}

function refuse(message: string): never {
  throw new Failure("bad-settings", message);
}

/** The first of them that was there before; undefined where all differ. */
function repeated(names: string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

function checkInterfaces({ interfaces }: Settings): void {
  const addresses = interfaces.flatMap((entry) => entry.addresses.map(plain));
  if (addresses.length > ADDRESSES_MAX)
    refuse(`interfaces: ${addresses.length} addresses are too many; a cluster moves at most ${ADDRESSES_MAX}.`);
  const nic = repeated(interfaces.map((entry) => entry.nic));
  if (nic !== undefined) refuse(`interfaces: ${nic} is listed twice; keep one entry.`);
  const address = repeated(addresses);
  if (address !== undefined) refuse(`interfaces: the address ${address} is used twice; keep one.`);
  for (const entry of interfaces) checkGateways(entry);
}

function checkGateways({ nic, addresses, gateway, gateway6 }: InterfaceSettings): void {
  if (gateway !== undefined && !isIPv4(gateway))
    refuse(`${nic}: gateway must be an IPv4 address; use gateway6 for IPv6.`);
  if (gateway6 !== undefined && !isIPv6(gateway6)) refuse(`${nic}: gateway6 must be an IPv6 address.`);
  if (gateway === undefined) return;
  if (!addresses.some((address) => isIPv4(plain(address)) && inNetwork(gateway, address)))
    refuse(`${nic}: the gateway ${gateway} is in none of the interface's networks; correct one of them.`);
}

function checkAdministrators({ administrators }: Settings): void {
  const name = repeated(administrators.map((entry) => entry.name));
  if (name !== undefined) refuse(`administrators: ${name} is listed twice; keep one entry.`);
  const first = administrators[0]?.name ?? FIRST_ADMINISTRATOR;
  if (first !== FIRST_ADMINISTRATOR)
    refuse(`administrators: the first one must be called ${FIRST_ADMINISTRATOR}, not ${first}; put that one first.`);
}

function checkForwards({ nat }: Settings): void {
  const twice = repeated(
    nat.port_forwards.map(({ protocol, port, to }) => `${protocol} port ${port}${isIPv6(to) ? " of IPv6" : ""}`),
  );
  if (twice !== undefined) refuse(`nat.port_forwards: ${twice} is forwarded twice; keep one entry.`);
}

function checkMail({ mail }: Settings): void {
  if (mail.mode === "relay" && mail.relay === undefined)
    refuse("mail.relay is missing; a relay needs the host that it sends to, or set mail.mode to off.");
  const name = repeated(mail.domains.map((entry) => entry.name.toLowerCase()));
  if (name !== undefined) refuse(`mail.domains: ${name} is listed twice; keep one entry.`);
}
