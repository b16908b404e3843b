#!/usr/bin/env node
/** The `kith` command. Everything is put together here and in app.ts. */
import { useIdna } from "@kith/protocol";
import manifest from "../package.json" with { type: "json" };
import { processIo } from "./cli/io.ts";
import { runProgram } from "./cli/program.ts";
import { idna } from "./crypto.ts";
import { keepHeapSmall } from "./listen/runtime.ts";

keepHeapSmall();
// Before any address is read, those of the configuration included.
useIdna(idna);

const code = await runProgram(process.argv.slice(2), processIo(), {
  version: manifest.version,
  openStore: async ({ storage: { directory, synchronous } }, log) => {
    const { openSqliteStore } = await import("./store/sqlite.ts");
    return openSqliteStore({ directory, synchronous, log });
  },
  createApp: async (config, store, log) => {
    const { createApp } = await import("./app.ts");
    return createApp({ config, store, log, version: manifest.version });
  },
});
// Whatever is still open has had its time.
process.exit(code);
