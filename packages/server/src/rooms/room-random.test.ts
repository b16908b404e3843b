import { childOf, childrenOf, type Element } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { ADMIN, client, MUC, OWNER, ROOM, RoomScene, submitted, X } from "./test-room.ts";

const CLIENTS = ["ola", "ola/phone", "ada", "mem", "mem/phone", "bo", "bo/phone", "vi"];
const NICKS = ["Ola", "Ada", "Mem", "Bo", "Vi", "vi", "Zed"];
const ACCOUNTS = ["ola", "ada", "mem", "bo", "vi", "cy"];

/** Numbers that look like chance and are the same every time. */
const chance = (seed: number) => {
  let state = seed;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * limit);
  };
  return { of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
};

const DEEDS: readonly ((pick: ReturnType<typeof chance>) => string)[] = [
  ({ of }) => `<presence to='${ROOM}/${of(NICKS)}'>${X}</presence>`,
  ({ of }) => `<presence to='${ROOM}/${of(NICKS)}'>${X}<priority>${of([0, 1, 5])}</priority></presence>`,
  ({ of }) => `<presence to='${ROOM}/${of(NICKS)}'>${X}</presence>`,
  ({ of }) => `<presence to='${ROOM}/${of(NICKS)}'><show>${of(["away", "dnd"])}</show></presence>`,
  ({ of }) => `<presence to='${ROOM}/${of(NICKS)}' type='unavailable'/>`,
  ({ of }) => `<message to='${ROOM}' type='groupchat'><body>${of(["a", "b"])}</body></message>`,
  ({ of }) => `<message to='${ROOM}/${of(NICKS)}' type='chat'><body>psst</body></message>`,
  () =>
    `<message to='${ROOM}' type='error'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
  ({ of }) =>
    `<iq to='${ROOM}' type='set' id='r'><query ${ADMIN}><item nick='${of(NICKS)}' role='${of(["none", "visitor", "participant", "moderator"])}'/><item nick='${of(NICKS)}' role='${of(["none", "participant"])}'/></query></iq>`,
  ({ of }) =>
    `<iq to='${ROOM}' type='set' id='v'><query ${ADMIN}><item nick='${of(NICKS)}' role='${of(["visitor", "participant", "moderator"])}'/></query></iq>`,
  ({ of }) =>
    `<iq to='${ROOM}' type='set' id='a'><query ${ADMIN}><item jid='${of(ACCOUNTS)}@host.example' affiliation='${of(["outcast", "none", "member", "member", "admin", "owner"])}'/></query></iq>`,
  ({ of }) =>
    `<iq to='${ROOM}' type='set' id='c'><query ${OWNER}>${submitted(`${MUC}#roomconfig`, { [`muc#roomconfig_${of(["membersonly", "moderatedroom"])}`]: of(["0", "0", "1"]) })}</query></iq>`,
  ({ of }) =>
    `<iq to='${ROOM}' type='set' id='w'><query ${OWNER}>${submitted(`${MUC}#roomconfig`, { "muc#roomconfig_whois": of(["anyone", "moderators"]) })}</query></iq>`,
  ({ of }) =>
    `<iq to='${ROOM}' type='set' id='n'><query xmlns='jabber:iq:register'>${submitted(`${MUC}#register`, { "muc#register_roomnick": of(NICKS) })}</query></iq>`,
];

/** What a client believes of the room, from nothing but what it has been sent. */
class Believer {
  readonly occupants = new Map<string, string>();
  isIn = false;

  hears(stanza: Element): void {
    if (stanza.name !== "presence" || stanza.attributes.type === "error") return;
    const { from = "", type } = stanza.attributes;
    const nick = from.slice(from.indexOf("/") + 1);
    const x = childOf(stanza, "x", `${MUC}#user`) as Element;
    const statuses = childrenOf(x, "status").map(({ attributes }) => attributes.code);
    const { affiliation, role, jid } = childOf(x, "item")?.attributes ?? {};
    if (type !== "unavailable") {
      this.occupants.set(nick, `${affiliation}/${role}`);
      this.isIn ||= statuses.includes("110");
    } else if (statuses.includes("110") && !statuses.includes("303")) {
      this.occupants.clear();
      this.isIn = false;
    } else {
      this.occupants.delete(nick);
    }
    if (!this.seesAddresses && !statuses.includes("110")) expect(jid).toBeUndefined();
  }

  seesAddresses = false;
}

const actual = (scene: RoomScene): ReadonlyMap<string, string> =>
  new Map(
    scene.room.sessionsSnapshot().map(({ jid, nick, role }) => {
      const account = jid.slice(0, jid.indexOf("@"));
      return [nick, `${scene.room.affiliationOf(client(account))}/${role}`];
    }),
  );

/** A room that Ola is in, and all clients with what they believe. */
const beginning = () => {
  const scene = new RoomScene();
  const believers = new Map(CLIENTS.map((name) => [name, new Believer()]));
  scene.sends("ola", `<presence to='${ROOM}/Ola'>${X}</presence>`);
  for (const stanza of scene.stanzasFor("ola")) believers.get("ola")?.hears(stanza);
  scene.affiliates({ ada: "admin", mem: "member" });
  return { scene, believers };
};

/** Whoever saw addresses before, or sees them now, may have been sent some. */
const listen = (scene: RoomScene, name: string, believer: Believer, saw: boolean): void => {
  believer.seesAddresses = saw || scene.room.maySeeJids(client(name));
  for (const stanza of scene.stanzasFor(name)) believer.hears(stanza);
  expect(believer.isIn).toBe(scene.room.occupantOf(client(name)) !== undefined);
  if (believer.isIn) expect(believer.occupants).toEqual(actual(scene));
};

describe("whatever happens, every client believes what is the case", () => {
  test.each(Array.from({ length: 24 }, (_, seed) => seed + 1))("seed %i", (seed) => {
    const pick = chance(seed);
    const { scene, believers } = beginning();
    let accepted = 0;
    let crowd = 0;
    for (let step = 0; step < 250; step++) {
      const sighted = new Set(CLIENTS.filter((name) => scene.room.maySeeJids(client(name))));
      if (scene.refusal(pick.of(CLIENTS), pick.of(DEEDS)(pick)) === "none") accepted++;
      for (const [name, believer] of believers) listen(scene, name, believer, sighted.has(name));
      crowd = Math.max(crowd, scene.room.occupantCount);
      if (step % 50 === 49) scene.restart();
    }
    expect(accepted).toBeGreaterThan(40);
    expect(crowd).toBeGreaterThan(2);
  });
});
