/**
 * The settings of a gateway: what an administrator types, checked before anything is stored.
 * Unknown keys are refused by name. The least a gateway needs is a server name and two interfaces.
 */
import { isIPv4, isIPv6 } from "node:net";
import { z } from "zod";
import { DEFAULT_TUNING, validateTuning } from "../core/tuning.ts";
import { Failure } from "../errors.ts";
import type { Tuning } from "../heart/messages.ts";

const cidr = z.string().refine(isCidr, "must be an address with its prefix length, such as 10.1.0.1/24");
const ip = z.string().refine((text) => isIPv4(text) || isIPv6(text), "must be an IP address, such as 10.2.0.254");

/** All of them go to the heart in one line (LINE_BYTES_MAX in heart/control.ts). */
const ADDRESSES_MAX = 8192;

const interfaceSchema = z.strictObject({
  nic: z.string().regex(/^[^\s/]{1,15}$/, "must be the name of a network interface, such as lan0"),
  role: z.enum(["internal", "external"]),
  addresses: z.array(cidr).min(1).max(4096),
  gateway: ip.optional(),
  gateway6: ip.optional(),
  heartbeat: z.boolean().optional(),
  enabled: z.boolean().optional(),
});

const schema = z.strictObject({
  server: z.strictObject({ name: z.string().min(2).max(42) }),
  interfaces: z.array(interfaceSchema).max(31),
  cluster: z
    .strictObject({
      interval_ms: z.number(),
      lease_ms: z.number(),
      detect_floor_ms: z.number(),
      detect_ceiling_ms: z.number(),
      listen_ms: z.number(),
      on_link_loss: z.enum(["switch", "stay"]),
    })
    .partial()
    .optional(),
});

export type Settings = z.infer<typeof schema>;
export type InterfaceSettings = z.infer<typeof interfaceSchema>;

/** Settings of a server that was just installed. */
export function freshSettings(): Settings {
  return { server: { name: "understudy" }, interfaces: [] };
}

/** Checks settings of unknown origin. Throws Failure `bad-settings` that names the place and the mend. */
export function parseSettings(value: unknown): Settings {
  const result = schema.safeParse(value);
  if (!result.success) {
    const { issues } = result.error;
    const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0];
    const place = issue?.path.join(".") || "the settings";
    if (issue?.code === "unrecognized_keys") {
      const where = issue.path.length === 0 ? "" : ` in ${place}`;
      throw new Failure(
        "bad-settings",
        `Unknown key ${issue.keys.map((key) => `"${key}"`).join(", ")}${where}; remove it or correct its spelling.`,
      );
    }
    throw new Failure("bad-settings", `${place}: ${issue?.message ?? "not valid"}.`);
  }
  const settings = result.data;
  checkUnique(settings);
  for (const entry of settings.interfaces) checkGateways(entry);
  tuningOf(settings);
  return settings;
}

/** The timings with defaults filled in. Throws Failure `bad-tuning`. */
export function tuningOf(settings: Settings): Tuning {
  const given = Object.fromEntries(Object.entries(settings.cluster ?? {}).filter(([, value]) => value !== undefined));
  return validateTuning({ ...DEFAULT_TUNING, ...given } as Tuning);
}

function checkUnique(settings: Settings): void {
  const count = settings.interfaces.reduce((sum, { addresses: own }) => sum + own.length, 0);
  if (count > ADDRESSES_MAX) {
    const message = `interfaces: ${count} addresses are too many; a cluster moves at most ${ADDRESSES_MAX}.`;
    throw new Failure("bad-settings", message);
  }
  const nics = new Set<string>();
  const addresses = new Set<string>();
  for (const { nic, addresses: own } of settings.interfaces) {
    if (nics.has(nic)) throw new Failure("bad-settings", `interfaces: ${nic} is listed twice; keep one entry.`);
    nics.add(nic);
    for (const address of own) {
      const plain = address.split("/")[0] ?? address;
      if (addresses.has(plain))
        throw new Failure("bad-settings", `interfaces: the address ${plain} is used twice; keep one.`);
      addresses.add(plain);
    }
  }
}

function checkGateways({ nic, addresses, gateway, gateway6 }: InterfaceSettings): void {
  if (gateway !== undefined && !isIPv4(gateway))
    throw new Failure("bad-settings", `${nic}: gateway must be an IPv4 address; use gateway6 for IPv6.`);
  if (gateway6 !== undefined && !isIPv6(gateway6))
    throw new Failure("bad-settings", `${nic}: gateway6 must be an IPv6 address.`);
  if (
    gateway !== undefined &&
    !addresses.some((address) => isIPv4(address.split("/")[0] ?? "") && inNetwork(gateway, address))
  ) {
    throw new Failure(
      "bad-settings",
      `${nic}: the gateway ${gateway} is in none of the interface's networks; correct one of them.`,
    );
  }
}

function isCidr(text: string): boolean {
  const [address = "", length = ""] = text.split("/");
  if (!/^\d{1,3}$/.test(length)) return false;
  if (isIPv4(address)) return Number(length) <= 32;
  return isIPv6(address) && Number(length) <= 128;
}

function inNetwork(address: string, network: string): boolean {
  const [base = "", length = "32"] = network.split("/");
  const number = (text: string) => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(length));
  return Math.floor(number(address) / size) === Math.floor(number(base) / size);
}
