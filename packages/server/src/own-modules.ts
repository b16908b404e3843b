/** Modules of one's own, as a configuration or an application names them. */
import type { DomainJid } from "@kith/protocol";
import type { Module } from "./module.ts";
import type { Log } from "./router/log.ts";
import type { Store } from "./store/store.ts";

/** What a module of one's own may need. */
export interface ModuleServices {
  /** Collections to keep things in: see docs/modules.md, "What a module may keep". */
  readonly store: Store;
  /** The domains served. */
  readonly hosts: readonly DomainJid[];
  readonly log: Log;
}

/** Modules, or what makes them. */
export type OwnModules = readonly Module[] | ((services: ModuleServices) => readonly Module[]);

/** Makes them. Throws TypeError where what comes out is something else: it was written by hand, perhaps without a compiler. */
export const ownModules = (own: OwnModules | undefined, services: ModuleServices): readonly Module[] => {
  const modules = typeof own === "function" ? own(services) : (own ?? []);
  if (areModules(modules)) return modules;
  throw new TypeError('"modules" of the configuration gives something else than a list of modules');
};

/** As far as can be seen: each has a name, and says which specifications it implements. */
export const areModules = (found: unknown): found is readonly Module[] =>
  Array.isArray(found) &&
  found.every(
    (one: unknown) =>
      typeof one === "object" && one !== null && "name" in one && typeof one.name === "string" && "xeps" in one,
  );
