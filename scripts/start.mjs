/** `npm start`: installs what is missing and starts the server. `--bun` as the first argument runs it on Bun. */
import { command, pinnedBun, run, setUp } from "./setup.mjs";

await command((args) => {
  const node = setUp();
  const onBun = args[0] === "--bun";
  return run(onBun ? pinnedBun() : node, ["packages/server/src/main.ts", "start", ...args.slice(onBun ? 1 : 0)]);
});
