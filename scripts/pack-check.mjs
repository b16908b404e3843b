/** `npm run pack:check`: builds and packs what is published, installs it in an empty folder and runs it there. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { build, published, stageOf } from "./published.mjs";
import { command, root, setUp } from "./setup.mjs";

/** In milliseconds, for the server to start or stop. */
const PATIENCE = 60_000;

/** A program of somebody else's: compiled against the types, then run. */
const CONSUMER = `
import { parseJid, type Jid } from "@kith/protocol";
import { type Module, createCore } from "@kith/server";

const jid: Jid = parseJid("romeo@example.org/orchard");
const quiet: Module = { name: "quiet", xeps: [] };
if (typeof createCore !== "function" || quiet.xeps.length > 0) throw new Error("incomplete");
process.stdout.write(String(jid));
`;

/** Everything on loopback, on ports the system chooses. */
const CONFIG = `
import { defineConfig } from "@kith/server";

export default defineConfig({
  listeners: [
    { kind: "c2s", address: "127.0.0.1", port: 0 },
    { kind: "c2s-tls", address: "127.0.0.1", port: 0 },
  ],
});
`;

/** The folder of somebody who installs Kith, and the programs they run there. The pinned Node comes first on their path. */
const placeAt = (folder, node) => {
  const bin = join(folder, "node_modules", ".bin");
  const env = { ...process.env, PATH: [bin, dirname(node), process.env.PATH].join(delimiter) };
  const runIn = (program, args) =>
    execFileSync(program, args, { cwd: folder, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  return {
    env,
    npm: (...args) => runIn("npm", args),
    node: (...args) => runIn(node, args),
    tsc: (...args) => runIn(node, [join(root, "node_modules/typescript/bin/tsc"), ...args]),
    kith: (...args) => runIn(join(bin, "kith"), args),
    tellKith: (input, ...args) =>
      execFileSync(join(bin, "kith"), args, { cwd: folder, env, input, stdio: ["pipe", "ignore", "inherit"] }),
    spawnKith: (...args) => spawn(join(bin, "kith"), args, { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] }),
  };
};

/** Gives the path of the tarball. */
const pack = (place, name, folder) => {
  const [{ filename }] = JSON.parse(place.npm("pack", "--json", "--pack-destination", folder, stageOf(name)));
  return join(folder, filename);
};

const checkAll = async (place, folder) => {
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ ...JSON.parse(place.node("-p", "JSON.stringify(require('./package.json'))")), type: "module" }),
  );
  writeFileSync(join(folder, "consumer.ts"), CONSUMER);
  writeFileSync(join(folder, "kith.config.ts"), CONFIG);
  await check("its types serve a program that uses them", () => {
    const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
    place.tsc("consumer.ts", "--noEmit", "--module", "nodenext", "--target", "es2024", "--strict", ...types);
  });
  await check("@kith/protocol and @kith/server are imported", () => {
    if (place.node("consumer.ts") !== "romeo@example.org/orchard")
      throw new Error("the program printed something else");
  });
  await check("kith --help", () => {
    if (!place.kith("--help").includes("start")) throw new Error("the help does not name the command start");
  });
  await check("kith start serves, stores an account, and stops on SIGTERM with exit code 0", () => startAndStop(place));
};

const check = async (what, body) => {
  try {
    await body();
    process.stdout.write(`${what}: yes\n`);
  } catch (error) {
    throw new Error(`${what}: no (${error.message})`);
  }
};

const startAndStop = async (place) => {
  const server = place.spawnKith("start", "--config", "kith.config.ts");
  const tooLate = setTimeout(() => server.kill("SIGKILL"), PATIENCE);
  const exited = new Promise((resolve) => server.once("exit", (code, signal) => resolve(code ?? signal)));
  try {
    let isReady = false;
    for await (const line of createInterface({ input: server.stdout })) {
      if (!isReadyLine(line)) continue;
      isReady = true;
      place.tellKith("wherefore7\n", "user", "add", "romeo@localhost", "--password-stdin");
      server.kill("SIGTERM");
    }
    const code = await exited;
    if (!isReady) throw new Error(`it never said that it is ready; exit ${code}`);
    if (code !== 0) throw new Error(`exit ${code}`);
  } finally {
    clearTimeout(tooLate);
    server.kill("SIGKILL");
  }
};

const isReadyLine = (line) => {
  try {
    return JSON.parse(line).ready === true;
  } catch {
    return false;
  }
};

await command(async () => {
  const node = setUp();
  await build(node);
  const folder = mkdtempSync(join(tmpdir(), "kith-pack-"));
  try {
    const place = placeAt(folder, node);
    place.npm("init", "--yes");
    place.npm("install", "--no-audit", "--no-fund", ...published.map((name) => pack(place, name, folder)));
    await checkAll(place, folder);
    return 0;
  } catch (error) {
    process.stderr.write(`pack:check: ${error.message}\n`);
    return 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
