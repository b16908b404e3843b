import type { BareJid, FullJid, HtMechanismName, UserAgent } from "@kith/protocol";
import { eachFabric, type Open, type Scene } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { ACCESS_RULES, type AccessTokens, openAccessTokens } from "../access-tokens.ts";
import { nodeCrypto } from "../crypto.ts";
import { memoryStore } from "../store/memory.ts";
import { clientAccess } from "./xep0494-client-access.ts";

const JULIET = "juliet@capulet.example" as BareJid;
const PHONE: UserAgent = { id: "2f6c1f0e-3c59-4b5a-8a3b-0c5d7e9f1a2b", software: "Balcony", device: "Juliet's phone" };
const TABLET: UserAgent = { id: "7d0a4c1e-9b57-4d53-b1f5-5a4c3b2a1908", software: undefined, device: "Tablet" };
const FAST: HtMechanismName = "HT-SHA-256-NONE";
const LIST = "<iq type='get' id='l'><list xmlns='urn:xmpp:cam:0'/></iq>";
const revoke = (id: string) => `<iq type='set' id='r'><revoke xmlns='urn:xmpp:cam:0' id='${id}'/></iq>`;

const scene = async (open: Open): Promise<{ stage: Scene; access: AccessTokens }> => {
  const time = { now: Date.parse("2031-05-17T09:30:00Z") };
  // One register for both routers, as for one process.
  const access = await openAccessTokens({
    store: memoryStore(),
    crypto: nodeCrypto,
    now: () => time.now,
    rules: () => ACCESS_RULES,
  });
  const stage = await open({
    modules: () => [clientAccess(access)],
    domains: ["capulet.example"],
    accounts: [JULIET, "nurse@capulet.example"],
  });
  return { stage, access };
};

/** What a stream does once somebody has logged in. */
const logsIn = async (
  access: AccessTokens,
  session: string,
  agent: UserAgent,
  mechanism: "PLAIN" | HtMechanismName,
) => {
  const client = await access.clientId(JULIET, agent.id ?? "");
  const login = { mechanism, agent, clientId: client };
  const wish = { wanted: FAST, gaveUp: false, since: access.changes };
  await access.loggedIn(JULIET, login, wish);
  access.began(JULIET, session as FullJid, login);
  return client;
};

eachFabric("XEP-0494", (open) => {
  describe("§3.1: the list", () => {
    test("shows every session, known by its client or not", async () => {
      const { stage, access } = await scene(open);
      const juliet = await stage.login("juliet@capulet.example/balcony");
      await stage.login("juliet@capulet.example/chamber");
      const phone = await logsIn(access, "juliet@capulet.example/balcony", PHONE, "PLAIN");
      await juliet.sends(LIST);
      juliet.receives(
        "<iq type='result' id='l' to='juliet@capulet.example/balcony'><clients xmlns='urn:xmpp:cam:0'>" +
          `<client connected='true' id='${phone}' type='session'>` +
          "<first-seen>2031-05-17T09:30:00Z</first-seen><last-seen>2031-05-17T09:30:00Z</last-seen>" +
          "<auth><password/><fast/></auth><permission status='unrestricted'/>" +
          "<user-agent><software>Balcony</software><device>Juliet's phone</device></user-agent></client>" +
          "<client connected='true' id='*' type='session'>" +
          "<first-seen>2031-05-17T09:30:00Z</first-seen><last-seen>2031-05-17T09:30:00Z</last-seen>" +
          "<auth><password/></auth><permission status='unrestricted'/></client></clients></iq>",
      );
    });
    test("a client that has left is on it as long as it may come back", async () => {
      const { stage, access } = await scene(open);
      const juliet = await stage.login("juliet@capulet.example/balcony");
      const lost = await stage.login("juliet@capulet.example/phone");
      const phone = await logsIn(access, "juliet@capulet.example/phone", PHONE, FAST);
      await lost.ends();
      await juliet.sends(LIST);
      const [list = ""] = juliet.received();
      expect(list).toContain(`<client connected='false' id='${phone}' type='session'>`);
      expect(list).toContain("<auth><fast/></auth>");
    });
    test("is nobody else's", async () => {
      const { stage } = await scene(open);
      const nurse = await stage.login("nurse@capulet.example/market");
      await nurse.sends(LIST.replace("<iq", `<iq to='${JULIET}'`));
      await nurse.sends(revoke("x").replace("<iq", `<iq to='${JULIET}'`));
      const answers = nurse.received();
      for (const answer of answers) expect(answer).toContain("<service-unavailable ");
      expect(answers).toHaveLength(2);
    });
  });

  describe("§3.2: revocation", () => {
    test("takes the tokens and ends the session", async () => {
      const { stage, access } = await scene(open);
      const juliet = await stage.login("juliet@capulet.example/balcony");
      const lost = await stage.login("juliet@capulet.example/phone");
      const phone = await logsIn(access, "juliet@capulet.example/phone", PHONE, FAST);
      const tablet = await logsIn(access, "juliet@capulet.example/balcony", TABLET, FAST);
      await juliet.sends(revoke(phone));
      juliet.receives("<iq type='result' id='r' to='juliet@capulet.example/balcony'/>");
      expect(lost.closedBy?.condition).toBe("not-authorized");
      expect(juliet.isClosed).toBe(false);
      expect(await access.candidates(JULIET, phone, FAST)).toEqual([]);
      expect(await access.candidates(JULIET, tablet, FAST)).toHaveLength(1);
      await juliet.sends(LIST);
      expect(juliet.received().join("")).not.toContain(phone);
    });
    test("of a client that knows the password does what it can, and says that it is not enough", async () => {
      const { stage, access } = await scene(open);
      const juliet = await stage.login("juliet@capulet.example/balcony");
      const lost = await stage.login("juliet@capulet.example/phone");
      const phone = await logsIn(access, "juliet@capulet.example/phone", PHONE, "PLAIN");
      await juliet.sends(revoke(phone));
      juliet.receives(
        "<iq type='error' id='r' to='juliet@capulet.example/balcony'><error type='cancel'>" +
          "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
          "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>This client knows the password. Only a new password keeps it out.</text>" +
          "<password-reset-required xmlns='urn:xmpp:cam:0'/></error></iq>",
      );
      expect(lost.closedBy?.condition).toBe("not-authorized");
      expect(await access.candidates(JULIET, phone, FAST)).toEqual([]);
      await juliet.sends(LIST);
      expect(juliet.received().join("")).toContain(`connected='false' id='${phone}'`);
    });
    test("of oneself is answered first", async () => {
      const { stage, access } = await scene(open);
      const juliet = await stage.login("juliet@capulet.example/balcony");
      const phone = await logsIn(access, "juliet@capulet.example/balcony", PHONE, FAST);
      await juliet.sends(revoke(phone));
      juliet.receives("<iq type='result' id='r' to='juliet@capulet.example/balcony'/>");
      expect(juliet.closedBy?.condition).toBe("not-authorized");
    });
    test.each([
      ["an unknown one", "nobody"],
      ["what is no id", "__proto__"],
      ["a long one", "x".repeat(3000)],
    ])("of %s is answered with item-not-found", async (_, id) => {
      const { stage } = await scene(open);
      const juliet = await stage.login("juliet@capulet.example/balcony");
      await juliet.sends(revoke(id));
      expect(juliet.received().join("")).toContain("<item-not-found ");
    });
    test("without an id is refused", async () => {
      const { stage } = await scene(open);
      const juliet = await stage.login("juliet@capulet.example/balcony");
      await juliet.sends("<iq type='set' id='r'><revoke xmlns='urn:xmpp:cam:0'/></iq>");
      expect(juliet.received().join("")).toContain("<bad-request ");
    });
  });
});
