/** One finding of the doctor. */

export interface Finding {
  /** kebab-case, stable. */
  code: string;
  state: "good" | "warning" | "bad";
  /** What was found. */
  what: string;
  /** What to do; null where it is good. */
  advice: string | null;
}

export const good = (code: string, what: string): Finding => ({ code, state: "good", what, advice: null });
export const warning = (code: string, what: string, advice: string): Finding => ({
  code,
  state: "warning",
  what,
  advice,
});
export const bad = (code: string, what: string, advice: string): Finding => ({ code, state: "bad", what, advice });
