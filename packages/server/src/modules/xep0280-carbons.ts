import {
  DisableCarbons,
  EnableCarbons,
  type FullJid,
  isEligibleForCarbons,
  type Jid,
  type Message,
  NS_CARBONS,
  NS_CARBONS_RULES,
  type Stanza,
  StanzaError,
} from "@kith/protocol";
import { type Answer, type Effect, type Effects, type Module, onSet, type Request } from "../module.ts";

/** Shared, since it is the answer to every stanza that is not copied. */
const NOTHING: Effects = [];

/**
 * XEP-0280: what one client of an account sends or receives, those of its others that ask for it get a copy of. Which messages is
 * §6.1 to the letter; who of the clients gets the message itself and so no copy, the router knows.
 */
export const carbons = (): Module => ({
  name: "carbons",
  xeps: [{ xep: "XEP-0280", version: "1.0.1" }],
  features: [NS_CARBONS, NS_CARBONS_RULES],
  iq: [
    onSet(EnableCarbons, ["own-account", "account"], (_, request) => switched(request, true)),
    onSet(DisableCarbons, ["own-account", "account"], (_, request) => switched(request, false)),
  ],
  sending: { copy: copySent },
  receiving: { copy: copyReceived },
});

/** What makes a session get carbons, or no more of them (§4, §5); also for XEP-0386, which enables them while it binds. */
export const carbonsMark = (session: FullJid, on: boolean): Effect => ({ do: "mark", session, mark: "carbons", on });

/** As often as a client likes (§10.1). Of another account's clients nobody decides (§4.1, §5.1). */
const switched = ({ from, addressee }: Request, on: boolean): Answer => {
  if (addressee !== "own-account") throw new StanzaError("not-allowed");
  return { before: [carbonsMark(from.full as FullJid, on)] };
};

function copySent(stanza: Stanza): Effects {
  if (stanza.kind !== "message" || stanza.from === undefined) return NOTHING;
  const { from, type } = stanza;
  // A client that could not take a copy says so to its own account, and nobody else is told (§10.3).
  if (type === "error" && stanza.to?.full === from.bare) return NOTHING;
  return isEligibleForCarbons(stanza, "sent") ? copyOf(stanza, from, "sent") : NOTHING;
}

/** Of a message to oneself the other clients have had a copy as it was sent. */
function copyReceived(stanza: Stanza): Effects {
  if (stanza.kind !== "message" || stanza.to === undefined || stanza.from?.bare === stanza.to.bare) return NOTHING;
  return isEligibleForCarbons(stanza, "received") ? copyOf(stanza, stanza.to, "received") : NOTHING;
}

const copyOf = (message: Message, { bare }: Jid, carbon: "sent" | "received"): Effects => [
  { do: "carbon", account: bare, message, carbon },
];
