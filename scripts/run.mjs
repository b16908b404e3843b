/** Installs what is missing and runs a script on the pinned Node: `node scripts/run.mjs FILE [ARGUMENT…]`. */
import { command, run, setUp } from "./setup.mjs";

await command((args) => run(setUp(), args));
