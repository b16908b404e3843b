import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { HonestPair, type KithServer, RawClient, runtime, startServer } from "@kith/testing/process";
import { describe, expect, onTestFinished, test } from "vitest";

const PASSWORD = "of little faith";
const CONFIG = {
  hosts: { localhost: { registration: "open" } },
  registration: { perAddress: false },
  plaintextFromLoopback: true,
  scram: { iterations: 4_096 },
  // Whoever talks to somebody who is there needs no disk; with an archive it is refused like everything that cannot be stored.
  archive: { enabled: false },
  limits: { guessing: false, rate: false, unauthenticatedPerAddress: false },
} as const;
const FULL = "<error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>";

const run = promisify(execFile);
/** No file may grow beyond so many bytes: what SQLite is told then is what a full disk tells it, for all it does about it. */
const fillDisk = (server: KithServer, bytes: number | "unlimited"): Promise<unknown> =>
  run("prlimit", ["--pid", String(server.pid), `--fsize=${bytes}:unlimited`]);

const connect = async (server: KithServer): Promise<RawClient> => {
  const client = await RawClient.connect({ port: server.port("c2s") });
  onTestFinished(() => client.destroy());
  return client;
};
const login = async (server: KithServer, name: string, isNew = true): Promise<RawClient> => {
  if (isNew) await (await connect(server)).register(name, PASSWORD);
  const client = await connect(server);
  await client.login(name, PASSWORD, "home");
  return client;
};
const rosterSet = (id: string, jid: string): string =>
  `<iq type='set' id='${id}'><query xmlns='jabber:iq:roster'><item jid='${jid}'/></query></iq>`;
const ROSTER = "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>";

describe(`a full disk (${runtime})`, () => {
  test("RFC 6120 §8.3.3.18: what cannot be stored is refused for now, the rest goes on; with room again, so does all of it", async () => {
    await using server = await startServer({ config: CONFIG });
    await using parting = new AsyncDisposableStack();
    const pair = await HonestPair.meet(server);
    parting.defer(() => pair.part());
    const client = await login(server, "thomas");
    await (await connect(server)).register("absent", PASSWORD);
    client.send(rosterSet("before", "peter@localhost"));
    expect(await client.until("/>")).toContain("type='result' id='before'");

    await fillDisk(server, 1_024);
    client.send(rosterSet("full", "paul@localhost"));
    expect(await client.until("</iq>")).toContain(FULL);
    client.send("<message type='chat' to='absent@localhost' id='lost'><body>lost</body></message>");
    expect(await client.until("</message>")).toContain(FULL);
    const stranger = await connect(server);
    await expect(stranger.register("newcomer", PASSWORD)).rejects.toThrow("resource-constraint");
    // Whoever has an account logs in, sees what is stored and nothing else, and chats.
    const again = await login(server, "thomas", false);
    again.send(ROSTER);
    const roster = await again.until("</query></iq>");
    expect(roster).toContain("peter@localhost");
    expect(roster).not.toContain("paul@localhost");
    await pair.seen();

    await fillDisk(server, "unlimited");
    again.send(rosterSet("after", "paul@localhost"));
    await again.until("id='after'");
    again.send("<message type='chat' to='absent@localhost'><body>kept</body></message>");
    await (await connect(server)).register("newcomer", PASSWORD);
    const absent = await login(server, "absent", false);
    absent.send("<presence/>");
    const waiting = await absent.until("<body>kept</body>");
    expect(waiting).not.toContain("<body>lost</body>");
    expect(server.log.filter((line) => line.includes("could not store"))).toHaveLength(1);
    expect(server.log.filter((line) => line.includes('"defect"'))).toEqual([]);

    // What was acknowledged is there after all that.
    await server.crash();
    await server.start();
    const later = await login(server, "thomas", false);
    later.send(ROSTER);
    const kept = await later.until("</query></iq>");
    expect(["peter@localhost", "paul@localhost"].every((jid) => kept.includes(jid))).toBe(true);
  });
});
