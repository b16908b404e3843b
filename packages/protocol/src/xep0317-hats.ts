/** XEP-0317: what else an occupant is in a room, such as its host or a speaker. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { childrenOf, type Element, element, elementsOf } from "./xml/element.ts";

export const NS_HATS = "urn:xmpp:hats:0";
/** The form of the commands by which hats are managed (§3.8), and their nodes. */
export const FORM_HATS = "urn:xmpp:hats:commands";
export const HAT_COMMANDS = ["create", "destroy", "list", "assign", "unassign", "list-assigned"] as const;
export type HatCommand = (typeof HAT_COMMANDS)[number];
export const hatCommandNode = (command: HatCommand): string => `${FORM_HATS}:${command}`;

export interface Hat {
  /** Which hat it is. */
  readonly uri: string;
  /** For people. */
  readonly title: string;
  readonly lang?: string | undefined;
  /** Its colour: an angle, 0 to 360. */
  readonly hue?: number | undefined;
  /** What other specifications put into it. */
  readonly extensions?: readonly Element[] | undefined;
}

/** `<hats/>` in an occupant's presence (§3.1). Throws StanzaError "bad-request" for a hat without a URI or a title. */
export const Hats = payload<readonly Hat[], "presence">({
  ns: NS_HATS,
  name: "hats",
  places: ["presence"],
  parse: (hats) => childrenOf(hats, "hat").map(parseHat),
  build: (hats) => element(NS_HATS, "hats", {}, hats.map(buildHat)),
});

/** An angle in degrees; `undefined` where the text is none. */
export const parseHue = (text: string | undefined): number | undefined => {
  if (text === undefined || !HUE.test(text)) return undefined;
  const hue = Number(text);
  return hue <= 360 ? hue : undefined;
};
const HUE = /^\d{1,3}(?:\.\d{1,12})?$/;

const parseHat = (hat: Element): Hat => {
  const { uri, title, hue, "xml:lang": lang } = hat.attributes;
  if (!uri || title === undefined) throw new StanzaError("bad-request", { text: "a hat has a URI and a title" });
  const extensions = elementsOf(hat);
  return { uri, title, lang, hue: parseHue(hue), ...(extensions.length === 0 ? {} : { extensions }) };
};

const buildHat = ({ uri, title, lang, hue, extensions = [] }: Hat): Element =>
  element(NS_HATS, "hat", { title, uri, hue, "xml:lang": lang }, extensions);
