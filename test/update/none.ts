/** The part of a status about updates, on a node that has none. */
import type { UpdateStatus } from "../../src/control/updater.ts";

export const NO_UPDATES: UpdateStatus = {
  unavailable: "This node was started without --boot, so its software is updated by whoever maintains it.",
  running: { version: "0.1.0", build: 7, blessed: true },
  other: null,
  staged: null,
  plan: null,
  step: null,
  peer: null,
  switches: [],
};
