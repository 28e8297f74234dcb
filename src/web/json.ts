/** How deep JSON goes, before it is parsed: what is nested without end takes a second to give up on, and needs no session. */

export const DEPTH_MAX = 64;

export function isTooDeep(json: Uint8Array): boolean {
  let depth = 0;
  let in_text = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === 0x22) in_text = !in_text;
    else if (in_text) at += byte === 0x5c ? 1 : 0;
    else if (byte === 0x7b || byte === 0x5b) depth += 1;
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    if (depth > DEPTH_MAX) return true;
  }
  return false;
}
