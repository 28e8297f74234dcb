/** Light, dark, or as the system has it; the choice stays in this browser. */
import { Store } from "./store.ts";

export type Theme = "auto" | "light" | "dark";
const KEY = "understudy-theme";
const THEMES: readonly Theme[] = ["auto", "light", "dark"];

export const theme = new Store<{ theme: Theme }>({ theme: "auto" });

const system = matchMedia("(prefers-color-scheme: dark)");

export function restoreTheme(): void {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEY);
  } catch {
    // A browser that keeps nothing shows the system's.
  }
  system.addEventListener("change", draw);
  use(THEMES.find((name) => name === kept) ?? "auto");
}

export function nextTheme(): void {
  const next = THEMES[(THEMES.indexOf(theme.get().theme) + 1) % THEMES.length] ?? "auto";
  use(next);
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Used until the page is closed.
  }
}

function use(name: Theme): void {
  theme.set({ theme: name });
  draw();
}

function draw(): void {
  const { theme: chosen } = theme.get();
  const dark = chosen === "dark" || (chosen === "auto" && system.matches);
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
}
