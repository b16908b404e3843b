import { atServer, ExternalComponent, XmppJs, componentXml as xml } from "@kith/testing/clients";
import { type KithServer, startServer } from "@kith/testing/process";
import { xml as clientXml } from "@xmpp/client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";
const SECRET = "a plague on both";
const DOMAIN = "push.localhost";
const NS = "urn:xmpp:push:0";
const NS_PUBSUB = "http://jabber.org/protocol/pubsub";
const NS_STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";

describe("a push service made with @xmpp/component", () => {
  let server: KithServer;
  const open: { stop(): Promise<void> }[] = [];

  beforeAll(async () => {
    server = await startServer({ config: { components: { [DOMAIN]: { secret: SECRET } }, push: { tell: "text" } } });
    for (const name of ["mira", "jonas"]) await server.addUser(`${name}@localhost`, PASSWORD);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.stop()));
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  const login = async (name: string): Promise<XmppJs> => {
    const client = await XmppJs.login({ jid: `${name}@localhost`, password: PASSWORD }, atServer(server, "starttls"));
    open.push({ stop: () => client.kill() });
    return client;
  };
  const notified = async (service: ExternalComponent, what: string) => {
    const asked = await service.stanzas.next(what, ({ name, attrs }) => name === "iq" && attrs.type === "set");
    const publish = asked.getChild("pubsub", NS_PUBSUB)?.getChild("publish");
    const form = publish?.getChild("item")?.getChild("notification", NS)?.getChild("x", "jabber:x:data");
    const fields = Object.fromEntries(
      (form?.getChildren("field") ?? []).map((field) => [field.attrs.var, field.getChildText("value")]),
    );
    return { from: asked.attrs.from, node: publish?.attrs.node, fields };
  };

  test("XEP-0357 §5, §7: is asked for somebody who is away, and no longer once it has refused", async () => {
    const refusal = xml("error", { type: "cancel" }, xml("item-not-found", { xmlns: NS_STANZAS }));
    const answers: (typeof refusal | true)[] = [true, refusal];
    const service = await ExternalComponent.connect(DOMAIN, SECRET, server.port("component"));
    open.push(service);
    service.answers(NS_PUBSUB, "pubsub", () => answers.shift() ?? true);
    // Answered after everything before it on its stream has been handled.
    const settled = async (): Promise<void> => {
      const ping = xml("ping", { xmlns: "urn:xmpp:ping" });
      await service.request(xml("iq", { type: "get", from: DOMAIN, to: "localhost", id: `c${++asked}` }, ping));
    };
    let asked = 0;
    const mira = await login("mira");
    const enable = clientXml("enable", { xmlns: NS, jid: DOMAIN, node: "n1" });
    await mira.request(clientXml("iq", { type: "set" }, enable));
    await mira.leave();

    const jonas = await login("jonas");
    await jonas.say("mira@localhost", "The gulls are back.");
    const first = await notified(service, "the first notification");
    expect(first).toEqual({
      from: "localhost",
      node: "n1",
      fields: {
        FORM_TYPE: "urn:xmpp:push:summary",
        "message-count": "1",
        "last-message-sender": "jonas@localhost",
        "last-message-body": "The gulls are back.",
      },
    });
    await settled();
    await jonas.say("mira@localhost", "All of them.");
    expect((await notified(service, "the second notification")).fields["message-count"]).toBe("2");
    await settled();
    await jonas.say("mira@localhost", "Every one.");
    expect(await jonas.wasTold("mira@localhost", "nothing")).toBe(false);
    await settled();
    expect(service.stanzas.all.filter(({ attrs }) => attrs.type === "set")).toHaveLength(2);
  });
});
