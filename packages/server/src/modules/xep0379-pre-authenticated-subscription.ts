import {
  andThen,
  type BareJid,
  type Eventually,
  find,
  type Jid,
  Preauth,
  type Presence,
  parseJid,
  presence,
  type Stanza,
} from "@kith/protocol";
import { type Context, type Effects, type Module, write } from "../module.ts";
import type { Write } from "../store/store.ts";

/** Somebody's request is approved, since an invitation says so. */
export interface Approval {
  /** Uses the invitation up. */
  readonly writes: readonly Write[];
  /** The account asks the contact in turn. */
  readonly asks: boolean;
}

export interface PreauthorizedSubscriptionOptions {
  /** Has this account invited the contact? `undefined`: nothing is known of it. */
  readonly approves: (account: Jid, contact: BareJid, token: string | undefined) => Eventually<Approval | undefined>;
  /** Whom a new account is to ask, and writes that forget those of long ago. */
  readonly toAsk: (
    account: BareJid,
  ) => Eventually<{ readonly contacts: readonly BareJid[]; readonly writes: readonly Write[] }>;
  /** What it means that an account sends this subscription stanza (RFC 6121 §3). */
  readonly send: (sent: Presence, context: Context) => Eventually<Effects>;
}

/**
 * XEP-0379, done by the server for invitations that it has made: the inviter approves the request and asks in turn. Two
 * modules, in this order: what the second sends follows from what the first has changed.
 */
export const preauthorizedSubscriptions = (options: PreauthorizedSubscriptionOptions): readonly Module[] => {
  /** Requests that are answered with one of the account's own. */
  const answered = new WeakSet<Stanza>();
  return [approving(options, answered), askingInTurn(options, answered)];
};

const approving = (options: PreauthorizedSubscriptionOptions, answered: WeakSet<Stanza>): Module => ({
  name: "pre-authenticated-subscription",
  xeps: [{ xep: "XEP-0379", version: "0.3.3", note: "for invitations made by the server" }],
  receiving: {
    copy: (stanza, context) => {
      const { kind, type, from, to } = stanza;
      if (kind !== "presence" || type !== "subscribe" || from === undefined || to === undefined) return [];
      const account = to.toBare();
      return andThen(options.approves(account, from.bare, tokenIn(stanza)), (approval) => {
        if (approval === undefined) return [];
        if (approval.asks) answered.add(stanza);
        const subscribed = presence({ type: "subscribed", from: account, to: from.toBare(), id: context.newId() });
        return andThen(options.send(subscribed, context), (sent) => [...approval.writes.map(write), ...sent]);
      });
    },
  },
  // The server may have stopped between the making of an account and the first request.
  bound: ({ jid }, context) => askInviter(options, jid.bare, context),
});

const askingInTurn = ({ send }: PreauthorizedSubscriptionOptions, answered: WeakSet<Stanza>): Module => ({
  name: "pre-authenticated-subscription-in-turn",
  xeps: [],
  receiving: {
    copy: (stanza, context) => {
      const { from, to } = stanza;
      if (!answered.has(stanza) || from === undefined || to === undefined) return [];
      return send(presence({ type: "subscribe", from: to.toBare(), to: from.toBare(), id: context.newId() }), context);
    },
  },
});

/** An account that was made with an invitation asks its inviter, who has approved that (XEP-0401 §5.3.2, §5.5). */
export const askInviter = (
  { toAsk, send }: Pick<PreauthorizedSubscriptionOptions, "toAsk" | "send">,
  account: BareJid,
  context: Context,
): Eventually<Effects> =>
  andThen(toAsk(account), ({ contacts, writes }) => {
    let effects: Eventually<Effects> = writes.map(write);
    for (const contact of contacts) {
      const request = {
        type: "subscribe",
        from: parseJid(account),
        to: parseJid(contact),
        id: context.newId(),
      } as const;
      effects = andThen(effects, (before) =>
        andThen(send(presence(request), context), (after) => [...before, ...after]),
      );
    }
    return effects;
  });

/** A token that is not one is as good as none (XEP-0379 §4.1). */
const tokenIn = (stanza: Stanza): string | undefined => {
  try {
    return find(stanza, Preauth)?.token;
  } catch {
    return undefined;
  }
};
