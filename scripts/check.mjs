/** `npm run check`: types, lint, format and unit tests. */
import { command, setUp } from "./setup.mjs";
import { lint, runSteps, types, unit } from "./steps.mjs";

await command(() => runSteps(setUp(), [types, lint, unit]));
