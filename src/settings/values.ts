/** The small values that settings are made of, each with the words that say what it must look like. */
import { isIPv4, isIPv6 } from "node:net";
import { z } from "zod";

const HOST = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const ARGON2ID = /^\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/;

/** What a person reads on one line. */
export function line(least: number, most: number) {
  return z
    .string()
    .min(least)
    .max(most)
    .regex(/^[^\p{Cc}]*$/u, "must be plain text on one line");
}

export const cidr = z.string().refine(isCidr, "must be an address with its prefix length, such as 10.1.0.1/24");
export const ip = z.string().refine(isIp, "must be an IP address, such as 10.2.0.254");
/** A name or an address of a server; what looks like an address must be one. */
export const host = z
  .string()
  .refine(
    (text) => isIp(text) || (HOST.test(text) && !/^[\d.]+$/.test(text)),
    "must be the name or the IP address of a server, such as mail.example.org",
  );
export const domain = z
  .string()
  .refine((text) => HOST.test(text) && text.includes("."), "must be the name of a domain, such as example.org");
export const port = z.int().min(1).max(65_535);
export const nic = z.string().regex(/^[^\s/\p{Cc}]{1,15}$/u, "must be the name of a network interface, such as lan0");
export const password_hash = z.string().max(256).regex(ARGON2ID, "must be the Argon2id hash of a password");
export const zone = z.string().refine(isZone, 'must be a time zone, such as "UTC" or "Europe/Rome"');

/** The address of `10.1.0.1/24` without its prefix. */
export function plain(prefixed: string): string {
  return prefixed.split("/")[0] ?? prefixed;
}

/** IPv4 only. */
export function inNetwork(address: string, network: string): boolean {
  const [base = "", length = "32"] = network.split("/");
  const number = (text: string) => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(length));
  return Math.floor(number(address) / size) === Math.floor(number(base) / size);
}

function isIp(text: string): boolean {
  return isIPv4(text) || isIPv6(text);
}

function isCidr(text: string): boolean {
  const [address = "", length = "", ...rest] = text.split("/");
  if (rest.length > 0 || !/^\d{1,3}$/.test(length)) return false;
  if (isIPv4(address)) return Number(length) <= 32;
  return isIPv6(address) && Number(length) <= 128;
}

function isZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
