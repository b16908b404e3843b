import { type Stanza, StanzaError } from "@kith/protocol";
import type { Module, SessionView, Verdict } from "../module.ts";

const MINUTE = 60_000;

/** Whom a session has sent something since its minute began. */
interface Minute {
  began: number;
  readonly recipients: Set<string>;
  /** The latest of them: most stanzas go where the one before went. */
  latest: string;
}

/**
 * RFC 6120 §13.12: bounds to how many different addressees one session may send something within a minute; whom it has
 * written to already does not count again. Without it an account that has been stolen can write to everybody there is.
 */
export const recipients = ({ mostPerMinute }: { readonly mostPerMinute: number | undefined }): Module => {
  const minutes = new WeakMap<SessionView, Minute>();
  if (mostPerMinute === undefined) return { name: "recipients", xeps: [] };
  return {
    name: "recipients",
    xeps: [{ xep: "RFC 6120" }],
    sending: {
      guard: (stanza, context): Verdict => {
        const { session } = context;
        const to = stanza.to?.bare;
        if (session === undefined || to === undefined) return;
        const minute = minutes.get(session);
        if (minute?.latest === to || !isCounted(stanza)) return;
        if (minute === undefined) minutes.set(session, begun(to, context.now()));
        else count(minute, to, context.now(), mostPerMinute);
      },
    },
    closed: (session) => {
      minutes.delete(session);
      return [];
    },
  };
};

/** What answers somebody, and a farewell, have been asked for. */
const isCounted = ({ type }: Stanza): boolean => type !== "result" && type !== "error" && type !== "unavailable";

const begun = (to: string, now: number): Minute => ({ began: now, recipients: new Set([to]), latest: to });

const count = (minute: Minute, to: string, now: number, most: number): void => {
  if (now - minute.began >= MINUTE || now < minute.began) {
    minute.began = now;
    minute.recipients.clear();
  }
  if (!minute.recipients.has(to) && minute.recipients.size >= most) {
    throw new StanzaError("policy-violation", { type: "wait", text: `no more than ${most} addressees a minute` });
  }
  minute.recipients.add(to);
  minute.latest = to;
};
