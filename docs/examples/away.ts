/** While somebody is away, whoever writes to them is told so, once. */
import { andThen, element, hasChild, message, NS_CONTENT, payload, type Stanza, textOf } from "@kith/protocol";
import { type Collection, type Effects, type Module, onGet, onSet, route, toOwnSessions, write } from "@kith/server";

const NS = "urn:example:away";

/** What correspondents are told; no text: nothing. */
export const Away = payload({
  ns: NS,
  name: "away",
  places: ["iq-get", "iq-set", "iq-result", "message"],
  parse: (away): string => textOf(away).slice(0, 1_000),
  build: (text) => element(NS, "away", {}, [text]),
});

/** Under `NOTE` what is said; under an address, when it was said there. */
type Stored = string | number;
const NOTE = "";
/** Nobody makes an account's list grow without end. */
const MOST_TOLD = 500;

export const away = (notes: Collection<Stored>): Module => {
  /** Is this something a person has written to another? */
  const asksForAnswer = (stanza: Stanza): boolean =>
    stanza.kind === "message" &&
    stanza.type === "chat" &&
    hasChild(stanza, NS_CONTENT, "body") &&
    // Two who are away do not tell each other for ever.
    !hasChild(stanza, NS, "away");

  return {
    name: "away",
    xeps: [],
    accountFeatures: [NS],
    iq: [
      onGet(Away, ["own-account"], (_, { at }) =>
        andThen(notes.get(at.bare, NOTE), (note) => [Away.build(String(note ?? ""))]),
      ),
      onSet(Away, ["own-account"], (text, { at, from }, context) => ({
        // One unit with the answer: nobody is told of it before it is on disk.
        before: [notes.clear(at.bare), ...(text === "" ? [] : [notes.put(at.bare, NOTE, text)])].map(write),
        after: [
          toOwnSessions(at.bare, message({ type: "headline", from: at, id: context.newId() }, [Away.build(text)]), "available", from.full as never),
        ],
      })),
    ],
    receiving: {
      copy: (stanza, context): Effects | Promise<Effects> => {
        const { from, to } = stanza;
        if (from === undefined || to === undefined || from.bare === to.bare || !asksForAnswer(stanza)) return [];
        return andThen(notes.all(to.bare), (all) => {
          const note = all.get(NOTE);
          if (note === undefined || all.has(from.bare) || all.size > MOST_TOLD) return [];
          const answer = message({ type: "chat", from: to.toBare(), to: from, id: context.newId() }, [
            element(NS_CONTENT, "body", {}, [String(note)]),
            element(NS, "away"),
          ]);
          return [write(notes.put(to.bare, from.bare, context.now())), route(answer)];
        });
      },
    },
  };
};
