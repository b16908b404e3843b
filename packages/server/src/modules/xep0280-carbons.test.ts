import { type Message, parseElement, parseJid, rawOf, readStanza } from "@kith/protocol";
import { eachFabric, type Open } from "@kith/testing";
import { describe, expect, test } from "vitest";
import type { Context, Module } from "../module.ts";
import { carbons, carbonsMark } from "./xep0280-carbons.ts";

const MIRA = "mira@attic.example";
const DESK = `${MIRA}/desk`;
const PHONE = `${MIRA}/phone`;
const TABLET = `${MIRA}/tablet`;
const JONAS = "jonas@attic.example";
const BOAT = `${JONAS}/boat`;
const CAFE = `${JONAS}/cafe`;
const NS = "urn:xmpp:carbons:2";
const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
const ROOM = "http://jabber.org/protocol/muc#user";

const ENABLE = `<iq type='set' id='on'><enable xmlns='${NS}'/></iq>`;
const DISABLE = `<iq type='set' id='off'><disable xmlns='${NS}'/></iq>`;
const done = (id: string, to: string) => `<iq type='result' to='${to}' id='${id}'/>`;
const notAllowed = (id: string, from: string, to: string) =>
  `<iq type='error' from='${from}' to='${to}' id='${id}'><error type='cancel'><not-allowed xmlns='${STANZAS}'/></error></iq>`;

/** A copy of a message as it is written in jabber:client. */
const copy = (which: "sent" | "received", to: string, type: string, original: string): string => {
  const account = to.slice(0, to.indexOf("/"));
  const kind = type === "normal" ? "" : ` type='${type}'`;
  const inner = original.replace("<message", "<message xmlns='jabber:client'");
  return `<message from='${account}' to='${to}'${kind}><${which} xmlns='${NS}'><forwarded xmlns='urn:xmpp:forward:0'>${inner}</forwarded></${which}></message>`;
};

const BODY = "<body>The gulls are back.</body>";
const REQUEST = "<request xmlns='urn:xmpp:receipts'/>";
const RECEIVED = "<received xmlns='urn:xmpp:receipts' id='g-1'/>";
const MARKABLE = "<markable xmlns='urn:xmpp:chat-markers:0'/>";
const DISPLAYED = "<displayed xmlns='urn:xmpp:chat-markers:0' id='g-1'/>";
const COMPOSING = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
const PRIVATE = `<private xmlns='${NS}'/>`;
const NO_COPY = "<no-copy xmlns='urn:xmpp:hints'/>";
const UNKNOWN = "<feather xmlns='urn:example:birds'/>";
const UNAVAILABLE = `<error type='cancel'><service-unavailable xmlns='${STANZAS}'/></error>`;
const DIRECT = "<x xmlns='jabber:x:conference' jid='pier@rooms.attic.example'/>";
const IN_ROOM = `<x xmlns='${ROOM}'/>`;
const INVITE = `<x xmlns='${ROOM}'><invite to='${JONAS}'/></x>`;
const DECLINE = `<x xmlns='${ROOM}'><decline to='${JONAS}'/></x>`;

const messageOf = (attributes: string, children: string): Message =>
  readStanza(rawOf(parseElement(`<message ${attributes}>${children}</message>`))) as Message;

/** Is this message copied to the sender's other clients, and to the recipient's? */
const copiedTo = async (attributes: string, children: string): Promise<{ sent: boolean; received: boolean }> => {
  const module = carbons();
  const message = messageOf(attributes, children);
  const [sent, received] = [
    await module.sending?.copy?.(message, {} as Context),
    await module.receiving?.copy?.(message, {} as Context),
  ];
  return { sent: (sent ?? []).length > 0, received: (received ?? []).length > 0 };
};

const BETWEEN = `from='${DESK}' to='${JONAS}'`;
const BOTH = { sent: true, received: true };
const NEITHER = { sent: false, received: false };

describe("XEP-0280 §6.1: which messages are copied", () => {
  test.each([
    ["of type chat, with a body", "type='chat'", BODY, BOTH],
    ["of type chat, without one", "type='chat'", UNKNOWN, BOTH],
    ["of type chat, empty", "type='chat'", "", BOTH],
    ["of type normal, with a body", "", BODY, BOTH],
    ["of type normal, with a body in no namespace of ours", "", "<body xmlns='urn:example:birds'>x</body>", NEITHER],
    ["of type normal, without one", "", UNKNOWN, NEITHER],
    ["of type normal, with a subject alone", "", "<subject>Gulls</subject>", NEITHER],
    ["of an unknown type, which counts as normal", "type='song'", BODY, BOTH],
    ["a request for a receipt", "", REQUEST, BOTH],
    ["a receipt", "", RECEIVED, BOTH],
    ["a chat state of type normal", "", COMPOSING, BOTH],
    ["a markable one of type normal", "", MARKABLE, BOTH],
    ["a marker", "", DISPLAYED, BOTH],
    ["of type headline", "type='headline'", BODY, NEITHER],
    ["of type groupchat", "type='groupchat'", BODY, NEITHER],
    ["of type groupchat, with a marker", "type='groupchat'", DISPLAYED, NEITHER],
    ["a direct invitation", "", DIRECT, BOTH],
    ["a mediated invitation", "", INVITE, BOTH],
    ["a mediated invitation that is declined", "", DECLINE, NEITHER],
    ["an error that repeats a body", "type='error'", BODY + UNAVAILABLE, BOTH],
    ["an error that repeats a receipt's request", "type='error'", REQUEST + UNAVAILABLE, BOTH],
    ["an error that repeats nothing", "type='error'", UNAVAILABLE, BOTH],
    ["an error about what is no instant message", "type='error'", UNKNOWN + UNAVAILABLE, NEITHER],
  ])("%s", async (_, type, children, copied) => {
    expect(await copiedTo(`${BETWEEN} ${type}`, children)).toEqual(copied);
  });

  test("private messages in a room: those that are sent, not those that are received", async () => {
    const occupant = "pier@rooms.attic.example/gull";
    const ours = await copiedTo(`from='${DESK}' to='${occupant}' type='chat'`, BODY + IN_ROOM);
    expect(ours.sent).toBe(true);
    const theirs = await copiedTo(`from='${occupant}' to='${DESK}' type='chat'`, BODY + IN_ROOM);
    expect(theirs.received).toBe(false);
    const room = await copiedTo(`from='pier@rooms.attic.example' to='${MIRA}'`, BODY + IN_ROOM);
    expect(room.received).toBe(true);
  });

  test.each([
    ["<private/>", PRIVATE],
    ["<no-copy/> (XEP-0334 §4.3)", NO_COPY],
    ["both", PRIVATE + NO_COPY],
  ])("§9: none with %s, of whatever type", async (_, mark) => {
    for (const type of ["", "type='chat'", "type='error'"]) {
      expect(await copiedTo(`${BETWEEN} ${type}`, BODY + mark)).toEqual(NEITHER);
    }
    expect(await copiedTo(BETWEEN, INVITE + mark)).toEqual(NEITHER);
    expect(await copiedTo(BETWEEN, DIRECT + mark)).toEqual(NEITHER);
  });

  test("no request, no presence", async () => {
    const { sending, receiving } = carbons();
    for (const xml of [
      `<iq type='set' id='x' ${BETWEEN}><feather xmlns='urn:example:birds'/></iq>`,
      `<presence ${BETWEEN}><body>no</body></presence>`,
    ]) {
      const stanza = readStanza(rawOf(parseElement(xml)));
      expect([await sending?.copy?.(stanza, {} as Context), await receiving?.copy?.(stanza, {} as Context)]).toEqual([
        [],
        [],
      ]);
    }
  });

  test("§10.3: a client that bounces a copy to its own account tells nobody else", async () => {
    expect(await copiedTo(`from='${DESK}' to='${MIRA}' type='error'`, UNAVAILABLE)).toEqual(NEITHER);
  });

  test("a message to oneself is copied once, as sent", async () => {
    expect(await copiedTo(`from='${DESK}' to='${MIRA}' type='chat'`, BODY)).toEqual({ sent: true, received: false });
    expect(await copiedTo(`from='${DESK}' to='${PHONE}' type='chat'`, BODY)).toEqual({ sent: true, received: false });
  });
});

test("XEP-0386: what enables carbons while a resource is bound is the same effect", () => {
  const jid = parseJid(DESK).full as Parameters<typeof carbonsMark>[0];
  expect(carbonsMark(jid, true)).toEqual({ do: "mark", session: DESK, mark: "carbons", on: true });
});

/** Takes care of messages that nobody was there for. */
const keeper = (kept: string[]): Module => ({
  name: "keeper",
  xeps: [],
  undelivered: (message) => {
    kept.push(message.to?.full ?? "");
    return [];
  },
});

eachFabric("carbons", (open: Open) => {
  const stage = async (more: { components?: string[] } = {}) => {
    const kept: string[] = [];
    const scene = await open({
      modules: () => [keeper(kept), carbons()],
      domains: ["attic.example"],
      accounts: [MIRA, JONAS],
      ...more,
    });
    return Object.assign(scene, { kept });
  };
  /** Desk (most available), phone and tablet; the last two with carbons. */
  const threeClients = async (scene: Awaited<ReturnType<typeof stage>>) => {
    const desk = await scene.online(DESK, "<presence><priority>5</priority></presence>");
    const phone = await scene.online(PHONE);
    const tablet = await scene.online(TABLET);
    for (const client of [phone, tablet]) await client.sends(ENABLE);
    for (const client of [desk, phone, tablet]) client.received();
    return { desk, phone, tablet };
  };

  test("XEP-0280 §4, §5, §10.1: enabled and disabled as often as one likes, addressed to nobody or the own account", async () => {
    const scene = await stage();
    const phone = await scene.login(PHONE);
    await phone.sends(ENABLE);
    await phone.sends(ENABLE);
    await phone.sends(DISABLE);
    await phone.sends(DISABLE);
    await phone.sends(`<iq type='set' to='${MIRA}' id='on'><enable xmlns='${NS}'/></iq>`);
    phone.receives(
      done("on", PHONE),
      done("on", PHONE),
      done("off", PHONE),
      done("off", PHONE),
      `<iq type='result' from='${MIRA}' to='${PHONE}' id='on'/>`,
    );
  });

  test("XEP-0280 §4.1, §5.1: nobody decides about another account's clients", async () => {
    const scene = await stage({ components: ["gulls.example"] });
    const jonas = await scene.online(BOAT);
    const component = scene.component("gulls.example");
    for (const [name, id] of [
      ["enable", "on"],
      ["disable", "off"],
    ]) {
      await jonas.sends(`<iq type='set' to='${MIRA}' id='${id}'><${name} xmlns='${NS}'/></iq>`);
      jonas.receives(notAllowed(id as string, MIRA, BOAT));
      await component.sends(
        `<iq type='set' from='gulls.example' to='${MIRA}' id='${id}'><${name} xmlns='${NS}'/></iq>`,
      );
      component.receives(notAllowed(id as string, MIRA, "gulls.example"));
    }
  });

  test("XEP-0280 §7: what one client gets, the others get a copy of", async () => {
    const scene = await stage();
    const { desk, phone, tablet } = await threeClients(scene);
    const jonas = await scene.online(BOAT);
    await jonas.sends(`<message to='${DESK}' type='chat' id='m1'>${BODY}<thread>t</thread></message>`);
    const original = `<message from='${BOAT}' to='${DESK}' type='chat' id='m1'>${BODY}<thread>t</thread></message>`;
    desk.receives(original);
    phone.receives(copy("received", PHONE, "chat", original));
    tablet.receives(copy("received", TABLET, "chat", original));
    jonas.receivesNothing();
  });

  test("XEP-0280 §7: whoever gets a message to the bare JID itself gets no copy", async () => {
    const scene = await stage();
    const { desk, phone, tablet } = await threeClients(scene);
    const jonas = await scene.online(BOAT);
    await jonas.sends(`<message to='${MIRA}' type='chat'>${BODY}</message>`);
    const original = `<message from='${BOAT}' to='${MIRA}' type='chat'>${BODY}</message>`;
    desk.receives(original);
    phone.receives(copy("received", PHONE, "chat", original));
    tablet.receives(copy("received", TABLET, "chat", original));

    await phone.sends("<presence><priority>9</priority></presence>");
    await jonas.sends(`<message to='${MIRA}' type='chat'>${BODY}</message>`);
    desk.receivesNothing();
    phone.receives(original);
    tablet.receives(copy("received", TABLET, "chat", original));
  });

  test("XEP-0280 §7: a message to a client with carbons is not copied to that client", async () => {
    const scene = await stage();
    const { desk, phone, tablet } = await threeClients(scene);
    const jonas = await scene.online(BOAT);
    await jonas.sends(`<message to='${PHONE}' type='chat'>${BODY}</message>`);
    const original = `<message from='${BOAT}' to='${PHONE}' type='chat'>${BODY}</message>`;
    phone.receives(original);
    tablet.receives(copy("received", TABLET, "chat", original));
    desk.receivesNothing();
  });

  test("XEP-0280 §8: what one client sends, the others get a copy of, whether it has carbons itself or not", async () => {
    const scene = await stage();
    const { desk, phone, tablet } = await threeClients(scene);
    const jonas = await scene.online(BOAT);
    const original = (from: string): string => `<message from='${from}' to='${JONAS}' type='chat'>${BODY}</message>`;
    await desk.sends(`<message to='${JONAS}' type='chat'>${BODY}</message>`);
    desk.receivesNothing();
    phone.receives(copy("sent", PHONE, "chat", original(DESK)));
    tablet.receives(copy("sent", TABLET, "chat", original(DESK)));
    await phone.sends(`<message to='${JONAS}' type='chat'>${BODY}</message>`);
    desk.receivesNothing();
    phone.receivesNothing();
    tablet.receives(copy("sent", TABLET, "chat", original(PHONE)));
    jonas.receives(original(DESK), original(PHONE));
  });

  test("XEP-0280 §7, §8: both sides of one message, each for itself", async () => {
    const scene = await stage();
    const { desk, phone, tablet } = await threeClients(scene);
    const boat = await scene.online(BOAT, "<presence><priority>1</priority></presence>");
    const cafe = await scene.online(CAFE);
    await cafe.sends(ENABLE);
    cafe.received();
    await desk.sends(`<message to='${JONAS}'>${BODY}</message>`);
    const original = `<message from='${DESK}' to='${JONAS}'>${BODY}</message>`;
    boat.receives(original);
    cafe.receives(copy("received", CAFE, "normal", original));
    phone.receives(copy("sent", PHONE, "normal", original));
    tablet.receives(copy("sent", TABLET, "normal", original));
  });

  test("XEP-0280 §8: of what is sent to a domain or a component there are copies too", async () => {
    const scene = await stage({ components: ["gulls.example"] });
    const component = scene.component("gulls.example");
    const { desk, phone } = await threeClients(scene);
    await desk.sends(`<message to='flock@gulls.example' type='chat'>${BODY}</message>`);
    const original = `<message from='${DESK}' to='flock@gulls.example' type='chat'>${BODY}</message>`;
    component.receives(original);
    phone.receives(copy("sent", PHONE, "chat", original));
  });

  test("XEP-0280 §5: no more copies once they are disabled; §10.1: and again once they are enabled", async () => {
    const scene = await stage();
    const { phone, tablet } = await threeClients(scene);
    const jonas = await scene.online(BOAT);
    await phone.sends(DISABLE);
    phone.received();
    await jonas.sends(`<message to='${DESK}' type='chat'>${BODY}</message>`);
    phone.receivesNothing();
    await phone.sends(ENABLE);
    phone.received();
    await jonas.sends(`<message to='${DESK}' type='chat'>${BODY}</message>`);
    expect(phone.received()).toHaveLength(1);
    expect(tablet.received()).toHaveLength(2);
  });

  test("XEP-0280 §9: a private message is left to the one it is for, unchanged", async () => {
    const scene = await stage();
    const { desk, phone, tablet } = await threeClients(scene);
    const jonas = await scene.online(BOAT);
    const cafe = await scene.login(CAFE);
    await cafe.sends(ENABLE);
    cafe.received();
    await jonas.sends(`<message to='${DESK}' type='chat'>${BODY}${PRIVATE}${NO_COPY}</message>`);
    desk.receives(`<message from='${BOAT}' to='${DESK}' type='chat'>${BODY}${PRIVATE}${NO_COPY}</message>`);
    for (const other of [phone, tablet, cafe]) other.receivesNothing();
  });

  test("XEP-0280 §6.1: that a message was refused is told to all clients of its sender", async () => {
    const scene = await stage();
    const { desk, phone } = await threeClients(scene);
    const jonas = await scene.online(BOAT);
    await jonas.sends(`<message to='${DESK}' type='error' id='m1'>${BODY}${UNAVAILABLE}</message>`);
    const refusal = `<message from='${BOAT}' to='${DESK}' type='error' id='m1'>${BODY}${UNAVAILABLE}</message>`;
    desk.receives(refusal);
    phone.receives(copy("received", PHONE, "error", refusal));
  });

  test("XEP-0280 §10.3: a copy that bounces is nobody's affair", async () => {
    const scene = await stage();
    const { desk, phone, tablet } = await threeClients(scene);
    const jonas = await scene.online(BOAT);
    await jonas.sends(`<message to='${DESK}' type='chat'>${BODY}</message>`);
    for (const client of [desk, phone, tablet]) client.received();
    await phone.sends(`<message to='${MIRA}' type='error'>${UNAVAILABLE}</message>`);
    for (const client of [desk, phone, tablet, jonas]) client.receivesNothing();
  });

  test("XEP-0280 §11: what pretends to be a copy is a message from whoever sends it", async () => {
    const scene = await stage();
    const { desk, phone } = await threeClients(scene);
    const jonas = await scene.online(BOAT);
    const forged = `<received xmlns='${NS}'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='abbess@priory.example' to='${DESK}' type='chat'>${BODY}</message></forwarded></received>`;
    await jonas.sends(`<message to='${MIRA}' type='chat'>${forged}</message>`);
    const original = `<message from='${BOAT}' to='${MIRA}' type='chat'>${forged}</message>`;
    desk.receives(original);
    phone.receives(copy("received", PHONE, "chat", original));
    // Nor does a client of one's own speak as the account.
    await phone.sends(`<message from='${MIRA}' to='${DESK}' type='chat'>${forged}</message>`);
    desk.receives(`<message from='${PHONE}' to='${DESK}' type='chat'>${forged}</message>`);
  });

  test("XEP-0280 §7: a message to oneself arrives once at every client", async () => {
    const scene = await stage();
    const { desk, phone, tablet } = await threeClients(scene);
    await phone.sends(`<message to='${MIRA}' type='chat'>${BODY}</message>`);
    const original = `<message from='${PHONE}' to='${MIRA}' type='chat'>${BODY}</message>`;
    desk.receives(original);
    phone.receivesNothing();
    tablet.receives(copy("sent", TABLET, "chat", original));
  });

  test("XEP-0280 §7: what is sent to a client that is gone arrives once at each of those that are there", async () => {
    const scene = await stage();
    const { desk, phone, tablet } = await threeClients(scene);
    await desk.sends(ENABLE);
    desk.received();
    const jonas = await scene.online(BOAT);
    await jonas.sends(`<message to='${MIRA}/gone' type='chat'>${BODY}</message>`);
    const original = `<message from='${BOAT}' to='${MIRA}/gone' type='chat'>${BODY}</message>`;
    desk.receives(original);
    phone.receives(copy("received", PHONE, "chat", original));
    tablet.receives(copy("received", TABLET, "chat", original));
    jonas.receivesNothing();
  });

  test("XEP-0280 §7: of what nobody gets, since the client it is for is gone, there are no copies", async () => {
    const scene = await stage();
    const { desk, phone, tablet } = await threeClients(scene);
    const jonas = await scene.online(BOAT);
    await jonas.sends(`<message to='${MIRA}/gone'>${BODY}</message>`);
    expect(jonas.received().join("")).toContain("service-unavailable");
    for (const client of [desk, phone, tablet]) client.receivesNothing();
  });

  test.each([
    ["a client that is gone", `${MIRA}/gone`, "service-unavailable"],
    ["an account that does not exist", "nobody@attic.example", "service-unavailable"],
    ["a domain that does not exist", "nobody@nowhere.example", "remote-server-not-found"],
  ])(
    "XEP-0280 §6.1: that a message was refused by the server is told to all clients of its sender: %s",
    async (_, to, condition) => {
      const scene = await stage();
      await threeClients(scene);
      const boat = await scene.online(BOAT);
      const cafe = await scene.online(CAFE);
      await cafe.sends(ENABLE);
      for (const client of [boat, cafe]) client.received();
      await boat.sends(`<message to='${to}' id='m1'>${BODY}</message>`);
      const refusal = `<message from='${to}' to='${BOAT}' type='error' id='m1'><error type='cancel'><${condition} xmlns='${STANZAS}'/></error></message>`;
      boat.receives(refusal);
      cafe.receives(
        copy("sent", CAFE, "normal", `<message from='${BOAT}' to='${to}' id='m1'>${BODY}</message>`),
        copy("received", CAFE, "error", refusal),
      );
      await boat.sends(`<message to='${to}' type='groupchat' id='m2'>${BODY}</message>`);
      expect(boat.received()).toHaveLength(1);
      cafe.receivesNothing();
    },
  );

  test("XEP-0280 §7: nobody is there for the message itself, and it waits, though one client that takes none had a copy", async () => {
    const scene = await stage();
    const phone = await scene.online(PHONE, "<presence><priority>-1</priority></presence>");
    await phone.sends(ENABLE);
    phone.received();
    const jonas = await scene.online(BOAT);
    await jonas.sends(`<message to='${MIRA}' type='chat'>${BODY}</message>`);
    phone.receives(
      copy("received", PHONE, "chat", `<message from='${BOAT}' to='${MIRA}' type='chat'>${BODY}</message>`),
    );
    expect(scene.kept).toEqual([MIRA]);
    jonas.receivesNothing();
  });
});
