import { bindRequest, plainAuth, type RawClient, streamHeader } from "@kith/testing/process";
import { describe, expect, test } from "vitest";
import { configOf, expectEnd, hostile, PASSWORD, stanzaError, streamError } from "./hostile-scene.ts";

/** Each breaks another rule of RFC 7622. */
const MALFORMED = [
  "",
  "@",
  "@localhost",
  "a@",
  "a b@localhost",
  "a@localhost/",
  "a&amp;b@localhost",
  "a@[::1",
  "a@-localhost-",
  `${"a".repeat(1_024)}@localhost`,
  `a@localhost/${"a".repeat(1_024)}`,
  "&#x202e;a@localhost",
];

/** Sends one request and gives its answer, whole. */
const asked = async (client: RawClient, xml: string, id = "1"): Promise<string> => {
  client.send(xml);
  const start = await client.until(`id='${id}'`);
  return (
    start.slice(start.lastIndexOf("<iq")) + (client.received.startsWith("/>") ? "/>" : await client.until("</iq>"))
  );
};

const FEW = {
  rosterItems: 5,
  rosterGroups: 10,
  blockedAddresses: 5,
  privateBytes: "2 KiB",
  vcardBytes: "2 KiB",
} as const;

hostile("stanzas of strangers", configOf(FEW), ({ stranger }) => {
  describe("false addresses", () => {
    test.each(["message", "presence", "iq type='get' id='1'"])(
      "RFC 6120 §8.1.2.1: <%s/> in the name of somebody else ends the stream",
      async (start) => {
        for (const from of ["alice@localhost", "alice@localhost/home", "localhost", "not an address", ""]) {
          const client = await stranger.login();
          client.send(`<${start} from='${from}' to='alice@localhost/home'><a xmlns='urn:a'/></${start.split(" ")[0]}>`);
          await expectEnd(client, "invalid-from");
        }
      },
    );

    test("RFC 6120 §8.1.2.1: one's own address may be given, and is made whole", async () => {
      const client = await stranger.login("lair");
      const own = `${client.name}@localhost`;
      for (const from of [own, `${own}/lair`]) {
        client.send(`<message from='${from}' to='${own}/lair'><body>me</body></message>`);
        expect(await client.until("</message>")).toContain(`<message from='${own}/lair'`);
      }
    });

    test.each(["message", "presence", "iq type='get' id='1'"])(
      "RFC 6120 §8.3.3.8: <%s/> to no address is answered jid-malformed",
      async (start) => {
        const client = await stranger.login();
        for (const to of MALFORMED) {
          client.send(`<${start} to='${to}'><a xmlns='urn:a'/></${start.split(" ")[0]}>`);
          expect(await client.until("</error>")).toContain(stanzaError("modify", "jid-malformed"));
        }
        expect(client.isClosed).toBe(false);
      },
    );

    test.each([
      ["RFC 6121 §2.3.3: in a roster", "<query xmlns='jabber:iq:roster'><item jid='JID'/></query>"],
      [
        "RFC 6121 §2.5: in a removal",
        "<query xmlns='jabber:iq:roster'><item jid='JID' subscription='remove'/></query>",
      ],
      ["XEP-0191 §3.3: among the blocked", "<block xmlns='urn:xmpp:blocking'><item jid='JID'/></block>"],
      [
        "XEP-0191 §3.4: among those no longer blocked",
        "<unblock xmlns='urn:xmpp:blocking'><item jid='JID'/></unblock>",
      ],
    ])("%s, no address is answered jid-malformed", async (_, payload) => {
      const client = await stranger.login();
      for (const jid of MALFORMED) {
        const answer = await asked(client, `<iq type='set' id='1'>${payload.replace("JID", jid)}</iq>`);
        expect(answer).toContain(stanzaError("modify", "jid-malformed"));
      }
    });

    test("RFC 6120 §4.9.3.7: in a header, no address ends the stream", async () => {
      for (const address of MALFORMED) {
        const to = await stranger.connect();
        to.send(streamHeader(address));
        expect(await to.closed()).toMatch(/<(?:improper-addressing|host-unknown) xmlns=/);
        const from = await stranger.connect();
        from.send(streamHeader("localhost").replace("<stream:stream", `<stream:stream from='${address}'`));
        await expectEnd(from, "improper-addressing");
      }
    });

    test("RFC 6120 §4.9.3.6: another host ends the stream", async () => {
      const client = await stranger.connect();
      client.send(streamHeader("elsewhere.example"));
      await expectEnd(client, "host-unknown");
    });

    test("RFC 6120 §7.7.2.1: what cannot be a resource is replaced by one of the server's", async () => {
      const { name } = await stranger.login();
      for (const resource of ["", "a".repeat(1_024), "&#x85;", "&#x202e;".repeat(400)]) {
        const client = await stranger.connect();
        await client.authenticate(name, PASSWORD);
        client.send(bindRequest(resource));
        expect(await client.until("</iq>")).toMatch(new RegExp(`<jid>${name}@localhost/[\\w-]{12}</jid>`));
      }
    });

    test("RFC 6120 §6.5.6, §6.5.10: names that are none do not authenticate, nor does anybody as somebody else", async () => {
      const { name } = await stranger.login();
      for (const [username, authzid, condition] of [
        ["a b", "", "not-authorized"],
        ["@", "", "not-authorized"],
        ["a".repeat(1_024), "", "not-authorized"],
        ["alice", "", "not-authorized"],
        [name, "alice@localhost", "invalid-authzid"],
        [name, "@", "invalid-authzid"],
        [name, `${name}@localhost/lair`, "invalid-authzid"],
      ] as const) {
        const client = await stranger.arrive();
        client.send(plainAuth(username, PASSWORD, authzid));
        expect(await client.until("</failure>"), `${username} ${authzid}`).toContain(`<${condition}/>`);
      }
    });
  });

  describe("too much", () => {
    test("RFC 6121 §2.3.3: 10,000 groups are not acceptable, and cost nobody else time", async () => {
      const client = await stranger.login();
      const groups = Array.from({ length: 10_000 }, (_, at) => `<group>${at}</group>`).join("");
      const answer = await asked(
        client,
        `<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='a@localhost'>${groups}</item></query></iq>`,
      );
      expect(answer).toContain(stanzaError("modify", "not-acceptable"));
    });

    test("RFC 6121 §2.3.3: nor is a handle without end", async () => {
      const client = await stranger.login();
      const item = `<item jid='a@localhost' name='${"n".repeat(2_000)}'/>`;
      const answer = await asked(client, `<iq type='set' id='1'><query xmlns='jabber:iq:roster'>${item}</query></iq>`);
      expect(answer).toContain(stanzaError("modify", "not-acceptable"));
    });

    test.each([
      ["contacts", (at: number) => `<query xmlns='jabber:iq:roster'><item jid='friend${at}@localhost'/></query>`],
      [
        "blocked addresses",
        (at: number) => `<block xmlns='urn:xmpp:blocking'><item jid='enemy${at}@localhost'/></block>`,
      ],
    ])("a full list of %s takes no more, and stays as it is", async (_, payload) => {
      const client = await stranger.login();
      for (let at = 0; at < 5; at++)
        expect(await asked(client, `<iq type='set' id='${at}'>${payload(at)}</iq>`, String(at))).toContain(
          "type='result'",
        );
      const answer = await asked(client, `<iq type='set' id='x'>${payload(5)}</iq>`, "x");
      expect(answer).toContain(stanzaError("modify", "policy-violation"));
    });

    test("XEP-0191 §3.3: 1,000 addresses at once are more than may be blocked", async () => {
      const client = await stranger.login();
      const items = Array.from({ length: 1_000 }, (_, at) => `<item jid='enemy${at}@localhost'/>`).join("");
      const answer = await asked(
        client,
        `<iq type='set' id='1'><block xmlns='urn:xmpp:blocking'>${items}</block></iq>`,
      );
      expect(answer).toContain(stanzaError("modify", "policy-violation"));
    });

    test.each([
      ["XEP-0049: private XML", `<query xmlns='jabber:iq:private'><a xmlns='urn:a'>${"x".repeat(4_000)}</a></query>`],
      ["XEP-0054: a card", `<vCard xmlns='vcard-temp'><NOTE>${"x".repeat(4_000)}</NOTE></vCard>`],
    ])("%s has a size", async (_, payload) => {
      const client = await stranger.login();
      const answer = await asked(client, `<iq type='set' id='1'>${payload}</iq>`);
      expect(answer).toContain(stanzaError("modify", "policy-violation"));
    });

    test("RFC 6121 §4.6: directed presence goes to so many at a time", async () => {
      const client = await stranger.login();
      client.send(Array.from({ length: 1_001 }, (_, at) => `<presence to='nobody${at}@localhost'/>`).join(""));
      expect(await client.until("</presence>")).toContain(stanzaError("modify", "policy-violation"));
    });
  });

  describe("too many", () => {
    test("RFC 6121 §8.5.3.1: requests to somebody who does not know the sender are all refused, and none arrives", async () => {
      const client = await stranger.login();
      const count = 2_000;
      client.send(
        Array.from(
          { length: count },
          (_, at) => `<iq type='get' id='f${at}' to='alice@localhost/home'><a xmlns='urn:a'/></iq>`,
        ).join(""),
      );
      const answers = await client.until(`id='f${count - 1}'`);
      await client.until("</iq>");
      expect([...answers.matchAll(/<iq [^>]*id='f(\d+)'/g)].map(([, id]) => Number(id))).toEqual(
        Array.from({ length: count }, (_, at) => at),
      );
      expect(answers.split(stanzaError("cancel", "service-unavailable")).length).toBe(count);
    });

    test("RFC 6121 §4.2.3: presence without end reaches oneself, nobody else, and is over when it is over", async () => {
      const client = await stranger.login();
      const count = 2_000;
      for (let at = 0; at < count; at++) client.send(`<presence><status>${at}</status></presence>`);
      const echo = await client.until(`<status>${count - 1}</status>`);
      expect(echo.split("<status>").length).toBe(count + 1);
    });

    test("RFC 6121 §3.1.3: requests to subscribe without end are one request", async () => {
      const client = await stranger.login();
      client.send("<presence type='subscribe' to='alice@localhost'/>".repeat(1_000));
      expect(await asked(client, "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>")).toContain(
        "type='result'",
      );
      expect(client.isClosed).toBe(false);
    });
  });
});

hostile("strangers who have not authenticated", configOf({}), ({ stranger }) => {
  test.each([
    "<message to='alice@localhost'><body>spam</body></message>",
    "<presence/>",
    "<presence to='alice@localhost/home'/>",
    "<iq type='get' id='1' to='alice@localhost/home'><ping xmlns='urn:xmpp:ping'/></iq>",
    "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
    "<iq type='result' id='1'/>",
  ])("RFC 6120 §4.9.3.12: %s ends the stream", async (xml) => {
    const client = await stranger.arrive();
    client.send(xml);
    await expectEnd(client, "not-authorized");
  });

  test("RFC 6120 §4.9.3.14: requests before authenticating are counted", async () => {
    const client = await stranger.arrive();
    client.send("<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>".repeat(100));
    await expectEnd(client, "policy-violation");
  });

  test("RFC 6120 §5.4.3.1: what follows STARTTLS in the clear is never carried out", async () => {
    const client = await stranger.arrive();
    client.send(
      `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${plainAuth("alice", "x")}<iq type='get' id='injected'><query xmlns='jabber:iq:register'/></iq>`,
    );
    const answer = await client.closed();
    expect(answer).not.toContain("injected");
    expect(answer).not.toContain("<proceed");
    expect(answer).not.toContain(streamError("internal-server-error"));
  });
});
