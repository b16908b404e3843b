/** While somebody is away, whoever writes to them is told so, once. */
import {
  andThen,
  element,
  type FullJid,
  hasChild,
  message,
  NS_CONTENT,
  payload,
  type Stanza,
  textOf,
} from "@kith/protocol";
import {
  type Collection,
  type Effects,
  type Module,
  onGet,
  onSet,
  route,
  toOwnSessions,
  write,
  writeSoon,
} from "@kith/server";

const NS = "urn:example:away";
const LONGEST = 1_000;

/** What correspondents are told. Without text: nothing. */
export const Away = payload({
  ns: NS,
  name: "away",
  places: ["iq-get", "iq-set", "iq-result", "message"],
  parse: (away): string => textOf(away).slice(0, LONGEST),
  build: (note) => element(NS, "away", {}, [note]),
});

/** By `NOTE` the note; by the address of somebody who has been told, when that was. */
export type Stored = string | number;
const NOTE = "";
/** So that nobody makes the list of an account grow without end. */
const MOST_TOLD = 500;
const NOTHING: Effects = [];

export const away = (stored: Collection<Stored>): Module => ({
  name: "away",
  xeps: [],
  accountFeatures: [NS],
  iq: [
    onGet(Away, ["own-account"], (_, { at }) =>
      andThen(stored.get(at.bare, NOTE), (note = "") => [Away.build(String(note))]),
    ),
    onSet(Away, ["own-account"], (note, { at, from }, { newId }) => {
      const news = message({ type: "headline", from: at, id: newId() }, [Away.build(note)]);
      const kept = note === "" ? [] : [stored.put(at.bare, NOTE, note)];
      return {
        before: [stored.clear(at.bare), ...kept].map(write),
        after: [toOwnSessions(at.bare, news, "available", from.full as FullJid)],
      };
    }),
  ],
  receiving: {
    copy: (stanza, { now, newId }) => {
      const { from, to } = stanza;
      if (from === undefined || to === undefined || from.bare === to.bare || !isTalk(stanza)) return NOTHING;
      return andThen(stored.all(to.bare), (all) => {
        const note = all.get(NOTE);
        if (note === undefined || all.has(from.bare) || all.size > MOST_TOLD) return NOTHING;
        const body = element(NS_CONTENT, "body", {}, [String(note)]);
        const answer = message({ type: "chat", from: to.toBare(), to: from, id: newId() }, [body, Away.build("")]);
        // A crash may forget it: then somebody is told twice.
        return [writeSoon(stored.put(to.bare, from.bare, now())), route(answer)];
      });
    },
  },
});

/** Something that a person wrote: two who are away do not answer each other's answers. */
const isTalk = (stanza: Stanza): boolean =>
  stanza.kind === "message" &&
  stanza.type === "chat" &&
  hasChild(stanza, NS_CONTENT, "body") &&
  !hasChild(stanza, NS, "away");
