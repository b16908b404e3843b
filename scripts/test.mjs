/** `npm test`: the check and every suite, on Node. `--bun`: only the suites that start a server, which runs on Bun. */
import { command, pinnedBun, setUp } from "./setup.mjs";
import { lint, onRuntime, runSteps, types, unit } from "./steps.mjs";

await command((args) => {
  const node = setUp();
  if (!args.includes("--bun")) return runSteps(node, [types, lint, unit, ...onRuntime("node")]);
  pinnedBun();
  return runSteps(node, onRuntime("bun"));
});
