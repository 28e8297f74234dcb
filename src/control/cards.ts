/** The network cards of this node as an administrator knows them: what they are, their link, and their use. */
import { readFileSync } from "node:fs";
import { listCards } from "../kernel/links.ts";
import { openShim } from "../shim.ts";

export interface CardReport {
  nic: string;
  mac: string;
  driver: string;
  /** PCI or USB number of the model, as `lspci -n` shows it; empty where there is none. */
  model: string;
  up: boolean;
  link: boolean;
  /** Null without a link, and where the driver does not say. */
  speed_mbps: number | null;
  used_as: "internal" | "external" | "cluster" | "bridge port" | "wireless" | "free";
}

export interface CardUse {
  interfaces: { nic: string; role: "internal" | "external" }[];
  /** The reserved card; null outside a cluster. */
  cluster_nic: string | null;
}

export function reportCards({ interfaces, cluster_nic }: CardUse): CardReport[] {
  return listCards(openShim()).map(({ name, mac, driver, up, carrier, master, wireless }) => {
    const role = interfaces.find(({ nic }) => nic === name)?.role;
    const idle = wireless ? "wireless" : master !== 0 ? "bridge port" : "free";
    return {
      nic: name,
      mac,
      driver,
      model: modelOf(name),
      up,
      link: carrier,
      speed_mbps: carrier ? speedOf(name) : null,
      used_as: name === cluster_nic ? "cluster" : (role ?? idle),
    };
  });
}

function speedOf(nic: string): number | null {
  const speed = Number(attribute(nic, "speed"));
  return Number.isInteger(speed) && speed > 0 ? speed : null;
}

function modelOf(nic: string): string {
  return /^(?:PCI_ID|PRODUCT)=(.*)$/m.exec(attribute(nic, "device/uevent"))?.[1] ?? "";
}

/** Empty where the driver has none, or refuses to say it without a link. */
function attribute(nic: string, name: string): string {
  try {
    return readFileSync(`/sys/class/net/${nic}/${name}`, "utf8").trim();
  } catch {
    return "";
  }
}
