/** A server inside a program of one's own, with a module of one's own: `node scripts/run.mjs docs/examples/dice.ts`. */
import { randomInt } from "node:crypto";
import { element, parseJid, payload } from "@kith/protocol";
import { createApp, createLog, type Module, memoryStore, onGet, readConfig } from "@kith/server";

const NS = "urn:example:dice";
const Roll = payload({ ns: NS, name: "roll", places: ["iq-get"], parse: () => NS, build: () => element(NS, "roll") });

const dice = (): Module => ({
  name: "dice",
  xeps: [],
  features: [NS],
  iq: [onGet(Roll, ["server"], () => [element(NS, "roll", { eyes: randomInt(1, 7) })])],
});

const config = readConfig({ hosts: { localhost: {} } }, { file: undefined, directory: ".", environment: process.env });
const log = createLog({ level: "info", format: "auto" });
const app = await createApp({ config, store: memoryStore(), log, version: "1.0", modules: () => [dice()] });
await app.accounts.create(parseJid("romeo@localhost").bare, "wherefore7");
console.log(await app.listen());
process.once("SIGINT", () => void app.stop());
