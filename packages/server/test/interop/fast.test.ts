import { type At, atServer, Device, fastXml as xml } from "@kith/testing/clients";
import { type KithServer, startServer } from "@kith/testing/process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";
const PHONE = "2f6c1f0e-3c59-4b5a-8a3b-0c5d7e9f1a2b";
const TABLET = "7d0a4c1e-9b57-4d53-b1f5-5a4c3b2a1908";
const NS_ACCESS = "urn:xmpp:cam:0";
const BY_TOKEN = [">authenticate HT-SHA-256-NONE", "<success"];
const BY_PASSWORD = [">authenticate SCRAM-SHA-1", "<challenge", ">response SCRAM-SHA-1", "<success"];

const REFUSED = [">authenticate HT-SHA-256-NONE", "<failure"];

/** `@xmpp/client` uses XEP-0388, XEP-0386 and XEP-0484 wherever a server offers them. */
describe.each(["starttls", "direct"] as const)("@xmpp/client over %s", (tls) => {
  let server: KithServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  const at = (): At => atServer(server, tls);
  const account = async (localpart: string): Promise<{ jid: string; password: string }> => {
    const jid = `${localpart}@localhost`;
    await server.addUser(jid, PASSWORD);
    return { jid, password: PASSWORD };
  };

  test("XEP-0484 §3.4: a client that returns is in after one flight, with the resource it had", async () => {
    const phone = new Device(await account("returns"), PHONE, "phone");
    const first = await phone.login(at());
    expect(first.elements).toEqual(BY_PASSWORD);
    expect(first.jid).toMatch(/^returns@localhost\/phone\/[A-Za-z0-9_-]{12}$/);
    expect(phone.token).toMatchObject({ mechanism: "HT-SHA-256-NONE" });
    await phone.leave();
    const second = await phone.login(at());
    expect(second).toEqual({ jid: first.jid, elements: BY_TOKEN });
    const ping = xml("iq", { type: "get" }, xml("ping", { xmlns: "urn:xmpp:ping" }));
    expect((await phone.request(ping)).attrs.type).toBe("result");
    await phone.leave();
  });

  test("XEP-0386 §3.2: a client that comes back before its old stream is found to be lost takes its place", async () => {
    const credentials = await account("replaces");
    const lost = new Device(credentials, PHONE, "phone");
    const { jid } = await lost.login(at());
    const returned = new Device(credentials, PHONE, "phone");
    returned.token = lost.token;
    expect(await returned.login(at())).toEqual({ jid, elements: BY_TOKEN });
    expect(await lost.disconnected).toBe("conflict");
    await returned.leave();
  });

  test("XEP-0494 §3: a client whose access is revoked is out, and has to show the password again", async () => {
    const credentials = await account("revokes");
    const phone = new Device(credentials, PHONE, "phone");
    const tablet = new Device(credentials, TABLET, "tablet");
    await phone.login(at());
    await tablet.login(at());
    const list = await tablet.request(xml("iq", { type: "get" }, xml("list", { xmlns: NS_ACCESS })));
    const clients = list.getChild("clients", NS_ACCESS)?.getChildren("client") ?? [];
    expect(clients.map((client) => client.getChild("user-agent")?.getChildText("device")).toSorted()).toEqual([
      "phone",
      "tablet",
    ]);
    const id = clients.find((client) => client.getChild("user-agent")?.getChildText("device") === "phone")?.attrs.id;
    const revoke = xml("iq", { type: "set" }, xml("revoke", { xmlns: NS_ACCESS, id }));
    // It knows the password, so that this is not enough, and the owner is told.
    await expect(tablet.request(revoke)).rejects.toMatchObject({ condition: "service-unavailable" });
    expect(await phone.disconnected).toBe("not-authorized");
    const again = await phone.login(at());
    expect(again.elements).toEqual([...REFUSED, ...BY_PASSWORD]);
    expect(phone.token).toBeDefined();
    await Promise.all([phone.leave(), tablet.leave()]);
  });

  test("XEP-0484 §3.5: a new password ends the token", async () => {
    const credentials = await account("changes");
    const phone = new Device(credentials, PHONE, "phone");
    await phone.login(at());
    const { token } = phone;
    const changed = await server.kith(["user", "passwd", credentials.jid, "--password-stdin"], "another one 8");
    expect(changed.code).toBe(0);
    await phone.disconnected;
    const thief = new Device(credentials, PHONE, "phone");
    thief.token = token;
    await expect(thief.login(at())).rejects.toMatchObject({ condition: "not-authorized" });
    const owner = new Device({ ...credentials, password: "another one 8" }, PHONE, "phone");
    owner.token = token;
    expect((await owner.login(at())).elements).toEqual([...REFUSED, ...BY_PASSWORD]);
    await owner.leave();
  });

  test("XEP-0484: a token outlives a restart of the server", async () => {
    const phone = new Device(await account("restarts"), PHONE, "phone");
    const { jid } = await phone.login(at());
    await phone.leave();
    await server.crash();
    await server.start();
    expect(await phone.login(at())).toEqual({ jid, elements: BY_TOKEN });
    await phone.leave();
  });
});
