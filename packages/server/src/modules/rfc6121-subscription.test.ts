import { eachFabric, type Outsider, type Party, type Scene } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { befriend, forget, get, interested, present, push, set, stage, terse, whole } from "./test-rfc6121.ts";

// Ada is the user, Eve (elsewhere) the contact. What Appendix A says of each state and stanza is written here once more,
// as it looks from outside: who is sent what, what the roster shows, what waits.
type Short = "N" | "NO" | "NI" | "NOI" | "T" | "TI" | "F" | "FO" | "B";
type Type = "subscribe" | "unsubscribe" | "subscribed" | "unsubscribed";

interface Look {
  /** Attributes of the roster item. */
  readonly item: string;
  readonly waits: boolean;
}
const LOOKS: Readonly<Record<Short, Look>> = {
  N: { item: "subscription='none'", waits: false },
  NO: { item: "subscription='none' ask='subscribe'", waits: false },
  NI: { item: "subscription='none'", waits: true },
  NOI: { item: "subscription='none' ask='subscribe'", waits: true },
  T: { item: "subscription='to'", waits: false },
  TI: { item: "subscription='to'", waits: true },
  F: { item: "subscription='from'", waits: false },
  FO: { item: "subscription='from' ask='subscribe'", waits: false },
  B: { item: "subscription='both'", waits: false },
};

interface Cast {
  readonly scene: Scene;
  readonly ada: Party;
  readonly far: Outsider;
}
const adaSays =
  (type: Type) =>
  ({ ada }: Cast) =>
    ada.sends(`<presence type='${type}' id='a1' to='eve@far.example'/>`);
const eveSays =
  (type: Type) =>
  ({ far }: Cast) =>
    far.sends(`<presence type='${type}' id='e1' from='eve@far.example' to='ada@example.org'/>`);
const ADDED = ({ ada }: Cast): Promise<void> => ada.sends(set("<item jid='eve@far.example'/>"));

/** How the two get into a state; Ada has put Eve in her roster before. */
const WAYS: Readonly<Record<Short, readonly ((cast: Cast) => Promise<void>)[]>> = {
  N: [],
  NO: [adaSays("subscribe")],
  NI: [eveSays("subscribe")],
  NOI: [adaSays("subscribe"), eveSays("subscribe")],
  T: [adaSays("subscribe"), eveSays("subscribed")],
  TI: [adaSays("subscribe"), eveSays("subscribed"), eveSays("subscribe")],
  F: [eveSays("subscribe"), adaSays("subscribed")],
  FO: [eveSays("subscribe"), adaSays("subscribed"), adaSays("subscribe")],
  B: [eveSays("subscribe"), adaSays("subscribed"), adaSays("subscribe"), eveSays("subscribed")],
};

/** State → new state, for each stanza; "!" where it is passed on, "+" where the server answers. */
const OUTBOUND: Readonly<Record<Type, string>> = {
  subscribe: "N!NO NO!NO NI!NOI NOI!NOI T!T TI!TI F!FO FO!FO B!B",
  unsubscribe: "N!N NO!N NI!NI NOI!NI T!N TI!NI F!F FO!F B!F",
  subscribed: "N.N NO.NO NI!F NOI!FO T.T TI!B F.F FO.FO B.B",
  unsubscribed: "N.N NO.NO NI!N NOI!NO T.T TI!T F!N FO!NO B!T",
};
const INBOUND: Readonly<Record<Type, string>> = {
  subscribe: "N!NI NO!NOI NI.NI NOI.NOI T!TI TI.TI F+F FO+FO B+B",
  unsubscribe: "N.N NO.NO NI!+N NOI!+NO T.T TI!+T F!+N FO!+NO B!+T",
  subscribed: "N.N NO!T NI.NI NOI!TI T.T TI.TI F.F FO!B B.B",
  unsubscribed: "N.N NO!N NI.NI NOI!NI T!N TI!NI F.F FO!F B!F",
};
interface Cell {
  readonly type: Type;
  readonly was: Short;
  readonly next: Short;
  readonly passed: boolean;
  readonly answered: boolean;
  readonly outbound: boolean;
}
const cellsOf = (tables: Readonly<Record<Type, string>>): readonly Cell[] =>
  Object.entries(tables).flatMap(([type, row]) =>
    row.split(" ").map((cell) => {
      const [was, next] = cell.split(/[!+.]+/) as [Short, Short];
      return {
        type: type as Type,
        was,
        next,
        passed: cell.includes("!"),
        answered: cell.includes("+"),
        outbound: tables === OUTBOUND,
      };
    }),
  );
const sees = (state: Short): boolean => state.startsWith("F") || state === "B";

const enter = async (scene: Scene, state: Short): Promise<Cast> => {
  const cast = { scene, ada: await present(scene, "ada@example.org/lab"), far: scene.component("far.example") };
  await ADDED(cast);
  for (const step of WAYS[state]) await step(cast);
  forget(cast.ada, cast.far);
  return cast;
};

const item = (attributes: string): string => `<item jid='eve@far.example' ${attributes}/>`;
const fromAda = (type: Type, id = "a1"): string =>
  `<presence type='${type}' id='${id}' from='ada@example.org' to='eve@far.example'/>`;
const fromEve = (type: Type): string =>
  `<presence type='${type}' id='e1' from='eve@far.example' to='ada@example.org'/>`;
const SHOWN = "<presence from='ada@example.org/lab' to='eve@far.example'/>";
const HIDDEN = "<presence type='unavailable' id='*' from='ada@example.org/lab' to='eve@far.example'/>";

const hidden = ({ was, next }: Cell): readonly string[] => (sees(was) && !sees(next) ? [HIDDEN] : []);
const shown = ({ was, next }: Cell): readonly string[] => (sees(next) && !sees(was) ? [SHOWN] : []);
const answers = ({ type, answered }: Cell): readonly string[] => {
  if (!answered) return [];
  return type === "subscribe" ? [fromAda("subscribed", "e1"), SHOWN] : [fromAda("unsubscribed", "e1")];
};
/** Approving what nobody has asked for is remembered (§3.4). */
const approvedIn = ({ outbound, type, was }: Cell): string =>
  outbound && type === "subscribed" && ["N", "NO", "T"].includes(was) ? "approved='true' " : "";
/** The roster push, where the roster shows a difference. */
const news = ({ ada }: Cast, cell: Cell): readonly string[] => {
  const { item: before } = LOOKS[cell.was];
  const { item: after } = LOOKS[cell.next];
  const approved = approvedIn(cell);
  return before === after && approved === "" ? [] : [push(ada, item(approved + after))];
};

/** The roster shows this, and a request waits or not. */
const expectState = async ({ scene, ada, far }: Cast, next: Short, approved = ""): Promise<void> => {
  await ada.sends(get());
  ada.receives(whole(ada, item(`${approved}${LOOKS[next].item}`)));
  const phone = await scene.login("ada@example.org/phone");
  await phone.sends("<presence/>");
  const requests = phone.received().filter((xml) => xml.includes("type='subscribe'"));
  expect(requests).toHaveLength(LOOKS[next].waits ? 1 : 0);
  forget(ada, far);
};

/** An answer that takes some turns of the loop. */
const later = async <T>(answer: T): Promise<T> => {
  for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
  return answer;
};

eachFabric("subscriptions", (open) => {
  describe("RFC 6121 A.2: what the user sends", () => {
    test.each(cellsOf(OUTBOUND))("RFC 6121 A.2: $type in state $was leads to $next", async (cell) => {
      const { type, was, next, passed } = cell;
      const cast = await enter(await stage(open), was);
      await adaSays(type)(cast);
      cast.far.receives(...hidden(cell), ...(passed ? [fromAda(type)] : []), ...shown(cell));
      cast.ada.receives(...news(cast, cell));
      await expectState(cast, next, approvedIn(cell));
    });
  });

  describe("RFC 6121 A.3: what the contact sends", () => {
    test.each(cellsOf(INBOUND))("RFC 6121 A.3: $type in state $was leads to $next", async (cell) => {
      const { type, was, next, passed } = cell;
      const cast = await enter(await stage(open), was);
      await eveSays(type)(cast);
      cast.ada.receives(...(passed ? [fromEve(type)] : []), ...news(cast, cell));
      cast.far.receives(...hidden(cell), ...answers(cell));
      await expectState(cast, next);
    });
  });

  describe("asking", () => {
    test("RFC 6121 §3.1.2, §3.1.3: from and to are bare, and whatever the request says goes along", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const grace = await present(scene, "grace@example.org/ship");
      const pocket = await scene.online("grace@example.org/pocket");
      const shelf = await interested(scene, "grace@example.org/shelf");
      forget(grace);
      const words =
        "<status>It is Ada, from the society.</status><nick xmlns='http://jabber.org/protocol/nick'>Ada</nick>";
      await ada.sends(
        `<presence type='subscribe' id='r1' to='grace@example.org/ship' xml:lang='en'>${words}</presence>`,
      );
      ada.receives(push(ada, "<item jid='grace@example.org' subscription='none' ask='subscribe'/>"));
      const request = `<presence type='subscribe' id='r1' from='ada@example.org' to='grace@example.org' xml:lang='en'>${words}</presence>`;
      grace.receives(request);
      pocket.receives(request);
      // A request is for available resources.
      shelf.receivesNothing();
    });
    test("RFC 6121 §3.1.3: until it is approved nothing is added to the contact's roster", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const grace = await present(scene, "grace@example.org/ship");
      await ada.sends("<presence type='subscribe' to='grace@example.org'/>");
      forget(grace);
      await grace.sends(get());
      grace.receives(whole(grace, ""));
    });
    test("RFC 6121 §3.1.3 rule 4: a request waits for whoever becomes available, until it is answered", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const words = "<status>Größe &amp; Güte</status>";
      await ada.sends(`<presence type='subscribe' id='r1' to='grace@example.org'>${words}</presence>`);
      await ada.sends("<presence type='subscribe' id='r2' to='grace@example.org'/>");
      const request = `<presence type='subscribe' id='r1' from='ada@example.org' to='grace@example.org'>${words}</presence>`;
      for (const resource of ["ship", "pocket"]) {
        const grace = await scene.login(`grace@example.org/${resource}`);
        grace.receivesNothing();
        await grace.sends("<presence/>");
        grace.receives(`<presence from='grace@example.org/${resource}' to='grace@example.org/${resource}'/>`, request);
        // Not again with every change of presence, but with every new presence session.
        await grace.sends("<presence><show>away</show></presence>");
        expect(grace.received().filter((xml) => xml.includes("subscribe"))).toEqual([]);
        await grace.sends("<presence type='unavailable'/>");
        forget(grace);
        await grace.sends("<presence/>");
        expect(grace.received().filter((xml) => xml.includes("subscribe"))).toHaveLength(1);
        await grace.ends();
      }
      const grace = await scene.online("grace@example.org/desk");
      await grace.sends("<presence type='unsubscribed' to='ada@example.org'/>");
      await grace.ends();
      const again = await scene.login("grace@example.org/desk");
      await again.sends("<presence/>");
      expect(again.received().filter((xml) => xml.includes("subscribe"))).toEqual([]);
    });
    test("RFC 6121 §3.1.3: an inbound request to a full JID counts for the bare one", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const ada = await present(scene, "ada@example.org/lab");
      await far.sends("<presence type='subscribe' from='eve@far.example/den' to='ada@example.org/nowhere'/>");
      ada.receives("<presence type='subscribe' from='eve@far.example' to='ada@example.org'/>");
      await ada.sends("<presence type='subscribed' to='eve@far.example/den'/>");
      far.receives("<presence type='subscribed' from='ada@example.org' to='eve@far.example'/>", SHOWN);
    });
    test("RFC 6121 §8.5.3.2.2: other subscription stanzas to a resource that is gone are ignored", async () => {
      for (const type of ["subscribed", "unsubscribed"] as const) {
        const cast = await enter(await stage(open), "NO");
        await cast.far.sends(`<presence type='${type}' from='eve@far.example' to='ada@example.org/nowhere'/>`);
        cast.ada.receivesNothing();
        // §8.5.3.1: to one that is there they count.
        await cast.far.sends(`<presence type='${type}' from='eve@far.example' to='ada@example.org/lab'/>`);
        expect(cast.ada.received()).toHaveLength(2);
      }
      const cast = await enter(await stage(open), "F");
      await cast.far.sends("<presence type='unsubscribe' from='eve@far.example' to='ada@example.org/nowhere'/>");
      cast.ada.receivesNothing();
      cast.far.receivesNothing();
    });
    test("RFC 6121 §8.5.1: to an account that does not exist it leads nowhere, silently", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      for (const type of ["subscribe", "unsubscribe", "subscribed", "unsubscribed"]) {
        await ada.sends(`<presence type='${type}' to='nobody@example.org'/>`);
        expect(terse(ada).filter((xml) => xml.includes("<presence"))).toEqual([]);
      }
    });
    test("RFC 6121 §3.1.2: where the contact's server cannot be reached the user is told", async () => {
      const ada = await present(await stage(open), "ada@example.org/lab");
      await ada.sends("<presence type='subscribe' id='r1' to='eve@nowhere.example'/>");
      const [first, second] = ada.received();
      expect(first).toContain("ask='subscribe'");
      expect(second).toMatch(
        /^<presence from='eve@nowhere.example' to='ada@example.org' type='error' id='r1'>.*<remote-server-not-found /,
      );
    });
    test("RFC 6121 §3.1.2: a malformed address is refused", async () => {
      const ada = await present(await stage(open), "ada@example.org/lab");
      await ada.sends("<presence type='subscribe' to='a@b@c'/>");
      expect(terse(ada)).toEqual([expect.stringContaining("<jid-malformed")]);
    });
    test("RFC 6121 §3.1.1: request and roster set work in either order", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      await ada.sends("<presence type='subscribe' to='grace@example.org'/>");
      await ada.sends(set("<item jid='grace@example.org' name='Grace'/>"));
      await ada.sends(set("<item jid='linus@example.org' name='Linus'/>"));
      await ada.sends("<presence type='subscribe' to='linus@example.org'/>");
      forget(ada);
      await ada.sends(get());
      ada.receives(
        whole(
          ada,
          "<item jid='grace@example.org' name='Grace' subscription='none' ask='subscribe'/>" +
            "<item jid='linus@example.org' name='Linus' subscription='none' ask='subscribe'/>",
        ),
      );
    });
    test("RFC 6121 §3.1.2: contacts elsewhere that have not answered are asked again by each new presence session", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const ada = await present(scene, "ada@example.org/lab");
      await ada.sends("<presence type='subscribe' id='r1' to='eve@far.example'><status>Hello?</status></presence>");
      await ada.sends("<presence type='subscribe' id='r2' to='bob@far.example'/>");
      await ada.sends("<presence type='subscribe' id='r3' to='grace@example.org'/>");
      forget(ada, far);
      await ada.sends("<presence><show>away</show></presence>");
      far.receivesNothing();
      await scene.online("ada@example.org/phone");
      far.receivesInAnyOrder(
        "<presence type='subscribe' id='r1' from='ada@example.org' to='eve@far.example'><status>Hello?</status></presence>",
        "<presence type='subscribe' id='*' from='ada@example.org' to='bob@far.example'/>",
      );
      await far.sends("<presence type='unsubscribed' from='eve@far.example' to='ada@example.org'/>");
      await far.sends("<presence type='subscribed' from='bob@far.example' to='ada@example.org'/>");
      forget(far);
      await scene.online("ada@example.org/desk");
      expect(far.received().filter((xml) => xml.includes("'subscribe'"))).toEqual([]);
    });
    test("RFC 6121 §3.1.2: contacts here are not: their server has the request, or did not want it", async () => {
      const scene = await stage(open, {
        subscription: { items: 10, requests: 0, requestBytes: 0, allRequestBytes: 0 },
      });
      const ada = await present(scene, "ada@example.org/lab");
      const grace = await present(scene, "grace@example.org/ship");
      await ada.sends("<presence type='subscribe' to='grace@example.org'/>");
      forget(grace);
      await scene.online("ada@example.org/phone");
      grace.receivesNothing();
    });
  });

  describe("answering", () => {
    test("RFC 6121 §3.1.5, §3.1.6: approval: push here, the stanza and then the push there, then presence", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const shelf = await interested(scene, "ada@example.org/shelf");
      const phone = await scene.online("ada@example.org/phone");
      const grace = await present(scene, "grace@example.org/ship", "<presence id='p1'><show>dnd</show></presence>");
      const pocket = await scene.online(
        "grace@example.org/pocket",
        "<presence id='p2'><priority>-1</priority></presence>",
      );
      await ada.sends("<presence type='subscribe' to='grace@example.org'/>");
      forget(ada, shelf, phone, grace, pocket);
      await grace.sends("<presence type='subscribed' id='s1' to='ada@example.org'/>");
      grace.receives(push(grace, "<item jid='ada@example.org' subscription='from'/>"));
      pocket.receivesNothing();
      const approval = "<presence type='subscribed' id='s1' from='grace@example.org' to='ada@example.org'/>";
      const presences = [
        "<presence id='p1' from='grace@example.org/ship' to='ada@example.org'><show>dnd</show></presence>",
        "<presence id='p2' from='grace@example.org/pocket' to='ada@example.org'><priority>-1</priority></presence>",
      ];
      ada.receives(approval, push(ada, "<item jid='grace@example.org' subscription='to'/>"), ...presences);
      // Interested, but not available: the roster's side of it only.
      shelf.receives(approval, push(shelf, "<item jid='grace@example.org' subscription='to'/>"));
      // Available, but not interested.
      phone.receives(...presences);
    });
    test("RFC 6121 §3.1.4: denial: nothing is shown, nothing is added", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const grace = await present(scene, "grace@example.org/ship");
      await ada.sends("<presence type='subscribe' to='grace@example.org'/>");
      forget(ada, grace);
      await grace.sends("<presence type='unsubscribed' id='n1' to='ada@example.org'/>");
      grace.receivesNothing();
      ada.receives(
        "<presence type='unsubscribed' id='n1' from='grace@example.org' to='ada@example.org'/>",
        push(ada, "<item jid='grace@example.org' subscription='none'/>"),
      );
    });
    test("RFC 6121 §3.2.2, §3.2.3: cancellation: unavailable from every resource before the stanza", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const grace = await present(scene, "grace@example.org/ship");
      const pocket = await present(scene, "grace@example.org/pocket");
      await befriend(ada, grace);
      forget(pocket);
      await pocket.sends(
        "<presence type='unsubscribed' id='c1' to='ada@example.org'><status>Sorry</status></presence>",
      );
      const [first, second, ...rest] = ada.received();
      expect(
        [first, second].map((xml) => /from='([^']*)'.*type='([^']*)'/.exec(xml ?? "")?.slice(1)).toSorted(),
      ).toEqual([
        ["grace@example.org/pocket", "unavailable"],
        ["grace@example.org/ship", "unavailable"],
      ]);
      expect(rest[0]).toContain("<status>Sorry</status>");
      expect(rest[1]).toContain("subscription='none'");
      for (const party of [grace, pocket])
        party.receives(push(party, "<item jid='ada@example.org' subscription='none'/>"));
    });
    test("RFC 6121 §3.3.2, §3.3.3: unsubscribing, between two local accounts", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const grace = await present(scene, "grace@example.org/ship");
      await befriend(ada, grace);
      await ada.sends("<presence type='unsubscribe' id='u1' to='grace@example.org'/>");
      ada.receives(
        push(ada, "<item jid='grace@example.org' subscription='none'/>"),
        "<presence type='unavailable' id='*' from='grace@example.org/ship' to='ada@example.org'/>",
      );
      grace.receives(
        "<presence type='unsubscribe' id='u1' from='ada@example.org' to='grace@example.org'/>",
        push(grace, "<item jid='ada@example.org' subscription='none'/>"),
      );
    });
    test("RFC 6121 §3.3.3: a request from somebody who is in no roster is withdrawn", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      await far.sends(fromEve("subscribe"));
      await far.sends(fromEve("unsubscribe"));
      const ada = await present(scene, "ada@example.org/lab");
      ada.receivesNothing();
      await ada.sends(get());
      ada.receives(whole(ada, ""));
    });
    test("RFC 6121 §3.1.6, §3.2.3, §3.3.3: what fits no state of an account without roster is ignored", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const ada = await present(scene, "ada@example.org/lab");
      for (const type of ["subscribed", "unsubscribed", "unsubscribe"] as const) await far.sends(fromEve(type));
      ada.receivesNothing();
      far.receivesNothing();
    });
    test("RFC 6121 §3.1.3 rule 1: while nobody is there, who has not been approved learns nothing", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      await far.sends(fromEve("subscribe"));
      far.receivesNothing();
    });
    test("RFC 6121 §3.1.3 rule 2: who has a subscription already is answered while nobody is there", async () => {
      const cast = await enter(await stage(open), "F");
      await cast.ada.ends();
      forget(cast.far);
      await eveSays("subscribe")(cast);
      cast.far.receives(fromAda("subscribed", "e1"));
    });
  });

  describe("pre-approval", () => {
    const approve = "<presence type='subscribed' to='eve@far.example'/>";
    test("RFC 6121 §3.4.2: it makes an item, approves the request unseen, and is used up", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const ada = await present(scene, "ada@example.org/lab");
      await ada.sends(approve);
      ada.receives(push(ada, item("approved='true' subscription='none'")));
      far.receivesNothing();
      await far.sends(fromEve("subscribe"));
      far.receives(fromAda("subscribed", "e1"), SHOWN);
      ada.receives(push(ada, item("subscription='from'")));
      await far.sends(fromEve("unsubscribe"));
      forget(ada, far);
      await far.sends(fromEve("subscribe"));
      far.receivesNothing();
      ada.receives(fromEve("subscribe"));
    });
    test("RFC 6121 §3.4.2: it works while the user is away", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const ada = await present(scene, "ada@example.org/lab");
      await ada.sends(approve);
      await ada.ends();
      await far.sends(fromEve("subscribe"));
      far.receives(fromAda("subscribed", "e1"));
      const back = await scene.login("ada@example.org/lab");
      await back.sends(get());
      back.receives(whole(back, item("subscription='from'")));
    });
    test("RFC 6121 §3.4: unsubscribed takes it back, with a push and without a word to the contact", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const ada = await present(scene, "ada@example.org/lab");
      await ada.sends(approve);
      forget(ada);
      await ada.sends("<presence type='unsubscribed' to='eve@far.example'/>");
      ada.receives(push(ada, item("subscription='none'")));
      far.receivesNothing();
      await far.sends(fromEve("subscribe"));
      ada.receives(fromEve("subscribe"));
    });
    test("RFC 6121 §3.4: removing the item takes it back; changing the item does not", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const ada = await present(scene, "ada@example.org/lab");
      await ada.sends(approve);
      await ada.sends(set("<item jid='eve@far.example' name='Eve'/>"));
      expect(ada.received().at(-1)).toContain("approved='true'");
      await ada.sends(set("<item jid='eve@far.example' subscription='remove'/>"));
      forget(ada);
      await far.sends(fromEve("subscribe"));
      ada.receives(fromEve("subscribe"));
    });
    test("RFC 6121 §4.3.2 rule 1: a probe that is refused does not take it back", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const ada = await present(scene, "ada@example.org/lab");
      await ada.sends(approve);
      await far.sends("<presence type='probe' id='e1' from='eve@far.example' to='ada@example.org'/>");
      far.receives(fromAda("unsubscribed", "e1"));
      await far.sends(fromEve("subscribe"));
      far.receives(fromAda("subscribed", "e1"), SHOWN);
    });
    test("RFC 6121 §3.4: two local accounts that approve each other beforehand need no questions", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const grace = await present(scene, "grace@example.org/ship");
      await grace.sends("<presence type='subscribed' to='ada@example.org'/>");
      forget(grace);
      await ada.sends("<presence type='subscribe' id='r1' to='grace@example.org'/>");
      ada.receives(
        push(ada, "<item jid='grace@example.org' subscription='none' ask='subscribe'/>"),
        "<presence type='subscribed' id='r1' from='grace@example.org' to='ada@example.org'/>",
        push(ada, "<item jid='grace@example.org' subscription='to'/>"),
        "<presence from='grace@example.org/ship' to='ada@example.org'/>",
      );
      grace.receives(push(grace, "<item jid='ada@example.org' subscription='from'/>"));
    });
  });

  describe("oneself, limits and hostile values", () => {
    test("RFC 6121 §4.2.2: one's own presence needs no subscription", async () => {
      const ada = await present(await stage(open), "ada@example.org/lab");
      for (const type of ["subscribe", "subscribed", "unsubscribe", "unsubscribed"]) {
        await ada.sends(`<presence type='${type}' to='ada@example.org'/>`);
        await ada.sends(`<presence type='${type}' to='ada@example.org/lab'/>`);
      }
      ada.receivesNothing();
      await ada.sends(get());
      ada.receives(whole(ada, ""));
    });
    const small = { items: 2, requests: 2, requestBytes: 300, allRequestBytes: 10_000 };
    test("RFC 6121 §3.1.2: asking makes an item, and a roster that is full takes none", async () => {
      const scene = await stage(open, { subscription: small });
      const far = scene.component("far.example");
      const ada = await present(scene, "ada@example.org/lab");
      for (const type of ["subscribe", "subscribed"]) {
        for (const name of ["a", "b"]) await ada.sends(`<presence type='${type}' to='${name}@far.example'/>`);
        forget(ada, far);
        await ada.sends(`<presence type='${type}' id='r1' to='c@far.example'/>`);
        expect(terse(ada)).toEqual([expect.stringContaining("<policy-violation")]);
        far.receivesNothing();
      }
    });
    test("RFC 6121 §3.1.3: and in size of all of it together", async () => {
      const scene = await stage(open, {
        subscription: { items: 10, requests: 10, requestBytes: 1_000, allRequestBytes: 1_000 },
      });
      const far = scene.component("far.example");
      const long = `<status>${"x".repeat(500)}</status>`;
      for (const name of ["a", "b", "c", "d"])
        await far.sends(
          `<presence type='subscribe' from='${name}@far.example' to='ada@example.org'>${long}</presence>`,
        );
      const ada = await scene.login("ada@example.org/lab");
      await ada.sends("<presence/>");
      const shown = ada.received().filter((xml) => xml.includes("'subscribe'"));
      expect(shown.length).toBe(1);
    });
    test("RFC 6121 §3.1.3: what strangers can make an account keep is bounded in number and size", async () => {
      const scene = await stage(open, { subscription: small });
      const far = scene.component("far.example");
      const long = `<status>${"x".repeat(500)}</status>`;
      await far.sends(
        `<presence type='subscribe' id='l' from='long@far.example' to='ada@example.org'>${long}</presence>`,
      );
      for (let at = 0; at < 5; at++)
        await far.sends(`<presence type='subscribe' from='s${at}@far.example' to='ada@example.org'/>`);
      const ada = await scene.login("ada@example.org/lab");
      await ada.sends("<presence/>");
      ada.receives(
        "<presence from='ada@example.org/lab' to='ada@example.org/lab'/>",
        "<presence type='subscribe' id='l' from='long@far.example' to='ada@example.org'/>",
        "<presence type='subscribe' from='s0@far.example' to='ada@example.org'/>",
      );
      // Whoever is there sees it whole, whether there is room for it or not.
      await far.sends(`<presence type='subscribe' from='late@far.example' to='ada@example.org'>${long}</presence>`);
      ada.receives(`<presence type='subscribe' from='late@far.example' to='ada@example.org'>${long}</presence>`);
      await ada.sends(get());
      ada.receives(whole(ada, ""));
    });
    test("RFC 6121 §3.1.3: a request with as many attributes as may just be is shown like any other", async () => {
      const scene = await stage(open);
      const grace = await scene.login("grace@example.org/ship");
      const attributes = Array.from({ length: 62 }, (_, at) => ` a${at}=''`).join("");
      await grace.sends(`<presence type='subscribe' to='ada@example.org'${attributes}/>`);
      const ada = await scene.login("ada@example.org/lab");
      await ada.sends("<presence/>");
      expect(ada.received().filter((xml) => xml.includes("'subscribe'"))).toEqual([expect.stringContaining(" a61=''")]);
      expect(scene.defects).toEqual([]);
    });
    test("RFC 6121 §3.1.3: addresses with characters that XML escapes survive being stored", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      await far.sends(
        "<presence type='subscribe' id='&lt;&apos;&amp;' from='é+&quot;@far.example'  to='ada@example.org'/>".replace(
          "&quot;",
          "ü",
        ),
      );
      const ada = await scene.login("ada@example.org/l&amp;b".replace("&amp;", "&"));
      await ada.sends("<presence/>");
      expect(ada.received()[1]).toContain(
        "from='é+ü@far.example' to='ada@example.org' type='subscribe' id='&lt;&apos;&amp;'",
      );
      await ada.sends("<presence type='subscribed' to='é+ü@far.example'/>");
      far.receives(
        "<presence type='subscribed' from='ada@example.org' to='é+ü@far.example'/>",
        "<presence from='ada@example.org/l&amp;b' to='é+ü@far.example'/>",
      );
    });
    test.each(["at once", "after a while"])(
      "RFC 6121 §2.6.3: a hundred subscriptions at the same time, where reads answer %s, leave a roster that is right",
      async (reads) => {
        const scene = await stage(open, reads === "at once" ? {} : { reads: later });
        const ada = await present(scene, "ada@example.org/lab");
        const far = scene.component("far.example");
        const all = Array.from({ length: 100 }, (_, at) => `c${at}@far.example`);
        await Promise.all(
          all.map((jid) => far.sends(`<presence type='subscribe' from='${jid}' to='ada@example.org'/>`)),
        );
        forget(ada);
        await Promise.all(
          all.map((jid, at) =>
            at % 2 === 0
              ? ada.sendsUnsettled(`<presence type='subscribed' to='${jid}'/>`)
              : far.sends(`<presence type='unsubscribe' from='${jid}' to='ada@example.org'/>`),
          ),
        );
        await scene.settled();
        const versions = ada
          .received()
          .flatMap((xml) => (xml.includes("<query") ? [Number(/ver='(\d+)-/.exec(xml)?.[1])] : []));
        expect(versions).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
        await ada.sends(get());
        const [roster] = ada.received();
        expect(roster?.match(/subscription='from'/g)).toHaveLength(50);
        expect(scene.defects).toEqual([]);
      },
    );
    test.each(["at once", "after a while"])(
      "XEP-0191 §3.3: the request of somebody who has been blocked since waits, where that is known %s",
      async (known) => {
        const blocked = new Set<string>();
        const isBlocked = (_: string, { bare }: { readonly bare: string }) =>
          known === "at once" ? blocked.has(bare) : later(blocked.has(bare));
        const scene = await stage(open, { presence: { isBlocked } });
        const far = scene.component("far.example");
        for (const who of ["lin", "ken"])
          await far.sends(`<presence type='subscribe' from='${who}@far.example' to='ada@example.org'/>`);
        blocked.add("ken@far.example");
        const ada = await scene.login("ada@example.org/lab");
        await ada.sends("<presence/>");
        const asked = (xml: readonly string[]): readonly string[] =>
          xml.flatMap((stanza) => /from='(\w+)@far/.exec(stanza)?.[1] ?? []);
        expect(asked(ada.received())).toEqual(["lin"]);
        blocked.clear();
        const desk = await scene.login("ada@example.org/desk");
        await desk.sends("<presence/>");
        expect(asked(desk.received())).toEqual(["lin", "ken"]);
      },
    );
  });
});
