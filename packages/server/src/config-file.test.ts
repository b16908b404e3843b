import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../../..");
const CONFIG = join(import.meta.dirname, "config.ts");
const PROGRAMS = { node: process.execPath, bun: join(ROOT, "node_modules/bun/bin/bun.exe") };

const SOURCES = {
  "kith.config.ts": "export default {};",
  "typed.ts": 'const level: "warn" = "warn";\nexport default { log: { level }, storage: { directory: "./d" } };\n',
  "later.mjs": 'export default Promise.resolve({ log: { level: "warn" } });\n',
  "syntax.ts": "export default {\n  hosts: { 'a' },\n};\n",
  "enum.ts": "export default {};\n\nenum Level { low }\n",
  "twice.ts": "const a = 1;\nconst a = 2;\nexport default {};\n",
  "throws.ts": 'export default {};\n\nthrow new TypeError("the moon is full");\n',
  "throws-text.ts": "export default {};\nthrow 'the moon is full';\n",
  "imports-nothing.ts": 'import { a } from "./nowhere.ts";\nexport default { a };\n',
  "package.ts": 'import { defineConfig } from "@kith/server";\nexport default defineConfig({});\n',
  "exports-nothing.ts": "export const config = {};\n",
  "wrong.ts": 'export default { log: { level: "loud" } };\n',
};

interface Loaded {
  readonly file?: string;
  readonly level?: string;
  readonly data?: string;
  readonly lines?: readonly string[];
}

/** Loads each file in turn in a process of its own, since a test runner has an import of its own. */
const PROBE = `
import { writeFileSync } from "node:fs";
import { ConfigError, loadConfig } from ${JSON.stringify(CONFIG)};
const load = async (file, directory = ".", environment = {}) => {
  try {
    const config = await loadConfig({ file, directory, environment });
    return { file: config.file, level: config.log.level, data: config.storage.directory };
  } catch (error) {
    return error instanceof ConfigError ? { lines: error.lines } : { lines: ["not a ConfigError: " + error.stack] };
  }
};
const found = {};
for (const name of process.argv.slice(2)) found[name] = await load(name);
found["usual"] = await load(undefined);
found["no file"] = await load(undefined, "./nowhere");
found["by environment"] = await load(undefined, ".", { KITH_CONFIG: "typed.ts" });
writeFileSync("fresh.ts", 'export default { log: { level: "error" } };');
found["before"] = await load("fresh.ts");
writeFileSync("fresh.ts", 'export default { log: { level: "debug" } };');
found["after"] = await load("fresh.ts");
console.log(JSON.stringify(found));
`;

describe.each(["node", "bun"] as const)("kith.config.ts on %s", (runtime) => {
  let folder: string;
  let found: Readonly<Record<string, Loaded>>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "kith-config-"));
    for (const [name, source] of Object.entries(SOURCES)) await writeFile(join(folder, name), source);
    await writeFile(join(folder, "probe.mts"), PROBE);
    const files = [...Object.keys(SOURCES), "absent.ts", "."];
    const { stdout } = await run(PROGRAMS[runtime], ["probe.mts", ...files], { cwd: folder });
    found = JSON.parse(stdout) as typeof found;
  }, 30_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("TypeScript, run as it stands; names of files are relative to it", () => {
    expect(found["typed.ts"]).toEqual({ file: join(folder, "typed.ts"), level: "warn", data: join(folder, "d") });
  });

  test("JavaScript, and a promise of a configuration", () => {
    expect(found["later.mjs"]).toMatchObject({ level: "warn" });
  });

  test("kith.config.ts where there is one, nothing where there is none, and the one that KITH_CONFIG names", () => {
    expect(found.usual).toMatchObject({ file: join(folder, "kith.config.ts"), level: "info" });
    expect(found["no file"]).toEqual({ level: "info", data: join(folder, "nowhere/data") });
    expect(found["by environment"]).toMatchObject({ file: join(folder, "typed.ts") });
  });

  test("it is read afresh each time", () => {
    expect([found.before?.level, found.after?.level]).toEqual(["error", "debug"]);
  });

  test.each<readonly [string, string, RegExp]>([
    ["it is not there", "absent.ts", /^there is no such file$/],
    ["it is a folder", ".", /^it is not a file$/],
    ["a syntax error", "syntax.ts", /^line 2: ./],
    ["a name declared twice", "twice.ts", /^line 2: .*already/],
    ["it throws", "throws.ts", /^line 3: the moon is full$/],
    ["it throws something else", "throws-text.ts", /the moon is full$/],
    ["it exports nothing", "exports-nothing.ts", /^it has to export an object/],
    ["it says what is not allowed", "wrong.ts", /^log\.level: found "loud"; allowed: /],
    ...(runtime === "bun"
      ? []
      : ([
          ["TypeScript that cannot be stripped", "enum.ts", /^line 3: .*enum/],
          ["it imports what is not there", "imports-nothing.ts", /nowhere/],
          [
            "a package that is not installed beside it",
            "package.ts",
            /export a plain object: "export default \{ … \}"/,
          ],
        ] satisfies readonly (readonly [string, string, RegExp])[])),
  ])("%s: a sentence, with the line", (_, name, line) => {
    expect(found[name]?.lines).toEqual([expect.stringMatching(line)]);
  });
});
