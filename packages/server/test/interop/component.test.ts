import { atServer, ExternalComponent, Refused, XmppJs, componentXml as xml } from "@kith/testing/clients";
import { type KithServer, startServer } from "@kith/testing/process";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";
const SECRET = "a plague on both";
const DOMAIN = "echo.localhost";
const ROMEO = "romeo@localhost";

describe("@xmpp/component", () => {
  let server: KithServer;
  const open: { stop(): Promise<void> }[] = [];

  beforeAll(async () => {
    server = await startServer({ config: { components: { [DOMAIN]: { secret: SECRET } } } });
    await server.addUser(ROMEO, PASSWORD);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.stop()));
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  const connect = async (domain = DOMAIN, secret = SECRET): Promise<ExternalComponent> => {
    const component = await ExternalComponent.connect(domain, secret, server.port("component"));
    open.push(component);
    return component;
  };
  const login = async (): Promise<XmppJs> => {
    const client = await XmppJs.login({ jid: ROMEO, password: PASSWORD }, atServer(server, "starttls"));
    open.push({ stop: () => client.kill() });
    return client;
  };

  test("XEP-0114 §3: a component with the shared secret sends and receives messages", async () => {
    const component = await connect();
    const client = await login();
    await client.say(`mercutio@${DOMAIN}`, "a word");
    const heard = await component.stanzas.next("a message", ({ name }) => name === "message");
    expect(heard.attrs).toMatchObject({ to: `mercutio@${DOMAIN}`, type: "chat" });
    expect(heard.attrs.from).toMatch(/^romeo@localhost\/./);
    expect(heard.getChildText("body")).toBe("a word");
    const answer = xml("body", {}, "a word and a blow");
    await component.send(xml("message", { from: `mercutio@${DOMAIN}`, to: ROMEO, type: "chat" }, answer));
    expect(await client.whenTold(`mercutio@${DOMAIN}`, "a word and a blow")).toEqual({ delayed: false });
  });

  test("XEP-0114 §3: requests are answered both ways", async () => {
    const component = await connect();
    const client = await login();
    const ping = xml("ping", { xmlns: "urn:xmpp:ping" });
    const result = await component.request(xml("iq", { type: "get", from: DOMAIN, to: "localhost", id: "c1" }, ping));
    expect(result.attrs).toMatchObject({ type: "result", from: "localhost", to: DOMAIN });
    const answer = await client.request(xml("iq", { type: "get", to: DOMAIN, id: "u1" }, ping));
    expect(answer.attrs).toMatchObject({ type: "result", from: DOMAIN, id: "u1" });
  });

  test("XEP-0114 §3: a wrong secret is refused with not-authorized", async () => {
    const refused = connect(DOMAIN, "not the secret");
    await expect(refused).rejects.toThrow(Refused);
    await expect(refused).rejects.toMatchObject({ condition: "not-authorized" });
  });

  test("XEP-0114 §4: a domain that is not configured is refused with host-unknown", async () => {
    await expect(connect("elsewhere.localhost")).rejects.toMatchObject({ condition: "host-unknown" });
  });

  test("XEP-0114 §4: a second component of the same domain is refused with conflict, and the first one stays", async () => {
    const component = await connect();
    await expect(connect()).rejects.toMatchObject({ condition: "conflict" });
    const client = await login();
    await client.say(DOMAIN, "still there?");
    await component.stanzas.next("a message", ({ name }) => name === "message");
  });

  test("RFC 6120 §8.3.3.16: a request to a component that is not connected is answered with an error", async () => {
    const client = await login();
    const ping = xml("ping", { xmlns: "urn:xmpp:ping" });
    await expect(client.request(xml("iq", { type: "get", to: DOMAIN, id: "u2" }, ping))).rejects.toThrow(Refused);
  });
});
