/** What the control process and the web process say to each other besides requests: one JSON object a line. */

/** On standard input. A later one with the same certificate and ports changes the rest. */
export interface WebConfiguration {
  hostname: string;
  port: number;
  /** PEM: the chain, the server's own certificate first. */
  certificate: string;
  key: string;
  /** Addresses of this node at which nobody is answered. */
  refused_addresses: string[];
}

/** On standard output. */
export type FromWeb =
  /** It serves. `rights` says what is left of root's: "none", or "some" where the system would not take them away. */
  { type: "ready"; rights: "none" | "some" } | { type: "failed"; message: string };
