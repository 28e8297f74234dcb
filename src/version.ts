/** What this executable is; the build defines it from package.json and the commit (build.ts). */

declare const UNDERSTUDY_VERSION: string | undefined;
declare const UNDERSTUDY_BUILD: number | undefined;
declare const UNDERSTUDY_COMMIT: string | undefined;
declare const UNDERSTUDY_COMPILED: boolean | undefined;

/** True inside the compiled executable, false when run from source. */
export const COMPILED: boolean = typeof UNDERSTUDY_COMPILED !== "undefined" && UNDERSTUDY_COMPILED === true;
export const VERSION: string = typeof UNDERSTUDY_VERSION === "undefined" ? "0.0.0" : (UNDERSTUDY_VERSION as string);
/** Number of commits up to the one it was built from: 0 from source or outside a repository. */
export const BUILD: number = typeof UNDERSTUDY_BUILD === "undefined" ? 0 : (UNDERSTUDY_BUILD as number);
export const COMMIT: string = typeof UNDERSTUDY_COMMIT === "undefined" ? "source" : (UNDERSTUDY_COMMIT as string);
