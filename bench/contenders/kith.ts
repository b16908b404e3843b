/** Kith, on Node or on Bun, from the sources beside us. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Child, type Core } from "../children.ts";
import { fillStore } from "../history.ts";
import { type Contender, type Purpose, type RunningServer, type Setting, START_LIMIT } from "./contender.ts";

export type Runtime = "node" | "bun";

const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "packages/server/src/main.ts");
const CONFIGS: Readonly<Record<Purpose, string>> = {
  setup: join(ROOT, "bench/kith.setup.config.ts"),
  measuring: join(ROOT, "bench/kith.config.ts"),
};
const RUNTIMES = {
  node: { title: "Node", program: join(ROOT, "node_modules/node/bin/node") },
  bun: { title: "Bun", program: join(ROOT, "node_modules/bun/bin/bun.exe") },
} as const;

export const kith = (runtime: Runtime): Contender => ({
  name: `kith-${runtime}`,
  title: `Kith on ${RUNTIMES[runtime].title}`,
  data: "kith",
  archives: ["off", "on", "full-text"],
  prepare: async () => `${commit()}, ${RUNTIMES[runtime].title} ${versionOf(RUNTIMES[runtime].program)}`,
  fill: (folder, fill, archive) => fillStore(dataOf(folder), fill, archive === "full-text"),
  start: (folder, core, setting) => start(runtime, folder, core, setting),
});

const dataOf = (folder: string): string => join(folder, "data");

const start = async (runtime: Runtime, folder: string, core: Core, setting: Setting): Promise<RunningServer> => {
  const child = new Child(
    `Kith on ${RUNTIMES[runtime].title}`,
    [RUNTIMES[runtime].program, MAIN, "start", "--config", CONFIGS[setting.purpose]],
    {
      core,
      env: { KITH_DATA_DIRECTORY: dataOf(folder), BENCH_ARCHIVE: setting.archive },
      cwd: folder,
      logFile: join(folder, `kith-${runtime}.log`),
      readsOutput: true,
    },
  );
  let port: number | undefined;
  await child.until("it was ready", START_LIMIT, () => {
    port ??= portIn(child.output);
    return port !== undefined;
  });
  return { child, port: port ?? 0 };
};

/** Reads the line that says which port was free. */
const portIn = (output: string): number | undefined => {
  const line = output.split("\n").find((text) => text.startsWith('{"ready":true') && text.endsWith("}"));
  if (line === undefined) return undefined;
  const { listeners } = JSON.parse(line) as { readonly listeners: readonly { readonly port: number }[] };
  return listeners[0]?.port;
};

const versionOf = (program: string): string =>
  execFileSync(program, ["--version"], { encoding: "utf8" }).trim().replace(/^v/, "");

/** The version, and the commit where there is one. */
const commit = (): string => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "packages/server/package.json"), "utf8")) as {
    readonly version: string;
  };
  try {
    const args = ["describe", "--always", "--dirty", "--exclude=*"];
    const stdio: ["ignore", "pipe", "ignore"] = ["ignore", "pipe", "ignore"];
    return `${version} (${execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio }).trim()})`;
  } catch {
    return version;
  }
};
