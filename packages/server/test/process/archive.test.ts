import { RawClient, runtime, startServer } from "@kith/testing/process";
import { describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";
const USERS = ["romeo@localhost", "juliet@localhost"] as const;
const PLAIN = { plaintextFromLoopback: true };

type Server = Awaited<ReturnType<typeof startServer>>;

const login = async (server: Server, localpart: string, resource: string): Promise<RawClient> => {
  const client = await RawClient.connect({ port: server.port("c2s") });
  await client.login(localpart, PASSWORD, resource);
  return client;
};

const say = (text: string, id: string): string =>
  `<message to='juliet@localhost' type='chat' id='${id}'><body>${text}</body><origin-id xmlns='urn:xmpp:sid:0' id='${id}'/></message>`;

/** Settles when everything sent before has been handled, and is on disk. */
const settled = async (client: RawClient, id: string): Promise<void> => {
  client.send(`<iq type='set' id='${id}'><query xmlns='jabber:iq:private'><x xmlns='urn:example:${id}'/></query></iq>`);
  await client.until(`id='${id}'`);
};

interface Page {
  readonly ids: readonly string[];
  readonly bodies: readonly string[];
  readonly end: string;
}

const ask = async (client: RawClient, id: string, set = "", form = ""): Promise<Page> => {
  const rsm = `<set xmlns='http://jabber.org/protocol/rsm'>${set}</set>`;
  client.send(`<iq type='set' id='${id}'><query xmlns='urn:xmpp:mam:2'>${form}${rsm}</query></iq>`);
  const answer = await client.until("</fin></iq>");
  return {
    ids: [...answer.matchAll(/<result [^>]*\bid='([^']+)'/g)].map(([, found = ""]) => found),
    bodies: [...answer.matchAll(/<body>([^<]*)<.body>/g)].map(([, found = ""]) => found),
    end: answer.slice(answer.indexOf("<fin")),
  };
};

const texts = (from: number, count: number): string[] => Array.from({ length: count }, (_, at) => `m${from + at}`);

describe(`archives of a server that is killed (${runtime})`, () => {
  test("XEP-0313 §5.3: messages and their ids stay; what is sent again after that is recognised", async () => {
    await using server = await startServer({ config: PLAIN });
    for (const user of USERS) await server.addUser(user, PASSWORD);
    const romeo = await login(server, "romeo", "orchard");
    for (const text of texts(1, 60)) romeo.send(say(text, text));
    await settled(romeo, "s1");
    const juliet = await login(server, "juliet", "balcony");
    const before = await ask(juliet, "q1", "<max>100</max>");
    expect(before.bodies).toEqual(texts(1, 60));
    await server.crash();

    await server.start();
    const again = await login(server, "romeo", "street");
    for (const text of texts(51, 20)) again.send(say(text, text));
    await settled(again, "s2");
    const hers = await login(server, "juliet", "balcony");
    const after = await ask(hers, "q2", "<max>100</max>");
    expect(after.bodies).toEqual(texts(1, 70));
    expect(after.ids.slice(0, 60)).toEqual(before.ids);
    expect(new Set(after.ids).size).toBe(70);
    const page = await ask(hers, "q3", `<max>5</max><after>${before.ids[57]}</after>`);
    expect(page.bodies).toEqual(texts(59, 5));
    expect(await server.stop()).toBe(0);
  });

  test("XEP-0313 §3.2: what is too much goes by itself, the oldest first", async () => {
    await using server = await startServer({ config: PLAIN });
    for (const user of USERS) await server.addUser(user, PASSWORD);
    const romeo = await login(server, "romeo", "orchard");
    for (const text of texts(1, 30)) romeo.send(say(text, text));
    await settled(romeo, "s1");
    const juliet = await login(server, "juliet", "balcony");
    juliet.send("<presence/>");
    await juliet.until("<body>m30</body>");
    await settled(juliet, "s2");
    await server.configure({ ...PLAIN, archive: { retention: { keepNewest: 10, every: "1 s" } } });
    expect(await server.stop()).toBe(0);

    await server.start();
    for (const user of ["romeo", "juliet"]) {
      const again = await login(server, user, "street");
      let page = await ask(again, "q0", "<max>100</max>");
      for (let at = 1; page.bodies.length > 10; at++) page = await ask(again, `q${at}`, "<max>100</max>");
      expect(page.bodies).toEqual(texts(21, 10));
    }
    expect(await server.stop()).toBe(0);
  });

  test("XEP-0441, XEP-0431: preferences stay; words are found", async () => {
    await using server = await startServer({ config: { ...PLAIN, archive: { fullText: true } } });
    for (const user of USERS) await server.addUser(user, PASSWORD);
    const juliet = await login(server, "juliet", "balcony");
    juliet.send("<iq type='set' id='p'><prefs xmlns='urn:xmpp:mam:2' default='never'/></iq>");
    await juliet.until("</prefs></iq>");
    await server.crash();

    await server.start();
    const romeo = await login(server, "romeo", "orchard");
    romeo.send(say("what light through yonder window breaks", "w1"));
    romeo.send(say("it is the east", "w2"));
    await settled(romeo, "s1");
    const field = (name: string, value: string) => `<field var='${name}'><value>${value}</value></field>`;
    const form = `<x xmlns='jabber:x:data' type='submit'>${field("FORM_TYPE", "urn:xmpp:mam:2")}${field("{urn:xmpp:fulltext:0}fulltext", "window")}</x>`;
    expect((await ask(romeo, "q1", "", form)).bodies).toEqual(["what light through yonder window breaks"]);
    const hers = await login(server, "juliet", "balcony");
    expect((await ask(hers, "q2")).bodies).toEqual([]);
    expect(await server.stop()).toBe(0);
  });
});
