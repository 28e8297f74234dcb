/** The node's network cards as the kernel has them now. */

import { Failure, SystemFailure } from "../errors.ts";
import type { Shim } from "../shim.ts";
import { command, list, nextSequence } from "./exchange.ts";
import { NETLINK_ROUTE, readMessages } from "./netlink.ts";
import {
  isPhysical,
  type Link,
  type LinkChange,
  listLinksRequest,
  readLinks,
  renameLinkRequest,
  setLinkUpRequest,
} from "./rtnetlink.ts";

export { isPhysical, type Link, type LinkChange, RTNLGRP } from "./rtnetlink.ts";

/** A link that a cluster can use, with what only its driver knows. */
export interface Card extends Link {
  /** Kernel driver, as `ethtool -i` shows it. */
  driver: string;
  wireless: boolean;
}

/** All links, the loopback included. */
export function listLinks(shim: Shim): Link[] {
  return readLinks(list(shim, NETLINK_ROUTE, listLinksRequest(nextSequence()))).map(({ link }) => link);
}

/** Physical network cards. One that goes away meanwhile is left out. */
export function listCards(shim: Shim): Card[] {
  return listLinks(shim)
    .filter(isPhysical)
    .flatMap((link) => {
      try {
        return [{ ...link, driver: shim.driver(link.name), wireless: shim.wireless(link.name) }];
      } catch (error) {
        if (error instanceof SystemFailure && error.errno === "ENODEV") return [];
        throw error;
      }
    });
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

/** The link must be down. */
export function renameLink(shim: Shim, link: Link, name: string): void {
  command(shim, NETLINK_ROUTE, renameLinkRequest(nextSequence(), link.index, name));
}
