import { parseJid } from "@kith/protocol";
import { eachFabric, ManualClock, type Party, type Scene } from "@kith/testing";
import { describe, expect, test } from "vitest";
import type { Context } from "../module.ts";
import { Contacts } from "./rfc6121-contacts.ts";
import { Ledger, type LedgerEntry } from "./rfc6121-ledger.ts";
import { presenceExchange } from "./rfc6121-presence.ts";
import { befriend, forget, interested, present, push, set, stage, terse } from "./test-rfc6121.ts";

const show = (from: string, to: string, content = "", attributes = ""): string =>
  `<presence from='${from}' to='${to}'${attributes}>${content}</presence>`;
const gone = (from: string, to: string, content = "", attributes = ""): string =>
  show(from, to, content, ` type='unavailable'${attributes}`);

/** Ada and Grace see each other; both are available. */
const friends = async (scene: Scene): Promise<{ ada: Party; grace: Party }> => {
  const ada = await present(scene, "ada@example.org/lab");
  const grace = await present(scene, "grace@example.org/ship");
  await befriend(ada, grace);
  await befriend(grace, ada);
  forget(ada, grace);
  return { ada, grace };
};
const eveSays = (type: string, attributes = ""): string =>
  `<presence type='${type}' from='eve@far.example' to='ada@example.org'${attributes}/>`;

/** Eve, elsewhere, sees Ada's presence, and Ada hers. */
const withEve = async (scene: Scene, ada: Party) => {
  const far = scene.component("far.example");
  await far.sends(eveSays("subscribe"));
  await ada.sends("<presence type='subscribed' to='eve@far.example'/>");
  await ada.sends("<presence type='subscribe' to='eve@far.example'/>");
  await far.sends(eveSays("subscribed"));
  forget(ada, far);
  return far;
};
const ledgerOf = async (
  scene: Scene,
  account = "ada@example.org",
): Promise<readonly (readonly [string, LedgerEntry])[]> => [
  ...(await scene.store.collection<LedgerEntry>("presence-ledger").all(account)),
];

/** What a new process sends when it starts on this store. */
const restarted = async (scene: Scene): Promise<readonly string[]> => {
  const module = presenceExchange({ contacts: new Contacts(scene.store), ledger: new Ledger(scene.store) });
  const context: Context = {
    now: scene.clock.now,
    isLocal: (domain) => domain === "example.org",
    exists: () => true,
    available: () => [],
    underWay: () => new Set(),
    session: undefined,
    newId: () => "new",
  };
  const unit = scene.store.begin();
  const sent: string[] = [];
  for (const effect of (await module.started?.(context)) ?? []) {
    if (effect.do === "write") unit.add(effect.write);
    if (effect.do === "route")
      sent.push(`${effect.stanza.from?.full} > ${effect.stanza.to?.full} ${effect.stanza.type}`);
  }
  unit.commit();
  await scene.store.flush();
  return sent;
};

eachFabric("presence", (open) => {
  describe("initial presence", () => {
    test("RFC 6121 §4.2.2: goes to subscribers, to all of the account's available resources, and asks those it is subscribed to", async () => {
      const scene = await stage(open);
      const { ada, grace } = await friends(scene);
      const pocket = await scene.online("grace@example.org/pocket");
      const shelf = await interested(scene, "grace@example.org/shelf");
      const linus = await present(scene, "linus@example.org/desk");
      forget(ada, grace);
      const phone = await scene.login("ada@example.org/phone");
      const extended =
        "<show>chat</show><status>Hello</status><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/>";
      await phone.sends(`<presence id='i1' xml:lang='en'>${extended}</presence>`);
      const attributes = " id='i1' xml:lang='en'";
      ada.receives(show("ada@example.org/phone", "ada@example.org/lab", extended, attributes));
      grace.receives(show("ada@example.org/phone", "grace@example.org", extended, attributes));
      pocket.receives(show("ada@example.org/phone", "grace@example.org", extended, attributes));
      shelf.receivesNothing();
      linus.receivesNothing();
      phone.receivesInAnyOrder(
        show("ada@example.org/phone", "ada@example.org/phone", extended, attributes),
        show("ada@example.org/lab", "ada@example.org/phone"),
        show("grace@example.org/ship", "ada@example.org/phone"),
        show("grace@example.org/pocket", "ada@example.org/phone"),
      );
    });
    test("RFC 6121 §4.3.1: elsewhere the probe comes from the bare JID, after presence, with an id", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const far = await withEve(scene, ada);
      await scene.online("ada@example.org/phone");
      far.receives(
        show("ada@example.org/phone", "eve@far.example"),
        "<presence type='probe' id='*' from='ada@example.org' to='eve@far.example'/>",
      );
    });
    test("RFC 6121 §4.2.2: subscriptions of each kind: from and both are told, to and both are asked", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const ada = await present(scene, "ada@example.org/lab");
      for (const name of ["from", "both"]) {
        await ada.sends(`<presence type='subscribed' to='${name}@far.example'/>`);
        await far.sends(`<presence type='subscribe' from='${name}@far.example' to='ada@example.org'/>`);
      }
      for (const name of ["to", "both"]) {
        await ada.sends(`<presence type='subscribe' to='${name}@far.example'/>`);
        await far.sends(`<presence type='subscribed' from='${name}@far.example' to='ada@example.org'/>`);
      }
      await ada.sends(set("<item jid='none@far.example'/>"));
      await ada.sends("<presence type='unavailable'/>");
      forget(ada, far);
      await ada.sends("<presence/>");
      const probe = (to: string): string =>
        `<presence type='probe' id='*' from='ada@example.org' to='${to}@far.example'/>`;
      far.receivesInAnyOrder(
        show("ada@example.org/lab", "from@far.example"),
        show("ada@example.org/lab", "both@far.example"),
        probe("to"),
        probe("both"),
      );
    });
    test("RFC 6121 §4.7.2.3: a priority that is none is a bad request, and changes nothing", async () => {
      const scene = await stage(open);
      const { ada, grace } = await friends(scene);
      for (const priority of ["128", "-129", "high", "1.5", "9".repeat(300)]) {
        await ada.sends(`<presence><priority>${priority}</priority></presence>`);
        expect(terse(ada)).toEqual([expect.stringContaining("<bad-request")]);
      }
      grace.receivesNothing();
      for (const priority of ["127", "-128"]) {
        await ada.sends(`<presence><priority>${priority}</priority></presence>`);
        grace.receives(show("ada@example.org/lab", "grace@example.org", `<priority>${priority}</priority>`));
      }
    });
    test("RFC 6121 §4.7.1: a type that is none, or that needs an addressee, is a bad request", async () => {
      const ada = await present(await stage(open), "ada@example.org/lab");
      for (const type of [
        "available",
        "hello",
        "",
        "probe",
        "subscribe",
        "subscribed",
        "unsubscribe",
        "unsubscribed",
      ]) {
        await ada.sends(`<presence type='${type}'/>`);
        expect([type, ...terse(ada)]).toEqual([type, expect.stringContaining("<bad-request")]);
      }
    });
  });

  describe("subsequent presence", () => {
    test("RFC 6121 §4.4.2: the whole stanza to subscribers and own resources; nobody is asked again", async () => {
      const scene = await stage(open);
      const { ada, grace } = await friends(scene);
      const far = await withEve(scene, ada);
      const phone = await scene.online("ada@example.org/phone");
      forget(ada, grace, far);
      const content = "<show>away</show><x xmlns='urn:example:mood'>fine &amp; well</x>";
      await ada.sends(`<presence>${content}</presence>`);
      ada.receives(show("ada@example.org/lab", "ada@example.org/lab", content));
      phone.receives(show("ada@example.org/lab", "ada@example.org/phone", content));
      grace.receives(show("ada@example.org/lab", "grace@example.org", content));
      far.receives(show("ada@example.org/lab", "eve@far.example", content));
    });
    test("RFC 6121 §4.5.2: available after unavailable is initial again", async () => {
      const scene = await stage(open);
      const { ada, grace } = await friends(scene);
      await ada.sends("<presence type='unavailable'/>");
      forget(ada, grace);
      await ada.sends("<presence/>");
      ada.receives(
        show("ada@example.org/lab", "ada@example.org/lab"),
        show("grace@example.org/ship", "ada@example.org/lab"),
      );
    });
  });

  describe("unavailable presence", () => {
    test("RFC 6121 §4.5.2: said goodbye, it goes whole to subscribers, own resources and the one that said it", async () => {
      const scene = await stage(open);
      const { ada, grace } = await friends(scene);
      const phone = await scene.online("ada@example.org/phone");
      forget(ada, grace);
      await ada.sends("<presence type='unavailable' id='u1'><status>Tea</status></presence>");
      const content = "<status>Tea</status>";
      grace.receives(gone("ada@example.org/lab", "grace@example.org", content, " id='u1'"));
      phone.receives(gone("ada@example.org/lab", "ada@example.org/phone", content, " id='u1'"));
      ada.receives(gone("ada@example.org/lab", "ada@example.org/lab", content, " id='u1'"));
      // Once more says nothing new.
      await ada.sends("<presence type='unavailable'/>");
      for (const party of [grace, phone, ada]) party.receivesNothing();
    });
    test("RFC 6121 §4.5.2: a stream that is lost says it too, once", async () => {
      const scene = await stage(open);
      const { ada, grace } = await friends(scene);
      const phone = await scene.online("ada@example.org/phone");
      const far = await withEve(scene, phone);
      forget(ada, grace, phone, far);
      await ada.ends();
      grace.receives(gone("ada@example.org/lab", "grace@example.org"));
      far.receives(gone("ada@example.org/lab", "eve@far.example"));
      phone.receives(gone("ada@example.org/lab", "ada@example.org/phone"));
    });
    test("RFC 6121 §4.5.2: a resource that never was available says nothing", async () => {
      const scene = await stage(open);
      const { ada, grace } = await friends(scene);
      const phone = await scene.login("ada@example.org/phone");
      await phone.sends("<presence type='unavailable'/>");
      await phone.ends();
      for (const party of [ada, grace]) party.receivesNothing();
    });
    test("RFC 6121 §4.5.2: a resource that goes without a word after having said goodbye says nothing more", async () => {
      const scene = await stage(open);
      const { ada, grace } = await friends(scene);
      await ada.sends("<presence type='unavailable'/>");
      forget(grace);
      await ada.ends();
      grace.receivesNothing();
    });
  });

  describe("received presence", () => {
    test("RFC 6121 §8.5.2.1.2: to a bare JID it reaches every available resource, whatever its priority", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const lab = await scene.online("ada@example.org/lab");
      const cellar = await scene.online("ada@example.org/cellar", "<presence><priority>-5</priority></presence>");
      const shelf = await scene.login("ada@example.org/shelf");
      forget(lab);
      for (const type of ["", " type='unavailable'", " type='error'"]) {
        const stanza = `<presence from='eve@far.example/den' to='ada@example.org'${type} id='x'><x xmlns='urn:example:x'/></presence>`;
        await far.sends(stanza);
        lab.receives(stanza);
        cellar.receives(stanza);
        shelf.receivesNothing();
      }
    });
    test("RFC 6121 §8.5.3.1, §8.5.3.2.2: to a full JID it reaches that resource, available or not, or nobody", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const lab = await scene.online("ada@example.org/lab");
      const shelf = await scene.login("ada@example.org/shelf");
      for (const type of ["", " type='unavailable'", " type='error'"]) {
        const stanza = `<presence from='eve@far.example/den' to='ada@example.org/shelf'${type}/>`;
        await far.sends(stanza);
        shelf.receives(stanza);
        await far.sends(stanza.replace("shelf", "nowhere"));
      }
      lab.receivesNothing();
      far.receivesNothing();
    });
    test("RFC 6121 §8.5.1, §8.5.2.2.2: for nobody it is ignored", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      for (const to of ["ada@example.org", "nobody@example.org", "nobody@example.org/x"]) {
        for (const type of ["", " type='unavailable'", " type='error'"])
          await far.sends(`<presence from='eve@far.example' to='${to}'${type}/>`);
      }
      far.receivesNothing();
      const ada = await scene.login("ada@example.org/lab");
      await ada.sends("<presence/>");
      ada.receives(show("ada@example.org/lab", "ada@example.org/lab"));
    });
  });

  describe("probes", () => {
    const probe = (from: string, to = "ada@example.org", id = " id='p1'"): string =>
      `<presence type='probe' from='${from}' to='${to}'${id}/>`;
    const refusal = (to = "eve@far.example", from = "ada@example.org"): string =>
      `<presence type='unsubscribed' id='p1' from='${from}' to='${to}'/>`;

    test("RFC 6121 §4.3.2 rule 1: without a subscription, and without an account, the answer is the same", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const ada = await scene.online("ada@example.org/lab");
      await far.sends(probe("eve@far.example"));
      far.receives(refusal());
      await far.sends(probe("eve@far.example/den"));
      far.receives(refusal());
      await far.sends(probe("eve@far.example", "ada@example.org/lab"));
      far.receives(refusal());
      await far.sends(probe("eve@far.example", "nobody@example.org"));
      far.receives(refusal("eve@far.example", "nobody@example.org"));
      await far.sends(probe("eve@far.example", "nobody@example.org/lab"));
      far.receives(refusal("eve@far.example", "nobody@example.org"));
      ada.receivesNothing();
    });
    test.each(["to", "asked"])("RFC 6121 §4.3.2 rule 1: subscription %s is not enough", async (subscription) => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const ada = await present(scene, "ada@example.org/lab");
      await ada.sends("<presence type='subscribe' to='eve@far.example'/>");
      if (subscription === "to") await far.sends(eveSays("subscribed"));
      await far.sends(eveSays("subscribe"));
      forget(ada, far);
      await far.sends(probe("eve@far.example"));
      far.receives(refusal());
    });
    test("RFC 6121 §4.3.2 rule 1: the refusal repairs the asker's roster", async () => {
      const scene = await stage(open);
      const { ada, grace } = await friends(scene);
      // Grace's roster has forgotten: its subscription is gone without a word.
      const roster = scene.store.collection<{ subscription: string }>("roster");
      const item = await roster.get("grace@example.org", "ada@example.org");
      const unit = scene.store.begin();
      unit.add(roster.put("grace@example.org", "ada@example.org", { ...item, subscription: "none" }));
      unit.commit();
      await scene.settled();
      await ada.sends("<presence type='unavailable'/>");
      forget(ada);
      await ada.sends("<presence/>");
      ada.receives(
        show("ada@example.org/lab", "ada@example.org/lab"),
        "<presence type='unsubscribed' id='*' from='grace@example.org' to='ada@example.org'/>",
        push(ada, "<item jid='grace@example.org' subscription='from'/>"),
      );
      forget(grace);
    });
    test("RFC 6121 §4.3.2 rule 3: nobody there: unavailable from the bare JID with the probe's id", async () => {
      const clock = new ManualClock();
      const scene = await stage(open, {
        presence: { lastAvailable: (account) => (account === "ada@example.org" ? clock.now() : undefined) },
      });
      const ada = await present(scene, "ada@example.org/lab");
      const far = await withEve(scene, ada);
      await ada.ends();
      forget(far);
      await far.sends(probe("eve@far.example"));
      far.receives(
        gone(
          "ada@example.org",
          "eve@far.example",
          "<delay xmlns='urn:xmpp:delay' stamp='2031-05-17T09:30:00Z'/>",
          " id='p1'",
        ),
      );
    });
    test("RFC 6121 §4.3.2 rule 3: without a time where none is known", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const far = await withEve(scene, ada);
      await ada.sends("<presence type='unavailable'/>");
      forget(far);
      await far.sends(probe("eve@far.example", "ada@example.org", ""));
      far.receives(gone("ada@example.org", "eve@far.example"));
    });
    test("RFC 6121 §4.3.2 rule 4, §4.3.2.1: the last broadcast of each resource, whole, with its own id", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const far = await withEve(scene, ada);
      const phone = await scene.online("ada@example.org/phone", "<presence id='pres2'/>");
      await ada.sends("<presence id='pres1'><show>dnd</show><status>busy!</status></presence>");
      await ada.sends("<presence to='eve@far.example' id='directed'><show>chat</show></presence>");
      await scene.login("ada@example.org/shelf");
      forget(far, phone);
      await far.sends(probe("eve@far.example"));
      far.receivesInAnyOrder(
        show("ada@example.org/lab", "eve@far.example", "<show>dnd</show><status>busy!</status>", " id='pres1'"),
        show("ada@example.org/phone", "eve@far.example", "", " id='pres2'"),
      );
    });
    test("RFC 6121 §4.3.2: of a full JID only that resource, and only whether it is there", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab", "<presence id='pres1'><show>dnd</show></presence>");
      const far = await withEve(scene, ada);
      await scene.online("ada@example.org/phone");
      forget(far);
      await far.sends(probe("eve@far.example", "ada@example.org/lab"));
      far.receives(show("ada@example.org/lab", "eve@far.example", "", " id='pres1'"));
      await far.sends(probe("eve@far.example", "ada@example.org/nowhere"));
      far.receives(gone("ada@example.org/nowhere", "eve@far.example", "", " id='p1'"));
    });
    test("RFC 6121 §4.3: a probe that a client sends is handled, not refused", async () => {
      const scene = await stage(open);
      const { ada, grace } = await friends(scene);
      await grace.sends("<presence><show>xa</show></presence>");
      forget(ada, grace);
      await ada.sends("<presence type='probe' to='grace@example.org'/>");
      ada.receives(show("grace@example.org/ship", "ada@example.org/lab", "<show>xa</show>"));
      grace.receivesNothing();
      // Nobody's presence is revealed by it (§11), and no subscription is changed.
      await ada.sends("<presence type='probe' to='linus@example.org'/>");
      ada.receivesNothing();
      // One's own resources one may always ask for.
      await ada.sends("<presence type='probe' to='ada@example.org'/>");
      ada.receives(show("ada@example.org/lab", "ada@example.org/lab"));
    });
    test("RFC 6121 §4.6.6: who was sent directed presence may ask for that resource, from the address that got it", async () => {
      const scene = await stage(open);
      const rooms = scene.component("rooms.example");
      const ada = await present(scene, "ada@example.org/lab", "<presence><status>secret</status></presence>");
      await scene.online("ada@example.org/phone");
      await ada.sends("<presence to='tea@rooms.example/ada'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
      forget(rooms);
      for (const to of ["ada@example.org/lab", "ada@example.org"]) {
        await rooms.sends(probe("tea@rooms.example/ada", to));
        rooms.receives(show("ada@example.org/lab", "tea@rooms.example/ada"));
      }
      for (const [from, to] of [
        ["tea@rooms.example/ada", "ada@example.org/phone"],
        ["tea@rooms.example/other", "ada@example.org/lab"],
        ["other@rooms.example/ada", "ada@example.org/lab"],
      ] as const) {
        await rooms.sends(probe(from, to));
        rooms.receives(refusal(parseJid(from).bare));
      }
      await ada.sends("<presence type='unavailable' to='tea@rooms.example/ada'/>");
      forget(rooms);
      await rooms.sends(probe("tea@rooms.example/ada", "ada@example.org/lab"));
      rooms.receives(refusal("tea@rooms.example"));
    });
  });

  describe("directed presence", () => {
    const ROOM = "tea@rooms.example/ada";
    const enterRoom = async (scene: Scene, ada: Party, content = "") => {
      const rooms = scene.component("rooms.example");
      await ada.sends(`<presence to='${ROOM}' id='d1'>${content}</presence>`);
      rooms.receives(show("ada@example.org/lab", ROOM, content, " id='d1'"));
      return rooms;
    };
    test("RFC 6121 §4.6.3 case 2: it is passed on whole, later broadcasts are not, the goodbye is", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const rooms = await enterRoom(scene, ada, "<x xmlns='http://jabber.org/protocol/muc'><password>p</password></x>");
      await ada.sends("<presence><show>away</show></presence>");
      rooms.receivesNothing();
      await ada.sends("<presence type='unavailable'><status>bye</status></presence>");
      rooms.receives(gone("ada@example.org/lab", ROOM, "<status>bye</status>"));
      // The list is cleared (§4.6.1).
      await ada.sends("<presence/>");
      await ada.sends("<presence type='unavailable'/>");
      await ada.ends();
      rooms.receivesNothing();
    });
    test("RFC 6121 §4.6.3 case 2: a lost stream says goodbye as well, and only for its own resource", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const phone = await scene.online("ada@example.org/phone");
      const rooms = await enterRoom(scene, ada);
      await phone.ends();
      rooms.receivesNothing();
      await ada.ends();
      rooms.receives(gone("ada@example.org/lab", ROOM));
    });
    test("RFC 6121 §4.6.1: who has been told directly is not told again", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const rooms = await enterRoom(scene, ada);
      await ada.sends(`<presence type='unavailable' to='${ROOM}'><status>off</status></presence>`);
      rooms.receives(gone("ada@example.org/lab", ROOM, "<status>off</status>"));
      await ada.ends();
      rooms.receivesNothing();
    });
    test("RFC 6121 §4.6.1: who has gone itself is not told; others are", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const phone = await present(scene, "ada@example.org/phone");
      const rooms = await enterRoom(scene, ada);
      await ada.sends("<presence to='chess@rooms.example/ada'/>");
      await phone.sends(`<presence to='${ROOM}'/>`);
      forget(rooms, ada);
      // Another occupant goes, and the room lets one resource out, but not the other.
      await rooms.sends("<presence type='unavailable' from='tea@rooms.example/eve' to='ada@example.org/lab'/>");
      await rooms.sends(`<presence type='unavailable' from='${ROOM}' to='ada@example.org/lab'/>`);
      expect(ada.received()).toHaveLength(2);
      await ada.ends();
      rooms.receives(gone("ada@example.org/lab", "chess@rooms.example/ada"));
      await phone.ends();
      rooms.receives(gone("ada@example.org/phone", ROOM));
    });
    test("RFC 6121 §4.6.1: going, said to the bare JID, counts for every resource", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const rooms = await enterRoom(scene, ada);
      await rooms.sends(`<presence type='unavailable' from='${ROOM}' to='ada@example.org'/>`);
      await ada.ends();
      rooms.receivesNothing();
    });
    test("RFC 6121 §4.6.3 case 1: a subscriber is told by broadcast only, and goes on being told", async () => {
      const scene = await stage(open);
      const { ada, grace } = await friends(scene);
      await ada.sends("<presence to='grace@example.org'><show>chat</show></presence>");
      grace.receives(show("ada@example.org/lab", "grace@example.org", "<show>chat</show>"));
      await ada.sends("<presence type='unavailable' to='grace@example.org'/>");
      grace.receives(gone("ada@example.org/lab", "grace@example.org"));
      await ada.sends("<presence><show>dnd</show></presence>");
      grace.receives(show("ada@example.org/lab", "grace@example.org", "<show>dnd</show>"));
      await ada.ends();
      grace.receives(gone("ada@example.org/lab", "grace@example.org"));
      expect(await ledgerOf(scene)).toEqual([]);
    });
    test("RFC 6121 §4.6.3 case 3: from a resource that is not available it counts as to a stranger", async () => {
      const scene = await stage(open);
      const { ada, grace } = await friends(scene);
      const shelf = await scene.login("ada@example.org/shelf");
      await shelf.sends("<presence to='grace@example.org/ship'/>");
      grace.receives(show("ada@example.org/shelf", "grace@example.org/ship"));
      await shelf.ends();
      grace.receives(gone("ada@example.org/shelf", "grace@example.org/ship"));
      ada.receivesNothing();
    });
    test("RFC 6121 §4.6.1: who becomes a subscriber later is told once", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const grace = await present(scene, "grace@example.org/ship");
      await ada.sends("<presence to='grace@example.org/ship'/>");
      await befriend(grace, ada);
      await ada.sends("<presence><show>away</show></presence>");
      grace.receives(show("ada@example.org/lab", "grace@example.org", "<show>away</show>"));
      await ada.ends();
      grace.receives(gone("ada@example.org/lab", "grace@example.org"));
    });
    test("RFC 6121 §4.6.4: between two local accounts it is delivered like any presence", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const grace = await present(scene, "grace@example.org/ship");
      const shelf = await scene.login("grace@example.org/shelf");
      await ada.sends("<presence to='grace@example.org'/>");
      grace.receives(show("ada@example.org/lab", "grace@example.org"));
      await ada.sends("<presence to='grace@example.org/shelf'/>");
      shelf.receives(show("ada@example.org/lab", "grace@example.org/shelf"));
      await ada.ends();
      grace.receives(gone("ada@example.org/lab", "grace@example.org"));
      shelf.receives(gone("ada@example.org/lab", "grace@example.org/shelf"));
    });
    test("RFC 6121 §4.6.3: to one's own resources it is nothing that has to be cleaned up", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const phone = await scene.online("ada@example.org/phone");
      forget(ada);
      await ada.sends("<presence to='ada@example.org/phone'/>");
      phone.receives(show("ada@example.org/lab", "ada@example.org/phone"));
      await ada.ends();
      phone.receives(gone("ada@example.org/lab", "ada@example.org/phone"));
    });
    test("RFC 6121 §4.6.1: how many entities one resource may hold on to is bounded", async () => {
      const scene = await stage(open, { presence: { directed: 2 } });
      const rooms = scene.component("rooms.example");
      const ada = await present(scene, "ada@example.org/lab");
      for (const name of ["a", "b", "a"]) await ada.sends(`<presence to='${name}@rooms.example/x'/>`);
      ada.receivesNothing();
      forget(rooms);
      await ada.sends("<presence to='c@rooms.example/x'/>");
      expect(terse(ada)).toEqual([expect.stringContaining("<policy-violation")]);
      rooms.receivesNothing();
      await ada.sends("<presence type='unavailable' to='a@rooms.example/x'/>");
      await ada.sends("<presence to='c@rooms.example/x'/>");
      ada.receivesNothing();
    });
    test("RFC 6121 §4.6.1: and how long their addresses are together", async () => {
      const scene = await stage(open, { presence: { directedCharacters: 100 } });
      scene.component("rooms.example");
      const ada = await present(scene, "ada@example.org/lab");
      await ada.sends(`<presence to='a@rooms.example/${"x".repeat(60)}'/>`);
      ada.receivesNothing();
      await ada.sends(`<presence to='b@rooms.example/${"x".repeat(60)}'/>`);
      expect(terse(ada)).toEqual([expect.stringContaining("<policy-violation")]);
      await ada.sends("<presence to='b@rooms.example/x'/>");
      ada.receivesNothing();
    });
  });

  describe("blocked contacts", () => {
    test("XEP-0191 §3.3: what the server sends by itself passes them over", async () => {
      const blocked = new Set<string>();
      const scene = await stage(open, { presence: { isBlocked: (_, other) => blocked.has(other.full) } });
      const { ada, grace } = await friends(scene);
      const rooms = scene.component("rooms.example");
      await ada.sends("<presence to='tea@rooms.example/ada'/>");
      forget(rooms);
      for (const jid of ["grace@example.org", "tea@rooms.example/ada"]) blocked.add(jid);
      await ada.sends("<presence><show>away</show></presence>");
      await ada.sends("<presence type='unavailable'/>");
      forget(ada);
      await ada.sends("<presence/>");
      grace.receivesNothing();
      rooms.receivesNothing();
      ada.receives(show("ada@example.org/lab", "ada@example.org/lab"));
    });
  });

  describe("requests to a resource", () => {
    const ask = (to = "ada@example.org/lab"): string =>
      `<iq type='get' id='v' to='${to}'><query xmlns='jabber:iq:version'/></iq>`;
    test("RFC 6121 §8.5.3.1: only who may know that the resource is there reaches it", async () => {
      const scene = await stage(open);
      const { ada, grace } = await friends(scene);
      const linus = await scene.login("linus@example.org/desk");
      await grace.sends(ask());
      ada.receives(ask().replace("<iq", "<iq from='grace@example.org/ship'"));
      await linus.sends(ask());
      ada.receivesNothing();
      expect(linus.received()).toEqual([expect.stringContaining("<service-unavailable")]);
      // A resource that is not there looks the same.
      await linus.sends(ask("ada@example.org/nowhere"));
      expect(linus.received()).toEqual([expect.stringContaining("<service-unavailable")]);
    });
    test("RFC 6121 §8.5.3.1: directed presence is enough, also for the occupants of a room", async () => {
      const scene = await stage(open);
      const rooms = scene.component("rooms.example");
      const ada = await present(scene, "ada@example.org/lab");
      await ada.sends("<presence to='tea@rooms.example/ada'/>");
      forget(rooms);
      const request = ask().replace("<iq", "<iq from='tea@rooms.example/eve'");
      await rooms.sends(request);
      ada.receives(request);
      await rooms.sends(request.replace("tea@", "chess@"));
      ada.receivesNothing();
      expect(rooms.received()).toHaveLength(1);
    });
    test("RFC 6121 §8.5.3.1: one's own resources and one's own server always may; answers always pass", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const shelf = await scene.login("ada@example.org/shelf");
      await ada.sends(ask("ada@example.org/shelf"));
      expect(shelf.received()).toHaveLength(1);
      const far = scene.component("far.example");
      await far.sends(ask().replace("<iq", "<iq from='example.org'"));
      expect(ada.received()).toHaveLength(1);
      await far.sends("<iq type='result' id='v' from='eve@far.example' to='ada@example.org/lab'/>");
      expect(ada.received()).toHaveLength(1);
      far.receivesNothing();
    });
  });

  describe("the ledger", () => {
    test("RFC 6121 §4.5.2: the ledger notes who is known here, and nobody whom nobody knows", async () => {
      const scene = await stage(open);
      const { ada } = await friends(scene);
      await present(scene, "linus@example.org/boat");
      await ada.sends("<presence><show>away</show></presence>");
      expect(await ledgerOf(scene)).toEqual([["lab", { available: true, directed: [] }]]);
      expect(await ledgerOf(scene, "linus@example.org")).toEqual([]);
    });
    test("RFC 6121 §4.5.2: the ledger notes who is known elsewhere, from whichever moment on", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const far = await withEve(scene, ada);
      const known: LedgerEntry = { available: true, directed: [] };
      expect(await ledgerOf(scene)).toEqual([["lab", known]]);
      const phone = await present(scene, "ada@example.org/phone");
      await phone.sends("<presence to='tea@rooms.example/ada'/>");
      expect(await ledgerOf(scene)).toEqual([
        ["lab", known],
        ["phone", { available: true, directed: ["tea@rooms.example/ada"] }],
      ]);
      await ada.ends();
      await phone.sends("<presence type='unavailable'/>");
      expect(await ledgerOf(scene)).toEqual([]);
      forget(far);
    });
    test("RFC 6121 §4.5.2, §4.6.3: what a crash left unsaid is said at the next start", async () => {
      const scene = await stage(open);
      const ada = await present(scene, "ada@example.org/lab");
      const grace = await present(scene, "grace@example.org/ship");
      await befriend(ada, grace);
      await befriend(grace, ada);
      await withEve(scene, ada);
      await ada.sends("<presence to='tea@rooms.example/ada'/>");
      await ada.sends("<presence to='linus@example.org'/>");
      const shelf = await scene.login("ada@example.org/shelf");
      await shelf.sends("<presence to='bob@far.example/x'/>");
      expect(await ledgerOf(scene)).toHaveLength(2);
      // The process is gone; what it stored is not.
      const sent = await restarted(scene);
      expect(sent.toSorted()).toEqual([
        "ada@example.org/lab > eve@far.example unavailable",
        "ada@example.org/lab > grace@example.org unavailable",
        "ada@example.org/lab > linus@example.org unavailable",
        "ada@example.org/lab > tea@rooms.example/ada unavailable",
        "ada@example.org/shelf > bob@far.example/x unavailable",
        "grace@example.org/ship > ada@example.org unavailable",
      ]);
      const again = await restarted(scene);
      expect(again).toEqual([]);
      expect(await ledgerOf(scene)).toEqual([]);
    });
  });

  test("RFC 6121 §4: hostile presence of every kind meets no defect", async () => {
    const scene = await stage(open);
    const { ada, grace } = await friends(scene);
    const far = scene.component("far.example");
    const types = [
      "",
      "unavailable",
      "error",
      "probe",
      "subscribe",
      "subscribed",
      "unsubscribe",
      "unsubscribed",
      "nonsense",
    ];
    const addresses = [
      "ada@example.org",
      "ada@example.org/lab",
      "ada@example.org/x",
      "example.org",
      "example.org/x",
      "nobody@example.org",
      "far.example",
    ];
    for (const type of types) {
      for (const to of addresses) {
        const attributes = `to='${to}'${type === "" ? "" : ` type='${type}'`} id=''`;
        await far.sends(`<presence from='far.example' ${attributes}><priority>x</priority><priority/></presence>`);
        await far.sends(`<presence from='eve@far.example/${"r".repeat(1_000)}' ${attributes}/>`);
        await ada.sends(`<presence ${attributes}><show>1</show><show>2</show></presence>`);
      }
    }
    await ada.ends();
    forget(ada, grace, far);
    expect(scene.defects).toEqual([]);
  });
});
