/** Finds and runs `kith.config.ts`; what goes wrong with it is told in sentences, with file and line. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ConfigError } from "./config.ts";
