/**
 * `npm run fuzz`: tries the XML reader and whole streams with inputs that a seed decides.
 *
 *     npm run fuzz -- --seconds 600 --seed 42
 *     npm run fuzz -- --only streams --again 123456      one input once more
 *
 * Ends with 1 and the smallest input that still fails if something is broken.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { type Campaign, campaign, type Failure, reader, streams, type Target } from "./campaign.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string" },
    only: { type: "string" },
    again: { type: "string" },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const report = (name: string, seed: number, seconds: number, { inputs, tally, failure }: Campaign): void => {
  say(JSON.stringify({ fuzz: name, seed, seconds, inputs, ...tally, failed: failure !== undefined }));
  if (failure !== undefined) explain(failure);
};

const explain = ({ seed, reason, input }: Failure): void =>
  say(`input ${seed}: ${reason}\nas small as it gets:\n${input}`);

const runAgain = async (target: Target, seed: number): Promise<boolean> => {
  try {
    say(JSON.stringify(await target.attempt(seed)));
    return true;
  } catch (error) {
    explain({
      seed,
      reason: error instanceof Error ? error.message : String(error),
      input: await target.explain(seed),
    });
    return false;
  }
};

const targets = [reader, streams].filter(({ name }) => values.only === undefined || name.includes(values.only));
const seconds = Number(values.seconds) / targets.length;
const seed = values.seed === undefined ? randomInt(2 ** 32) : Number(values.seed);
let isSound = targets.length > 0;
for (const target of targets) {
  if (values.again !== undefined) {
    isSound = (await runAgain(target, Number(values.again))) && isSound;
    continue;
  }
  say(`${target.name}: seed ${seed}, ${seconds} s`);
  const done = await campaign(target, seed, seconds);
  report(target.name, seed, seconds, done);
  isSound &&= done.failure === undefined;
}
process.exit(isSound ? 0 : 1);
