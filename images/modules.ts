/** Kernel modules by name, with everything they depend on, and the indexes that modprobe reads. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { BuildFailure } from "./command.ts";
import { moduleInfo } from "./elf.ts";

export interface Module {
  name: string;
  /** Below lib/modules/RELEASE. */
  path: string;
  data: Buffer;
  depends: string[];
  aliases: string[];
  softdeps: string[];
}

/** Modules are named with dashes in files and underscores in the kernel. */
const canonical = (name: string): string => name.replaceAll("-", "_");

/** Where all the modules of a kernel are: its lib/modules/RELEASE. */
export class ModuleTree {
  readonly #directory: string;
  readonly #paths = new Map<string, string>();
  readonly #builtin = new Set<string>();
  /** By alias; read when the first one is asked for. */
  #algorithms: Map<string, string[]> | null = null;

  constructor(directory: string) {
    this.#directory = directory;
    const files = readdirSync(join(directory, "kernel"), { recursive: true, encoding: "utf8" });
    for (const path of files) {
      if (path.endsWith(".ko")) this.#paths.set(canonical(basename(path, ".ko")), join("kernel", path));
    }
    for (const line of readFileSync(join(directory, "modules.builtin"), "utf8").trim().split("\n")) {
      this.#builtin.add(canonical(basename(line, ".ko")));
    }
  }

  /** Throws BuildFailure where the kernel has no such module. */
  select(names: string[]): Module[] {
    const chosen = new Map<string, Module>();
    const open = names.map((name) => ({ name: canonical(name), wanted_by: "the list of drivers", must: true }));
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { name, wanted_by, must } = next;
      if (chosen.has(name) || this.#builtin.has(name)) continue;
      const path = this.#paths.get(name);
      if (path === undefined) {
        if (!must) continue;
        throw new BuildFailure(
          `The kernel has no module ${name}, which ${wanted_by} names; correct images/drivers.ts.`,
        );
      }
      const module = this.#read(name, path);
      chosen.set(name, module);
      for (const other of module.depends) open.push({ name: other, wanted_by: name, must: true });
      // What is merely recommended may be absent; a checksum is named by what it computes, and has several modules.
      for (const other of softNames(module).flatMap((soft) => [soft, ...this.#algorithm(soft)]))
        open.push({ name: other, wanted_by: name, must: false });
    }
    return [...chosen.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** The modules that compute what the kernel asks for as `crypto-NAME`. */
  #algorithm(name: string): string[] {
    if (this.#algorithms === null) {
      this.#algorithms = new Map();
      for (const [module, path] of this.#paths) {
        if (!/^kernel\/(crypto|arch)\//.test(path)) continue;
        for (const alias of this.#read(module, path).aliases) {
          const known = this.#algorithms.get(alias) ?? [];
          this.#algorithms.set(alias, [...known, module]);
        }
      }
    }
    return this.#algorithms.get(`crypto-${name}`) ?? [];
  }

  #read(name: string, path: string): Module {
    const data = readFileSync(join(this.#directory, path));
    const info = moduleInfo(data);
    const all = (key: string): string[] => info.filter(([found]) => found === key).map(([, value]) => value);
    const depends = all("depends").flatMap((value) => value.split(",").filter((word) => word !== ""));
    return { name, path, data, depends: depends.map(canonical), aliases: all("alias"), softdeps: all("softdep") };
  }
}

function softNames(module: Module): string[] {
  const words = module.softdeps.flatMap((value) => value.split(/\s+/));
  return words.filter((word) => word !== "" && !word.endsWith(":")).map(canonical);
}

/** modules.dep, modules.alias and modules.softdep, as depmod writes them. */
export function moduleIndexes(modules: Module[]): Record<string, string> {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const lines = (text: string[]): string => `${text.join("\n")}\n`;
  return {
    "modules.dep": lines(
      modules.map((module) => [`${module.path}:`, ...closure(module, byName).map(({ path }) => path)].join(" ")),
    ),
    "modules.alias": lines(
      modules.flatMap(({ name, aliases }) => aliases.map((alias) => `alias ${alias.replaceAll(" ", "_")} ${name}`)),
    ),
    "modules.softdep": lines(
      modules.flatMap(({ name, softdeps }) => softdeps.map((softdep) => `softdep ${name} ${softdep}`)),
    ),
  };
}

/** What has to be loaded before a module: the nearest first, the one that needs nothing last. */
function closure(module: Module, byName: Map<string, Module>): Module[] {
  const found = new Set<Module>();
  const visit = ({ depends }: Module): void => {
    for (const name of depends) {
      const other = byName.get(name);
      if (other === undefined) continue;
      // Set again, so that it comes after everything that needs it.
      found.delete(other);
      found.add(other);
      visit(other);
    }
  };
  visit(module);
  return [...found];
}
