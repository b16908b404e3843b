import { type Presence, StanzaError, textNamed } from "@kith/protocol";

const INTEGER = /^[+-]?\d{1,4}$/;

/** The priority a presence gives its resource: -128..127, 0 where it names none (RFC 6121 §4.7.2.3). Throws `StanzaError("bad-request")`. */
export const priorityOf = (presence: Presence): number => {
  const text = textNamed(presence, "priority")?.trim();
  if (text === undefined || text === "") return 0;
  const priority = INTEGER.test(text) ? Number(text) : Number.NaN;
  if (!(priority >= -128 && priority <= 127))
    throw new StanzaError("bad-request", { text: "priority is an integer from -128 to 127" });
  return priority;
};
