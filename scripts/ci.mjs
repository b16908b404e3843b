/** What `.ci/run` runs: every step, each with a time limit, then one line with the sum. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./setup.mjs";

const MINUTE = 60_000;
const folder = mkdtempSync(join(tmpdir(), "kith-ci-"));

/** Runs `npm …` as a process group of its own, so that nothing outlives its time. Settles with the exit code. */
const npm = (args, limit, env) =>
  new Promise((resolve) => {
    const child = spawn("npm", args, {
      cwd: root,
      detached: true,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
    });
    const end = () => killGroup(child.pid);
    const timer = setTimeout(() => {
      console.log(`npm ${args.join(" ")}: ended after ${limit / MINUTE} minutes`);
      end();
    }, limit);
    child.on("error", () => resolve(1));
    child.on("exit", (code) => {
      clearTimeout(timer);
      end();
      resolve(code ?? 1);
    });
  });

const killGroup = (pid) => {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
};

/** A step that counts its tests itself; a crash is one failure. */
const counted = async (name, args, limit) => {
  const tally = join(folder, `${name}.json`);
  const code = await npm(args, limit, { KITH_TALLY: tally, KITH_SKIPS: "fail" });
  const counts = readTally(tally);
  if (counts === undefined) return { passed: 0, failed: 1 };
  return { passed: counts.passed, failed: counts.failed === 0 && code !== 0 ? 1 : counts.failed };
};

const readTally = (file) => {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
};

/** A step that passes or fails as a whole. */
const whole = async (passes) => ((await passes()) ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });

const lockFile = () =>
  createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");

const locked = lockFile();
const steps = {
  "npm test": () => counted("node", ["test"], 15 * MINUTE),
  "the lock file is unchanged": () => whole(() => lockFile() === locked),
  "npm run test:bun": () => counted("bun", ["run", "test:bun"], 12 * MINUTE),
  // Begins with its seed, which repeats it.
  "npm run fuzz, 60 s": () =>
    whole(async () => (await npm(["run", "fuzz", "--", "--seconds", "60"], 5 * MINUTE)) === 0),
  "XEPS.md is up to date": () => whole(async () => (await npm(["run", "xeps", "--", "--check"], MINUTE)) === 0),
  "npm run pack:check": () => whole(async () => (await npm(["run", "pack:check"], 5 * MINUTE)) === 0),
};

const total = { passed: 0, failed: 0 };
for (const [name, step] of Object.entries(steps)) {
  console.log(`\n=== ${name}`);
  const started = Date.now();
  const { passed, failed } = await step();
  console.log(`=== ${name}: ${passed} of ${passed + failed}, ${Math.round((Date.now() - started) / 1000)} s`);
  total.passed += passed;
  total.failed += failed;
}
rmSync(folder, { recursive: true, force: true });
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;
