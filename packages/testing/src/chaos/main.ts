/**
 * `npm run chaos`: people chat while their connections break and their server is killed, again and again; fails if anything that was
 * acknowledged is lost, stored or shown twice, or out of order.
 *
 *     npm run chaos -- --kills 200 --seed 42
 *     npm run chaos -- --runtime bun
 */
import { readOptions, USAGE, UsageError } from "./options.ts";

const say = (fields: Readonly<Record<string, unknown>>): void =>
  void process.stdout.write(`${JSON.stringify(fields)}\n`);

const main = async (): Promise<number> => {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  // What the server runs on is decided when its driver is loaded.
  process.env.KITH_RUNTIME = options.runtime;
  const { runChaos } = await import("./campaign.ts");
  say({ ...options });
  const report = await runChaos(options, (killed) => say({ ...killed }));
  for (const story of report.stories) say(story);
  say(report.figures);
  return report.violations.length > 0 ? 1 : 0;
};

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
