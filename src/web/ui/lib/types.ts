/**
 * What the node answers, as the node itself declares it: types alone, taken from the control process, so that page and
 * node cannot drift apart. Only what the web server adds for the page is declared here.
 */
import type { BackupEntry as Backup } from "../../../control/backups.ts";
import type { LoggedEvent } from "../../../control/events.ts";
import type { LicenseReport as License } from "../../../control/license.ts";
import type { Status as NodeStatus } from "../../../control/node.ts";
import type { PathStatus } from "../../../heart/messages.ts";
import type { InterfaceSettings, Settings } from "../../../settings/model.ts";

export type { Backup, InterfaceSettings, License, LoggedEvent, PathStatus, Settings };

export interface PeerCard {
  nic: string;
  mac: string;
}

export interface Pairing {
  side: "joiner" | "creator";
  /** joiner: searching, found, confirmed, joining; creator: searching, found, confirmed, testing, applying. */
  state: "searching" | "found" | "confirmed" | "testing" | "applying" | "joining";
  /** What the joiner's console shows. */
  code: string | null;
  seconds_left: number;
  waiting: string;
  peer: { name: string; version: string; build: number; cards: PeerCard[] } | null;
}

export type Sync = NodeStatus["sync"];

export interface Status extends NodeStatus {
  pairing?: Pairing | null;
  /** SHA-256 of the web server's certificate, as AB:CD:… */
  web?: { address: string; port: number; fingerprint: string } | null;
}

export interface Card {
  nic: string;
  mac: string;
  driver: string;
  /** PCI or USB number of the model; empty where there is none. */
  model: string;
  up: boolean;
  link: boolean;
  /** Null without a link, and where the driver does not say. */
  speed_mbps: number | null;
  used_as: "internal" | "external" | "cluster" | "bridge port" | "wireless" | "free";
}

/** One way between two cards, in the segment test. */
export interface Way {
  good: boolean;
  arrived_at: string[];
}

/** The segment test of one pair. */
export interface PairTest {
  mine: string;
  theirs: string;
  there: Way;
  back: Way;
  /** What is wrong and what to do; null where both ways are good. */
  advice: string | null;
}

export interface Check {
  code: string;
  state: "good" | "warning" | "bad";
  what: string;
  advice: string | null;
}

/** What everybody may know before a login. */
export interface Public {
  name: string;
  version: string;
  build: number;
  role: Status["role"];
  first_password: boolean;
  /** Who is active in the cluster, and its addresses without prefix; null where nobody is known. */
  active: { name: string; addresses: string[] } | null;
}

export interface Session {
  name: string;
}

export interface Token {
  id: string;
  name: string;
  access: "read" | "full";
  made: string;
}

export interface Certificate {
  subject: string;
  issuer: string;
  hosts: string[];
  from: string;
  until: string;
  fingerprint: string;
  self_made: boolean;
  chain: number;
}
