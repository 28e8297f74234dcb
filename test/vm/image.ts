/** The image that is tested: the one that `npm run image` makes, made first where it is missing or older. */

import { join } from "node:path";
import { sh } from "../lab/shell.ts";

const ROOT = join(import.meta.dir, "../..");
const IMAGE = join(ROOT, "dist/understudy.img");

let made = false;

/** Does nothing where nothing changed since the image was made. */
export function productImage(): string {
  if (!made) sh([process.execPath, join(ROOT, "build.ts"), "--image"]);
  made = true;
  return IMAGE;
}
