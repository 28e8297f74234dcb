/** The node's network cards as the kernel has them now. */

import { Failure } from "../errors.ts";
import type { Shim } from "../shim.ts";
import { command, list, nextSequence } from "./exchange.ts";
import { NETLINK_ROUTE, readMessages } from "./netlink.ts";
import { type Link, type LinkChange, listLinksRequest, readLinks, setLinkUpRequest } from "./rtnetlink.ts";

export { isPhysical, type Link, type LinkChange, RTNLGRP } from "./rtnetlink.ts";

/** All links, the loopback included. */
export function listLinks(shim: Shim): Link[] {
  return readLinks(list(shim, NETLINK_ROUTE, listLinksRequest(nextSequence()))).map(({ link }) => link);
}

/** Throws Failure `no-interface`. */
export function linkNamed(links: Link[], nic: string): Link {
  const link = links.find(({ name }) => name === nic);
  if (link === undefined) throw new Failure("no-interface", `There is no interface ${nic}.`);
  return link;
}

/** What a datagram of the group RTNLGRP.link says. */
export function readLinkChanges(datagram: Uint8Array): LinkChange[] {
  return readLinks(readMessages(datagram));
}

export function setLinkUp(shim: Shim, link: Link, up: boolean): void {
  command(shim, NETLINK_ROUTE, setLinkUpRequest(nextSequence(), link.index, up));
}
