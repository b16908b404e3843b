/**
 * `npm run hostile`: 200 pairs chat while attackers do their worst. Prints a line of JSON for each phase; ends with 1 if
 * somebody was cut off or kept waiting, a message was lost, or the server held too much.
 *
 *     npm run hostile -- --seconds 60
 *     KITH_RUNTIME=bun npm run hostile
 */
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { runtime } from "../process/server.ts";
import { type HostileOptions, readOptions, USAGE, UsageError } from "./options.ts";
import { runHostile } from "./run.ts";

const say = (fields: Readonly<Record<string, unknown>>): void =>
  void process.stdout.write(`${JSON.stringify(fields)}\n`);

/** Keeps ourselves, and whatever we start from now on, on one core. Without `taskset` nobody is kept anywhere. */
const pinned = (options: HostileOptions): HostileOptions => {
  if (options.cores === undefined) return options;
  try {
    execFileSync("taskset", ["-a", "-c", "-p", String(options.cores.load), String(process.pid)], { stdio: "ignore" });
    return options;
  } catch {
    return { ...options, cores: undefined };
  }
};

const main = async (): Promise<number> => {
  const options = readOptions(process.argv.slice(2), cpus().length);
  if (options === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const at = pinned(options);
  say({ hostile: runtime, ...at });
  const faults = await runHostile(at, say);
  for (const fault of faults) say({ fault });
  say({ hostile: runtime, failed: faults.length > 0 });
  return faults.length > 0 ? 1 : 0;
};

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
process.exit();
