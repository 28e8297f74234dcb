/** `understudy update check | start | status | pause | resume | abort | restore`: this node, and its cluster, to another version. */
import { type FileHandle, open } from "node:fs/promises";
import type { UpdateStatus } from "../control/updater.ts";
import { Failure, sentence } from "../errors.ts";
import { chunkBytes, demandChunk, HEADER_BYTES_MAX, readHeader } from "../update/bundle.ts";
import { ask, askWith } from "./client.ts";
import { type Common, said } from "./commands.ts";

const VERBS = ["check", "start", "status", "pause", "resume", "abort", "restore"];
const PIECE_BYTES = 1 << 20;

export interface UpdateOptions {
  alone: boolean;
  yes: boolean;
  order: string | undefined;
}

export async function updateCommand(common: Common, words: string[], options: UpdateOptions): Promise<void> {
  const [verb = "", file] = words;
  const takes_file = verb === "check" || verb === "start";
  if (!VERBS.includes(verb) || words.length > 2 || (words.length === 2) !== takes_file)
    throw new Failure(
      "usage",
      "Say what to do: update status | check FILE | start FILE | pause | resume | abort | restore --yes.",
    );
  switch (verb) {
    case "check":
      return checkFile(common, file ?? "");
    case "start":
      return start(common, file ?? "", options);
    case "status":
      return showStatus(common);
    case "restore":
      if (!options.yes)
        throw new Failure(
          "usage",
          "The previous version comes back, and settings that were changed since the update may be lost; confirm with --yes.",
        );
      await ask(common.run, "POST", "/update/restore", { confirm: true, alone: options.alone });
      return said(common, "The previous version is restored; `understudy update status` shows how it goes.");
  }
  await ask(common.run, "POST", `/update/${verb}`, {});
  const TOLD: Record<string, string> = {
    pause: "The update is paused.",
    resume: "The update goes on.",
    abort: "The update is given up; both nodes go back to the version from before.",
  };
  said(common, TOLD[verb] ?? "");
}

/** Every byte is looked at here, and whether the node takes it is asked there. */
async function checkFile(common: Common, path: string): Promise<void> {
  await withFile(path, async (file) => {
    const beginning = await readAt(file, 0, HEADER_BYTES_MAX + 1024);
    const facts = await askWith<{ version: string; build: number; commit: string }>(
      common.run,
      "POST",
      "/update/check",
      beginning,
    );
    const header = readHeader(beginning);
    if (header === null) return;
    const { manifest, image_offset } = header;
    let at = image_offset;
    for (let index = 0; index < manifest.chunks_sha256.length; index++) {
      const chunk = await readAt(file, at, chunkBytes(manifest, index));
      demandChunk(manifest, index, chunk);
      at += chunk.length;
    }
    if ((await file.stat()).size !== at)
      throw new Failure("bundle-damaged", "There is more behind the end of the update; copy the file again, as it is.");
    if (common.json) return console.log(JSON.stringify(facts, null, 2));
    console.log(
      `${facts.version} build ${facts.build} (${facts.commit}) is genuine and whole, and this node takes it.`,
    );
  });
}

async function start(common: Common, path: string, { order = "active-first", alone }: UpdateOptions): Promise<void> {
  if (order !== "active-first" && order !== "backup-first")
    throw new Failure("usage", `--order ${order} must be active-first or backup-first.`);
  await withFile(path, async (file) => {
    const { size } = await file.stat();
    for (let at = 0; at < size; ) {
      const piece = await readAt(file, at, PIECE_BYTES);
      at = await upload(common, at, piece);
      if (process.stderr.isTTY)
        process.stderr.write(`\r\x1b[K${Math.floor((100 * at) / size)} % of the update are on the node.`);
    }
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  });
  await ask(common.run, "POST", "/update/start", { order, alone });
  said(common, "The update has begun; `understudy update status` shows how it goes.");
}

async function upload(common: Common, at: number, piece: Buffer): Promise<number> {
  const { received_bytes } = await askWith<{ received_bytes: number }>(
    common.run,
    "PUT",
    `/update/bundle?offset=${at}`,
    piece,
  );
  return received_bytes;
}

async function showStatus(common: Common): Promise<void> {
  const status = await ask<UpdateStatus>(common.run, "GET", "/update");
  console.log(common.json ? JSON.stringify(status, null, 2) : updateText(status));
}

export function updateText({ unavailable, running, other, plan, step, peer, switches }: UpdateStatus): string {
  const lines = [`This node runs ${running.version} build ${running.build}${running.blessed ? "" : ", on trial"}.`];
  if (unavailable !== null) lines.push(unavailable);
  if (other !== null) {
    const STATES = {
      blessed: "can be restored",
      next: "is started next",
      refused: "is not started",
      failed: "did not prove itself",
    };
    lines.push(`The other slot holds ${other.version} build ${other.build}, which ${STATES[other.state]}.`);
  }
  if (peer !== null) {
    lines.push(`The peer runs ${peer.version} build ${peer.build}${peer.blessed ? "" : ", on trial"}.`);
    if (peer.step !== "") lines.push(`The peer: ${peer.step}`);
  }
  if (plan !== null)
    lines.push(`Update to ${plan.target.version} build ${plan.target.build} (${plan.order}): ${plan.state}.`);
  if (plan?.reason) lines.push(plan.reason);
  if (step !== null && step !== plan?.reason) lines.push(`This node: ${step}`);
  for (const { node, at, cause, outage_ms } of switches)
    lines.push(
      `${at}  ${node} node became active (${cause ?? "unknown"})${outage_ms === null ? "" : `, ${Math.round(outage_ms)} ms after the other`}`,
    );
  return lines.join("\n");
}

async function withFile(path: string, work: (file: FileHandle) => Promise<void>): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    throw new Failure("bad-file", `${path} cannot be read: ${sentence(error)}.`);
  }
  try {
    if (!(await file.stat()).isFile()) throw new Failure("bad-file", `${path} is no file.`);
    await work(file);
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, offset);
  return buffer.subarray(0, bytesRead);
}
