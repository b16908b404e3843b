import { atServer, Mobile } from "@kith/testing/clients";
import { type KithServer, startServer } from "@kith/testing/process";
import { type XmlElement, xml } from "@xmpp/client";
import { afterEach, describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";
const MIRA = "mira@localhost";
const RETRACTION = "urn:xmpp:message-retract:1";
const NS_WEB_PUSH = "https://kith.chat/protocol/web-push";
const NS_INFO = "http://jabber.org/protocol/disco#info";

/** Of every server, whatever is switched off. */
const SERVER = [
  "http://jabber.org/protocol/caps",
  "http://jabber.org/protocol/commands",
  NS_INFO,
  "http://jabber.org/protocol/disco#items",
  "jabber:iq:last",
  "jabber:iq:private",
  "jabber:iq:register",
  "jabber:iq:roster",
  "jabber:iq:version",
  "msgoffline",
  "urn:xmpp:blocking",
  "urn:xmpp:carbons:2",
  "urn:xmpp:carbons:rules:0",
  "urn:xmpp:ping",
  "urn:xmpp:time",
  "vcard-temp",
];
/** Of every account. */
const ACCOUNT = [
  NS_INFO,
  "http://jabber.org/protocol/disco#items",
  "jabber:iq:last",
  "urn:xmpp:cam:0",
  "urn:xmpp:sid:0",
  "vcard-temp",
];
/** What comes with archives. */
const ARCHIVE = [
  "http://jabber.org/protocol/rsm",
  "urn:xmpp:mam:2",
  "urn:xmpp:mam:2#extended",
  "urn:xmpp:mam:2#groupchat-field",
  RETRACTION,
  `${RETRACTION}#tombstone`,
];
const PUSH = ["urn:xmpp:push:0", NS_WEB_PUSH];

/** Of a stream on which nobody has logged in: what is there besides the mechanisms. */
const BEFORE = [
  "authentication urn:xmpp:sasl:2",
  "limits urn:xmpp:stream-limits:0",
  "mechanisms urn:ietf:params:xml:ns:xmpp-sasl",
  "register http://jabber.org/features/iq-register",
  "register urn:xmpp:ibr-token:0",
  "sasl-channel-binding urn:xmpp:sasl-cb:0",
];
/** Of a stream on which somebody has, with a resource or without. */
const AFTER = [
  "c http://jabber.org/protocol/caps",
  "csi urn:xmpp:csi:0",
  "limits urn:xmpp:stream-limits:0",
  "sub urn:xmpp:features:pre-approval",
  "ver urn:xmpp:features:rosterver",
];

describe("what a server announces is what it can do", () => {
  const open: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0).toReversed()) await close();
  });

  const serving = async (config: Readonly<Record<string, unknown>>): Promise<KithServer> => {
    const server = await startServer({ config });
    open.push(() => server[Symbol.asyncDispose]());
    await server.addUser(MIRA, PASSWORD);
    return server;
  };
  const login = async (server: KithServer, way: "inline" | "classic"): Promise<Mobile> => {
    const device = await Mobile.login({ jid: MIRA, password: PASSWORD }, atServer(server, "direct"), way);
    open.push(() => device.kill());
    await device.settle();
    return device;
  };
  const infoOf = async (device: Mobile, to: string): Promise<readonly string[]> => {
    const result = await device.request(xml("iq", { type: "get", to }, xml("query", { xmlns: NS_INFO })));
    const features = result.getChild("query", NS_INFO)?.getChildren("feature") ?? [];
    return features.map(({ attrs }) => attrs.var ?? "").toSorted();
  };

  test("XEP-0030 §3.1: of the server and of an account", async () => {
    const device = await login(await serving({}), "inline");
    expect(await infoOf(device, "localhost")).toEqual([...SERVER, RETRACTION].toSorted());
    expect(await infoOf(device, MIRA)).toEqual([...ACCOUNT, ...ARCHIVE, ...PUSH].toSorted());
  });

  test("XEP-0030 §3.1, XEP-0431 §3, XEP-0313 §7: what is switched on besides", async () => {
    const device = await login(await serving({ archive: { fullText: true, groupchat: true } }), "inline");
    const more = ["urn:xmpp:fulltext:0", "urn:xmpp:mam:2#groupchat-available"];
    expect(await infoOf(device, MIRA)).toEqual([...ACCOUNT, ...ARCHIVE, ...PUSH, ...more].toSorted());
  });

  test("XEP-0030 §3.1: nothing of what is switched off", async () => {
    const off = {
      archive: { enabled: false },
      push: { services: false, browsers: false },
      registration: { mode: "closed", passwordChange: false, cancellation: false },
    };
    const device = await login(await serving(off), "inline");
    expect(await infoOf(device, "localhost")).toEqual(SERVER);
    expect(await infoOf(device, MIRA)).toEqual(ACCOUNT);
  });

  test("RFC 6120 §4.3.2, XEP-0388 §2.1: on streams, before and after logging in", async () => {
    const server = await serving({});
    const inline = await login(server, "inline");
    const classic = await login(server, "classic");
    // It takes no notice of what is announced for XEP-0388.
    expect(classic.features.map(namesOf)).toEqual([
      BEFORE.slice(1),
      [
        ...AFTER,
        "bind urn:ietf:params:xml:ns:xmpp-bind",
        "session urn:ietf:params:xml:ns:xmpp-session",
        "sm urn:xmpp:sm:3",
      ].toSorted(),
    ]);
    // Stream management has begun in <bind/>.
    expect(inline.features.map(namesOf)).toEqual([BEFORE, AFTER]);
    const offered = inline.features[0]?.getChild("authentication", "urn:xmpp:sasl:2")?.getChild("inline");
    expect(namesOf(offered)).toEqual(["bind urn:xmpp:bind:0", "fast urn:xmpp:fast:0", "sm urn:xmpp:sm:3"]);
    const bind = offered?.getChild("bind", "urn:xmpp:bind:0")?.getChild("inline");
    expect(bind?.getChildren("feature").map(({ attrs }) => attrs.var)).toEqual([
      "urn:xmpp:carbons:2",
      "urn:xmpp:csi:0",
      "urn:xmpp:sm:3",
    ]);
  });
});

const namesOf = (element: XmlElement | undefined): readonly string[] =>
  (element?.getChildElements() ?? []).map(({ name, attrs }) => `${name} ${attrs.xmlns}`).toSorted();
