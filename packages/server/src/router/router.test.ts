import { element, message, type Payload, parseJid, payload, presence, StanzaError, textOf } from "@kith/protocol";
import { eachFabric, type SceneOptions } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { type Module, onGet, onSet, route, toOwnSessions, write } from "../module.ts";
import type { Collection } from "../store/store.ts";

const NS = "urn:example:stage";
const Cue = payload({
  ns: NS,
  name: "cue",
  places: ["iq-get", "iq-set"],
  parse: (cue) => textOf(cue),
  build: (text: string) => element(NS, "cue", {}, [text]),
});
const cue = (id: string, type: "get" | "set", text: string, to?: string): string =>
  `<iq${to === undefined ? "" : ` to='${to}'`} type='${type}' id='${id}'><cue xmlns='${NS}'>${text}</cue></iq>`;

const verona: Omit<SceneOptions, "modules"> = {
  accounts: ["romeo@example.org", "juliet@example.org"],
  components: ["theatre.example.org"],
};
/** Notes a step, and answers what follows from it. */
const noted = <T>(steps: string[], step: string, answer: T): T => {
  steps.push(step);
  return answer;
};
const named = (name: string, module: Partial<Module>): Module => ({ name, xeps: [], ...module });

eachFabric("Router", (open) => {
  describe("phases", () => {
    test("guard, amend and copy run on the sender's side, then on the recipient's, in the order of modules", async () => {
      const steps: string[] = [];
      const tracing = (name: string): Module => {
        const side = (where: string): NonNullable<Module["sending"]> => ({
          guard: () => void steps.push(`${name} ${where} guard`),
          amend: (stanza) => {
            steps.push(`${name} ${where} amend`);
            return stanza;
          },
          archive: () => void steps.push(`${name} ${where} archive`),
          copy: () => {
            steps.push(`${name} ${where} copy`);
            return [];
          },
        });
        return named(name, { sending: side("sending"), receiving: side("receiving") });
      };
      const scene = await open({ ...verona, modules: () => [tracing("a"), tracing("b")] });
      const romeo = await scene.login("romeo@example.org/orchard");
      const juliet = await scene.login("juliet@example.org/balcony");
      await romeo.sends("<message to='juliet@example.org/balcony'><body>Ay me!</body></message>");
      const phases = ["guard", "amend", "archive", "copy"];
      const order = ["sending", "receiving"].flatMap((where) =>
        phases.flatMap((phase) => ["a", "b"].map((name) => `${name} ${where} ${phase}`)),
      );
      expect(steps).toEqual(order);
      expect(juliet.received()).toHaveLength(1);
    });

    test("the same holds where every step takes a turn of the loop", async () => {
      const slow = <T>(value: T): Promise<T> => new Promise((resolve) => setImmediate(() => resolve(value)));
      const steps: string[] = [];
      const tracing = (name: string): Module =>
        named(name, {
          sending: {
            guard: () => slow(undefined).then(() => void steps.push(`${name} guard`)),
            amend: (stanza) => slow(stanza).then((amended) => noted(steps, `${name} amend`, amended)),
            copy: () => slow([]).then((none) => noted(steps, `${name} copy`, none)),
          },
        });
      const scene = await open({ ...verona, modules: () => [tracing("a"), tracing("b")] });
      const romeo = await scene.login("romeo@example.org/orchard");
      await romeo.sends("<message to='juliet@example.org'><body>Ay me!</body></message>");
      expect(steps).toEqual(["a guard", "b guard", "a amend", "b amend", "a copy", "b copy"]);
    });

    test("a guard that drops ends it in silence; one that throws is the answer", async () => {
      const guarding = named("guard", {
        receiving: {
          guard: (stanza) => {
            if (stanza.type === "headline") return "drop";
            throw new StanzaError("not-acceptable");
          },
        },
      });
      const scene = await open({ ...verona, modules: () => [guarding] });
      const romeo = await scene.login("romeo@example.org/orchard");
      const juliet = await scene.login("juliet@example.org/balcony");
      await romeo.sends("<message to='juliet@example.org/balcony' type='headline'><body>Hark</body></message>");
      romeo.receivesNothing();
      await romeo.sends("<message to='juliet@example.org/balcony' type='chat' id='m'><body>Hark</body></message>");
      romeo.receives(
        "<message from='juliet@example.org/balcony' to='romeo@example.org/orchard' type='error' id='m'><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
      );
      juliet.receivesNothing();
    });

    test("a defect in a module is answered with internal-server-error, and logged", async () => {
      const broken = named("broken", {
        sending: {
          guard: () => {
            throw new TypeError("a bug");
          },
        },
      });
      const scene = await open({ ...verona, modules: () => [broken] });
      const romeo = await scene.login("romeo@example.org/orchard");
      await romeo.sends("<message to='juliet@example.org' id='m'><body>Hark</body></message>");
      romeo.receives(
        "<message from='juliet@example.org' to='romeo@example.org/orchard' type='error' id='m'><error type='cancel'><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
      );
      expect(scene.defects).toHaveLength(1);
    });
  });

  describe("effects", () => {
    const prompter = (lines: Collection<string>): Module =>
      named("prompter", {
        iq: [
          onSet(Cue, ["own-account"], (text, { at }) => ({
            before: [
              write(lines.put(at.bare, "line", text)),
              toOwnSessions(at.bare, message({ type: "headline" }, [element("", "body", {}, [text])]), "bound"),
            ],
            result: [element(NS, "noted")],
          })),
          onGet(Cue, ["own-account", "account", "server"], async (_, { at, addressee }) => [
            element(NS, "line", { for: addressee }, [(await lines.get(at.bare, "line")) ?? "none"]),
          ]),
        ],
      });
    const stage = () => open({ ...verona, modules: (store) => [prompter(store.collection("lines"))] });

    test("what a stanza stores is seen by the very next one, and reaches every session of the account", async () => {
      const scene = await stage();
      const romeo = await scene.login("romeo@example.org/orchard");
      const phone = await scene.login("romeo@example.org/phone");
      await romeo.sends(cue("1", "set", "Call me but love"));
      romeo.receivesInAnyOrder(
        "<message to='romeo@example.org/orchard' type='headline'><body>Call me but love</body></message>",
        `<iq to='romeo@example.org/orchard' type='result' id='1'><noted xmlns='${NS}'/></iq>`,
      );
      phone.receives("<message to='romeo@example.org/phone' type='headline'><body>Call me but love</body></message>");
      await phone.sends(cue("2", "get", ""));
      phone.receives(
        `<iq to='romeo@example.org/phone' type='result' id='2'><line xmlns='${NS}' for='own-account'>Call me but love</line></iq>`,
      );
    });

    test("RFC 6121 §8.5.2.1.3: an IQ to another account's bare JID is answered on its behalf", async () => {
      const scene = await stage();
      const romeo = await scene.login("romeo@example.org/orchard");
      const juliet = await scene.login("juliet@example.org/balcony");
      await juliet.sends(cue("1", "set", "Wherefore art thou"));
      juliet.received();
      await romeo.sends(cue("2", "get", "", "juliet@example.org"));
      romeo.receives(
        `<iq from='juliet@example.org' to='romeo@example.org/orchard' type='result' id='2'><line xmlns='${NS}' for='account'>Wherefore art thou</line></iq>`,
      );
      await romeo.sends(cue("3", "set", "mine", "juliet@example.org"));
      expect(romeo.received()[0]).toContain("service-unavailable");
      juliet.receivesNothing();
    });

    test("routed effects are done depth first: what follows from one comes before the next", async () => {
      const heard: string[] = [];
      const chain = named("chain", {
        iq: [
          onSet(Cue, ["own-account"], (_, { at }) => ({
            before: ["first", "second"].map((word) =>
              route(message({ from: at, to: at, type: "headline" }, [element("", "body", {}, [word])])),
            ),
          })),
        ],
        receiving: {
          copy: (stanza) => {
            const text = stanza.payload.replace(/<[^>]*>/g, "");
            heard.push(text);
            if (text !== "first" || stanza.from === undefined) return [];
            return [
              route(
                message({ from: stanza.from, to: stanza.from, type: "headline" }, [
                  element("", "body", {}, ["from first"]),
                ]),
              ),
            ];
          },
        },
      });
      const scene = await open({ ...verona, modules: () => [chain] });
      const romeo = await scene.login("romeo@example.org/orchard");
      await romeo.sends(cue("1", "set", ""));
      expect(heard).toEqual(["first", "from first", "second"]);
    });

    test("removing an account tells every module, wipes its collections and ends its sessions with not-authorized", async () => {
      const farewell = named("farewell", {
        accountRemoved: (account) => [
          route(presence({ from: parseJid(account), to: parseJid("juliet@example.org/balcony"), type: "unavailable" })),
        ],
      });
      const scene = await open({ ...verona, modules: (store) => [prompter(store.collection("lines")), farewell] });
      const romeo = await scene.login("romeo@example.org/orchard");
      const phone = await scene.login("romeo@example.org/phone");
      const juliet = await scene.login("juliet@example.org/balcony");
      await romeo.sends(cue("1", "set", "Adieu"));
      await scene.removeAccount("romeo@example.org");
      expect([romeo, phone].map(({ closedBy }) => closedBy?.condition)).toEqual(["not-authorized", "not-authorized"]);
      juliet.receives("<presence from='romeo@example.org' to='juliet@example.org/balcony' type='unavailable'/>");
      expect(await scene.store.accounts.exists(parseJid("romeo@example.org").bare)).toBe(false);
      expect(await scene.store.accounts.removedAt(parseJid("romeo@example.org").bare)).toBe(scene.clock.now());
      await juliet.sends(cue("2", "get", "", "romeo@example.org"));
      expect(juliet.received()[0]).toContain("service-unavailable");
    });
  });

  test("XEP-0175 §4: a temporary account may use the server, and leaves nothing behind with its last session", async () => {
    let lines: Collection<string> | undefined;
    const scene = await open({
      ...verona,
      modules: (store) => {
        const kept = store.collection<string>("lines");
        lines = kept;
        return [
          named("notes", {
            iq: [onSet(Cue, ["own-account"], (text, { at }) => ({ before: [write(kept.put(at.bare, "line", text))] }))],
          }),
        ];
      },
    });
    const guest = await scene.login("guest@example.org/one");
    await guest.sends(cue("1", "set", "Good even"));
    expect((await lines?.all("guest@example.org"))?.size).toBe(1);
    await guest.ends();
    expect((await lines?.all("guest@example.org"))?.size).toBe(0);
    expect(await scene.store.accounts.removedAt(parseJid("guest@example.org").bare)).toBeUndefined();
  });

  describe("sessions", () => {
    test("RFC 6120 §7.7.2.2: a resource that is in use passes to the newcomer; the old stream ends with conflict", async () => {
      const scene = await open({ ...verona, modules: () => [] });
      const first = await scene.login("romeo@example.org/orchard");
      await scene.login("romeo@example.org/elsewhere");
      const second = await scene.login("romeo@example.org/orchard");
      expect(first.closedBy?.condition).toBe("conflict");
      await first.sends("<message to='juliet@example.org/balcony'><body>still here?</body></message>");
      await second.sends("<message to='romeo@example.org/orchard'><body>me</body></message>");
      first.receivesNothing();
      expect(second.received()).toHaveLength(1);
    });

    test("RFC 6121 §4.5.3: a lost stream makes its resource unavailable, with every moment told once and in order", async () => {
      const moments: string[] = [];
      const diary = named("diary", {
        bound: ({ jid }) => noted(moments, `bound ${jid.resource}`, []),
        available: ({ priority }) => noted(moments, `available ${priority}`, []),
        unavailable: () => noted(moments, "unavailable", []),
        closed: () => noted(moments, "closed", []),
        presence: [
          {
            place: "broadcast",
            types: ["available", "unavailable"],
            handle: ({ type }) => noted(moments, `broadcast ${type}`, []),
          },
        ],
      });
      const scene = await open({ ...verona, modules: () => [diary] });
      const romeo = await scene.login("romeo@example.org/orchard");
      await romeo.sends("<presence><priority>3</priority></presence>");
      await romeo.sends("<presence><show>away</show></presence>");
      await romeo.ends();
      await romeo.ends();
      expect(moments).toEqual([
        "bound orchard",
        "broadcast available",
        "available 3",
        "broadcast available",
        "broadcast unavailable",
        "unavailable",
        "closed",
      ]);
    });

    test.each(["128", "-129", "high", "1.5", "0x1", "99999999999999999999"])(
      "RFC 6121 §4.7.2.3: a priority of %s is a bad request, and changes nothing",
      async (priority) => {
        const scene = await open({ ...verona, modules: () => [] });
        const romeo = await scene.login("romeo@example.org/orchard");
        await romeo.sends(`<presence id='p'><priority>${priority}</priority></presence>`);
        expect(romeo.received().join()).toContain("bad-request");
        await romeo.sends("<message to='romeo@example.org'><body>anybody?</body></message>");
        expect(romeo.received().join()).toContain("service-unavailable");
      },
    );

    test.each(["subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe"])(
      "RFC 6121 §3, §4.3: presence of type %s without 'to' is a bad request",
      async (type) => {
        const scene = await open({ ...verona, modules: () => [] });
        const romeo = await scene.login("romeo@example.org/orchard");
        await romeo.sends(`<presence type='${type}'/>`);
        romeo.receives(
          "<presence to='romeo@example.org/orchard' type='error'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>*</text></error></presence>",
        );
      },
    );

    test("RFC 6121 §8.5.3.1: a request that the session may not see is answered as if it were not there", async () => {
      const shy = named("shy", { admit: async (request) => request.from?.local === "juliet" });
      const scene = await open({ ...verona, modules: () => [shy] });
      const romeo = await scene.login("romeo@example.org/orchard");
      const juliet = await scene.login("juliet@example.org/balcony");
      await romeo.sends(cue("1", "get", "", "juliet@example.org/balcony"));
      expect(romeo.received().join()).toContain("service-unavailable");
      juliet.receivesNothing();
      await juliet.sends(cue("2", "get", "", "romeo@example.org/orchard"));
      expect(romeo.received()).toHaveLength(1);
    });
  });

  describe("the server's own address", () => {
    test.each(["example.org", "example.org/attic", "EXAMPLE.ORG"])(
      "RFC 6120 §10.5.1, §10.5.2: what %s does not understand is answered with an error, presence is dropped",
      async (to) => {
        const scene = await open({ ...verona, modules: () => [] });
        const romeo = await scene.login("romeo@example.org/orchard");
        const from = to.toLowerCase();
        const unavailable =
          "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
        await romeo.sends(`<iq to='${to}' type='get' id='1'><query xmlns='urn:example:x'/></iq>`);
        await romeo.sends(`<message to='${to}' id='2'><body>Anybody?</body></message>`);
        romeo.receives(
          `<iq from='${from}' to='romeo@example.org/orchard' type='error' id='1'>${unavailable}</iq>`,
          `<message from='${from}' to='romeo@example.org/orchard' type='error' id='2'>${unavailable}</message>`,
        );
        await romeo.sends(`<presence to='${to}'/>`);
        await romeo.sends(`<iq to='${to}' type='result' id='3'/>`);
        await romeo.sends(`<message to='${to}' type='error' id='4'/>`);
        romeo.receivesNothing();
      },
    );
  });

  describe("stanzas that are none", () => {
    test.each([
      ["RFC 6120 §8.1.3: an IQ without id", "<iq type='get'><query xmlns='urn:example:x'/></iq>", "bad-request"],
      ["RFC 6120 §8.2.3: an IQ without type", "<iq id='1'><query xmlns='urn:example:x'/></iq>", "bad-request"],
      [
        "RFC 6120 §8.2.3: an unknown IQ type",
        "<iq id='1' type='ask'><query xmlns='urn:example:x'/></iq>",
        "bad-request",
      ],
      ["RFC 6120 §8.2.3: a request without payload", "<iq id='1' type='get'/>", "bad-request"],
      [
        "RFC 6120 §8.2.3: a request with two payloads",
        "<iq id='1' type='set'><a xmlns='urn:example:x'/><b xmlns='urn:example:x'/></iq>",
        "bad-request",
      ],
      ["RFC 6121 §4.7.1: an unknown presence type", "<presence type='invisible'/>", "bad-request"],
      ["RFC 6120 §8.3.3.8: a malformed 'to'", "<message to='@example.org' id='1'/>", "jid-malformed"],
      [
        "RFC 6120 §8.3.3.8: a 'to' that is too long",
        `<iq to='${"a".repeat(1100)}@example.org' type='get' id='1'><a xmlns='urn:example:x'/></iq>`,
        "jid-malformed",
      ],
    ])("%s", async (_, xml, condition) => {
      const scene = await open({ ...verona, modules: () => [] });
      const romeo = await scene.login("romeo@example.org/orchard");
      await romeo.sends(xml);
      const received = romeo.received();
      expect(received).toHaveLength(1);
      expect(received[0]).toContain(`<${condition} `);
    });

    test("RFC 6120 §8.3.1: the error that answers an IQ without id has an empty one", async () => {
      const scene = await open({ ...verona, modules: () => [] });
      const romeo = await scene.login("romeo@example.org/orchard");
      await romeo.sends("<iq type='get'><query xmlns='urn:example:x'/></iq>");
      await romeo.sends("<message to='@'/>");
      const [iq, message] = romeo.received();
      expect(iq).toMatch(/^<iq [^>]*type='error' id=''>/);
      expect(message).toMatch(/^<message to='romeo@example.org\/orchard' type='error'>/);
    });

    test("RFC 6120 §8.2.3: an error or result that is malformed is not answered", async () => {
      const scene = await open({ ...verona, modules: () => [] });
      const romeo = await scene.login("romeo@example.org/orchard");
      await romeo.sends("<iq type='result' id='1'><a xmlns='urn:example:x'/><b xmlns='urn:example:x'/></iq>");
      await romeo.sends("<message type='error' to='@'/>");
      romeo.receivesNothing();
    });

    test.each([
      ["somebody else's", "<message from='juliet@example.org/balcony' to='romeo@example.org'/>"],
      ["another resource's", "<message from='romeo@example.org/phone' to='romeo@example.org'/>"],
      ["the server's", "<iq from='example.org' type='get' id='1'><a xmlns='urn:example:x'/></iq>"],
      ["nobody's", "<message from='@@' to='romeo@example.org'/>"],
    ])("RFC 6120 §8.1.2.1: 'from' that is %s ends the stream with invalid-from", async (_, xml) => {
      const scene = await open({ ...verona, modules: () => [] });
      const romeo = await scene.login("romeo@example.org/orchard");
      await scene.login("romeo@example.org/phone");
      await expect(romeo.sends(xml)).rejects.toMatchObject({ name: "StreamError", condition: "invalid-from" });
    });

    test.each(["romeo@example.org", "Romeo@Example.ORG", "romeo@example.org/orchard"])(
      "RFC 6120 §8.1.2.1: 'from' may be %s; what others see is the full JID",
      async (from) => {
        const scene = await open({ ...verona, modules: () => [] });
        const romeo = await scene.login("romeo@example.org/orchard");
        await romeo.sends(`<message from='${from}' to='romeo@example.org/orchard'><body>x</body></message>`);
        romeo.receives(
          "<message from='romeo@example.org/orchard' to='romeo@example.org/orchard'><body>x</body></message>",
        );
      },
    );

    test("RFC 6120 §4.9.3.24: a first-level element that is no stanza ends the stream", async () => {
      const scene = await open({ ...verona, modules: () => [] });
      const romeo = await scene.login("romeo@example.org/orchard");
      for (const xml of ["<pubsub/>", "<message xmlns='urn:example:x'/>"]) {
        await expect(romeo.sends(xml)).rejects.toMatchObject({
          name: "StreamError",
          condition: "unsupported-stanza-type",
        });
      }
    });
  });

  describe("other domains", () => {
    test("RFC 6120 §10.4.3: presence to a domain that cannot be reached is answered, a probe of the server's own is not", async () => {
      const probing = named("probing", {
        available: ({ jid }) => [
          route(presence({ from: jid, to: parseJid("rosaline@capulet.example"), type: "probe" })),
        ],
      });
      const scene = await open({ ...verona, modules: () => [probing] });
      const romeo = await scene.login("romeo@example.org/orchard");
      await romeo.sends("<presence/>");
      romeo.receivesNothing();
      await romeo.sends("<presence to='rosaline@capulet.example' type='subscribe' id='s'/>");
      romeo.receives(
        "<presence from='rosaline@capulet.example' to='romeo@example.org/orchard' type='error' id='s'><error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
      );
    });
  });

  describe("components", () => {
    test("stanzas pass both ways; one that is served but away gets remote-server-timeout", async () => {
      const scene = await open({ ...verona, modules: () => [] });
      const romeo = await scene.login("romeo@example.org/orchard");
      await romeo.sends("<message to='box@theatre.example.org' id='early'><body>Two seats</body></message>");
      expect(romeo.received().join()).toContain("<remote-server-timeout ");
      const theatre = scene.component("theatre.example.org");
      await romeo.sends("<message to='box@theatre.example.org' id='m'><body>Two seats</body></message>");
      theatre.receives(
        "<message from='romeo@example.org/orchard' to='box@theatre.example.org' id='m'><body>Two seats</body></message>",
      );
      await theatre.sends(
        "<message from='box@theatre.example.org' to='romeo@example.org/orchard'><body>Sold out</body></message>",
      );
      romeo.receives(
        "<message from='box@theatre.example.org' to='romeo@example.org/orchard'><body>Sold out</body></message>",
      );
      await theatre.sends(
        "<iq from='box@theatre.example.org' to='romeo@example.org' type='get' id='q'><a xmlns='urn:example:x'/></iq>",
      );
      expect(theatre.received().join()).toContain("<service-unavailable ");
      expect(() => scene.component("theatre.example.org")).toThrow(expect.objectContaining({ condition: "conflict" }));
    });
  });

  test("RFC 6121 §4.5, §3.3: what a component has to know waits until it is connected; the rest is refused", async () => {
    const scene = await open({ ...verona, modules: () => [] });
    const romeo = await scene.login("romeo@example.org/orchard");
    await romeo.sends("<presence to='stage@theatre.example.org'/>");
    expect(romeo.received().join()).toContain("<remote-server-timeout ");
    await romeo.sends("<presence to='stage@theatre.example.org' type='unavailable'/>");
    await romeo.sends("<presence to='stage@theatre.example.org' type='unsubscribe'/>");
    romeo.receivesNothing();
    const theatre = scene.component("theatre.example.org");
    await scene.settled();
    theatre.receives(
      "<presence from='romeo@example.org/orchard' to='stage@theatre.example.org' type='unavailable'/>",
      "<presence from='romeo@example.org/orchard' to='stage@theatre.example.org' type='unsubscribe'/>",
    );
    expect(await scene.store.spool.count({ domain: parseJid("theatre.example.org").domain })).toBe(0);
  });

  test("RFC 6120 §13.12: what waits for a component is bounded in size, and nothing that waits keeps it away", async () => {
    const scene = await open({ ...verona, modules: () => [] });
    const romeo = await scene.login("romeo@example.org/orchard");
    const target = { domain: parseJid("theatre.example.org").domain };
    const gone = (more: string, content = ""): string =>
      `<presence to='stage@theatre.example.org' type='unavailable'${more}>${content}</presence>`;
    await romeo.sends(gone(" id='long'", `<status>${"x".repeat(200_000)}</status>`));
    expect(await scene.store.spool.bytes(target)).toBeLessThan(200);
    const attributes = Array.from({ length: 62 }, (_, at) => ` a${at}="${"'".repeat(500)}"`).join("");
    for (let count = 0; count < 20; count++) await romeo.sends(gone(attributes));
    expect(await scene.store.spool.bytes(target)).toBeLessThan(2_097_153);
    const theatre = scene.component("theatre.example.org");
    await scene.settled();
    expect(theatre.received().length).toBeGreaterThan(1);
    expect(await scene.store.spool.bytes(target)).toBe(0);
    expect(scene.defects).toEqual([]);
  });

  test("two modules that answer the same request, or take the same presence, are found at start", async () => {
    const answering = (name: string): Module => named(name, { iq: [onGet(Cue, ["server"], () => [])] });
    await expect(open({ ...verona, modules: () => [answering("a"), answering("b")] })).rejects.toThrow(
      /"a" and "b" both handle/,
    );
    const taking = (name: string): Module =>
      named(name, { presence: [{ place: "received", types: ["probe"], handle: () => [] }] });
    await expect(open({ ...verona, modules: () => [taking("a"), taking("b")] })).rejects.toThrow(
      /"a" and "b" both handle/,
    );
  });
});

test("the module interface does not take what is wrong", () => {
  const result: Payload<string, "iq-result"> = { ...Cue, places: ["iq-result"] };
  // @ts-expect-error an IQ result is never asked for
  onGet(result, ["server"], () => []);
  // @ts-expect-error no such addressee
  onGet(Cue, ["everybody"], () => []);
  // @ts-expect-error a guard does not change stanzas
  named("guard", { sending: { guard: (stanza) => stanza } });
  // @ts-expect-error no such phase
  named("phase", { sending: { before: () => [] } });
  // @ts-expect-error a number is not the name of a XEP
  named("xep", { xeps: [{ xep: "199" }] });
  expect(true).toBe(true);
});
