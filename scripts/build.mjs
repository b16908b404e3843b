/** `npm run build`: what is published, in `dist/PACKAGE`, ready for `npm publish dist/PACKAGE`. */

import { build } from "./published.mjs";
import { command, setUp } from "./setup.mjs";

await command(() => build(setUp()));
