/** What this executable is; the build defines it from package.json and the commit (build.ts). */

declare const UNDERSTUDY_VERSION: string | undefined;
declare const UNDERSTUDY_BUILD: number | undefined;
declare const UNDERSTUDY_COMMIT: string | undefined;
declare const UNDERSTUDY_COMPILED: boolean | undefined;
declare const UNDERSTUDY_RELEASE: boolean | undefined;
declare const UNDERSTUDY_LICENSE_KEY: string | null | undefined;
declare const UNDERSTUDY_UPDATE_KEY: string | null | undefined;

/** True inside the compiled executable, false when run from source. */
export const COMPILED: boolean = typeof UNDERSTUDY_COMPILED !== "undefined" && UNDERSTUDY_COMPILED === true;
export const VERSION: string = typeof UNDERSTUDY_VERSION === "undefined" ? "0.0.0" : (UNDERSTUDY_VERSION as string);
/** Number of commits up to the one it was built from: 0 from source or outside a repository. */
export const BUILD: number = typeof UNDERSTUDY_BUILD === "undefined" ? 0 : (UNDERSTUDY_BUILD as number);
export const COMMIT: string = typeof UNDERSTUDY_COMMIT === "undefined" ? "source" : (UNDERSTUDY_COMMIT as string);
/** True in a build made with `--release`: it accepts no license and no update that a development key signed. */
export const RELEASE: boolean = typeof UNDERSTUDY_RELEASE !== "undefined" && UNDERSTUDY_RELEASE === true;
/** Public key that licenses of releases are signed with (SPKI, DER in base64); null where none was given to the build. */
export const RELEASE_LICENSE_KEY: string | null =
  typeof UNDERSTUDY_LICENSE_KEY === "undefined" ? null : (UNDERSTUDY_LICENSE_KEY as string | null);
/** Public key that updates of releases are signed with, likewise. */
export const RELEASE_UPDATE_KEY: string | null =
  typeof UNDERSTUDY_UPDATE_KEY === "undefined" ? null : (UNDERSTUDY_UPDATE_KEY as string | null);
