/** XEP-0045 §12, §16.6: the status codes of `<x xmlns='…muc#user'/>` and what they mean. */

interface StatusMeaning {
  /** Where it stands. */
  readonly stanza: "message" | "presence" | "both";
  readonly context: string;
  readonly meaning: string;
}

/** Every code that is registered, with the registrar's 174, which is of a kind of room that is no more. */
export const MUC_STATUS = {
  100: { stanza: "both", context: "entering", meaning: "everybody in the room sees real addresses" },
  101: {
    stanza: "message",
    context: "affiliation",
    meaning: "your affiliation changed while you were not in the room",
  },
  102: { stanza: "message", context: "configuration", meaning: "the room now shows members who are not available" },
  103: {
    stanza: "message",
    context: "configuration",
    meaning: "the room no longer shows members who are not available",
  },
  104: { stanza: "message", context: "configuration", meaning: "something in the configuration changed, not privacy" },
  110: { stanza: "presence", context: "any presence", meaning: "this presence is your own" },
  170: { stanza: "both", context: "configuration", meaning: "what is said is now logged publicly" },
  171: { stanza: "message", context: "configuration", meaning: "what is said is no longer logged publicly" },
  172: { stanza: "message", context: "configuration", meaning: "everybody now sees real addresses" },
  173: { stanza: "message", context: "configuration", meaning: "only moderators now see real addresses" },
  174: { stanza: "message", context: "configuration", meaning: "nobody now sees real addresses" },
  201: { stanza: "presence", context: "entering", meaning: "the room has been created" },
  210: { stanza: "presence", context: "entering", meaning: "the room has given or changed the nickname" },
  301: { stanza: "presence", context: "removal", meaning: "banned" },
  303: { stanza: "presence", context: "leaving", meaning: "the occupant has a new nickname" },
  307: { stanza: "presence", context: "removal", meaning: "kicked" },
  321: { stanza: "presence", context: "removal", meaning: "removed because of a change of affiliation" },
  322: { stanza: "presence", context: "removal", meaning: "removed because the room is now for members only" },
  332: { stanza: "presence", context: "removal", meaning: "removed because the service is shutting down" },
  333: { stanza: "presence", context: "removal", meaning: "removed because of a technical problem" },
} as const satisfies Readonly<Record<number, StatusMeaning>>;

export type StatusCode = keyof typeof MUC_STATUS;

/** Is it a code that means something here? Others may come, and are to be ignored. */
export const isStatusCode = (code: number): code is StatusCode => Object.hasOwn(MUC_STATUS, code);
