/**
 * What every command of this repository begins with. Plain JavaScript for Node 20 and newer, because it runs before
 * anything is installed: it installs what is missing and finds the pinned runtimes (npm packages `node` and `bun`).
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

const onWindows = process.platform === "win32";
const inRoot = (...parts) => join(root, ...parts);
const readJson = (...parts) => JSON.parse(readFileSync(inRoot(...parts), "utf8"));

/** Ends the command with one sentence that says what to do. */
export class Unready extends Error {}

/** Runs `main`; what it returns is the exit code. */
export const command = async (main) => {
  try {
    process.exitCode = (await main(process.argv.slice(2))) ?? 0;
  } catch (error) {
    if (!(error instanceof Unready)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
};

/**
 * Installs what is missing; gives the pinned Node, checked to run. Every command goes on with it: what the machine
 * has may be older.
 */
export const setUp = () => {
  if (!isInstalled()) install();
  return pinned("node", inRoot("node_modules", "node", "bin", onWindows ? "node.exe" : "node"));
};

/** The pinned Bun; after `setUp`. */
export const pinnedBun = () => pinned("bun", inRoot("node_modules", "bun", "bin", "bun.exe"));

/**
 * Is what the lock file asks for what npm says it has installed? Compared by content: a checkout gives files new dates.
 * Packages for other platforms are optional and may be missing.
 */
const isInstalled = () => {
  if (!existsSync(inRoot("node_modules", ".package-lock.json"))) return false;
  const wanted = readJson("package-lock.json").packages;
  const found = readJson("node_modules", ".package-lock.json").packages;
  const isThere = ([path, { version, optional }]) =>
    optional === true || (found[path]?.version === version && existsSync(inRoot(path)));
  return (
    isLocked() &&
    Object.entries(wanted)
      .filter(([path]) => path.startsWith("node_modules/"))
      .every(isThere)
  );
};

/** Does the lock file say what the package.json files do? It does not while somebody changes a dependency. */
const isLocked = () => {
  const wanted = readJson("package-lock.json").packages;
  return ["", ...readJson("package.json").workspaces].every((folder) => agrees(folder, wanted[folder]));
};

const agrees = (folder, locked) => {
  const manifest = readJson(folder, "package.json");
  return ["dependencies", "devDependencies"].every((kind) => sameEntries(manifest[kind], locked?.[kind]));
};

const sameEntries = (one = {}, other = {}) => {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
};

const install = () => {
  process.stderr.write("Installing what is missing (npm install) …\n");
  const wasLocked = isLocked();
  const lockFile = readFileSync(inRoot("package-lock.json"));
  const args = ["install", "--no-audit", "--no-fund"];
  // Under `npm start` this is the npm that runs us; else the one on the path.
  const npm = process.env.npm_execpath?.endsWith(".js") ? process.env.npm_execpath : undefined;
  // Warnings that a package wants a newer Node: what runs it is the pinned one.
  const env = { ...process.env, npm_config_loglevel: process.env.npm_config_loglevel ?? "error" };
  const options = { cwd: root, env, stdio: ["ignore", 2, 2] };
  const { status } = npm
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync(onWindows ? "npm.cmd" : "npm", args, { ...options, shell: onWindows });
  if (status !== 0) throw new Unready("npm install failed (see above); mend that and run the command again.");
  // npm before version 11 leaves out fields that it does not know.
  if (wasLocked && !lockFile.equals(readFileSync(inRoot("package-lock.json")))) {
    writeFileSync(inRoot("package-lock.json"), lockFile);
  }
};

const pinned = (name, path) => {
  const version = readJson("package.json").devDependencies[name];
  const found = versionOf(path);
  if (found === version) return path;
  const what = found === undefined ? "does not run" : `is version ${found}`;
  throw new Unready(
    `The pinned runtime ${name} ${version} is needed, but ${path} ${what}: allow its install script ` +
      `(npm config get ignore-scripts must say false) and run: npm rebuild ${name}`,
  );
};

const versionOf = (path) => {
  try {
    const said = execFileSync(path, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return said.trim().replace(/^v/, "");
  } catch {
    return undefined;
  }
};

/** Runs a program with our own standard streams; settles with its exit code (128 and the signal's number if one ended it). */
export const run = (program, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit", ...options });
    const stopForwarding = forwardSignals(child);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      stopForwarding();
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });

/** A terminal sends its Ctrl-C to the program as well as to us: forwarded, it would arrive twice. */
const forwardSignals = (child) => {
  const listeners = ["SIGTERM", "SIGHUP", "SIGINT"].map((signal) => {
    const isTheTerminals = signal === "SIGINT" && process.stdin.isTTY === true;
    const listener = () => isTheTerminals || child.kill(signal);
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const stop of listeners) stop();
  };
};
