/**
 * What the node answers, as the node itself declares it: types alone, taken from the control process, so that page and
 * node cannot drift apart. Only what the web server adds for the page is declared here.
 */
import type { BackupEntry as Backup } from "../../../control/backups.ts";
import type { CaptureEntry as Capture } from "../../../control/captures.ts";
import type { CardReport as Card } from "../../../control/cards.ts";
import type { CertificateFacts as Certificate } from "../../../control/certificates.ts";
import type { LoggedEvent } from "../../../control/events.ts";
import type { Finding as Check } from "../../../control/finding.ts";
import type { LicenseReport as License } from "../../../control/license.ts";
import type { Status } from "../../../control/node.ts";
import type { SegmentResult as PairTest } from "../../../core/pairing/segments.ts";
import type { PathStatus } from "../../../heart/messages.ts";
import type { InterfaceSettings, Settings } from "../../../settings/model.ts";

export type {
  Backup,
  Capture,
  Card,
  Certificate,
  Check,
  InterfaceSettings,
  License,
  LoggedEvent,
  PairTest,
  PathStatus,
  Settings,
  Status,
};

export type Update = Status["update"];
export type Sync = Status["sync"];
export type Pairing = NonNullable<Status["pairing"]>;
export type PeerCard = NonNullable<Pairing["peer"]>["cards"][number];

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
