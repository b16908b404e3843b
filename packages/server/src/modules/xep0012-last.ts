import {
  andThen,
  type BareJid,
  type Element,
  type Eventually,
  isFrom,
  LastQuery,
  NS_LAST,
  StanzaError,
  type Subscription,
  textNamed,
} from "@kith/protocol";
import { type Context, type Effects, type Module, onGet, type Request, writeSoon } from "../module.ts";
import type { Collection } from "../store/store.ts";

/** When an account's last available resource so far went, and what it said then. */
export interface StoredLastActivity {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly status?: string;
}

export interface LastOptions {
  readonly departures: Collection<StoredLastActivity>;
  readonly subscriptionOf: (account: BareJid, contact: BareJid) => Eventually<Subscription>;
}

const KEY = "last";
/** A longer status is cut: it is kept for as long as the account stays away. */
const MAX_STATUS = 1024;
const HALF_A_CHARACTER = /[\ud800-\udbff]$/;
const cut = (status: string): string => status.slice(0, MAX_STATUS).replace(HALF_A_CHARACTER, "");
/** Shared, since it is the answer to nearly every stanza. */
const NOTHING: Effects = [];

/**
 * XEP-0012: how long the server has been running, and how long an account has been away. Requests to resources are
 * theirs to answer, if the asker sees their presence (RFC 6121 §8.5.3.1).
 */
export const last = ({ departures, subscriptionOf }: LastOptions): Module => {
  let startedAt: number | undefined;
  /** What sessions are saying while they become unavailable. */
  const statuses = new Map<string, string>();

  const uptime = ({ now }: Context): readonly Element[] => [answer(now() - (startedAt ?? now()))];

  const absence = ({ at }: Request, { available, now }: Context): Eventually<readonly Element[]> =>
    andThen(available(at.bare), (resources) => {
      if (resources.length > 0) return [answer(0)];
      return andThen(departures.get(at.bare, KEY), (departure) => {
        // It has never been there.
        if (departure === undefined) throw new StanzaError("item-not-found");
        return [answer(now() - departure.at, departure.status)];
      });
    });

  return {
    name: "last",
    xeps: [
      { xep: "XEP-0012", version: "2.0" },
      { xep: "XEP-0256", version: "1.1", note: "presence is passed on with what it says" },
    ],
    features: [NS_LAST],
    accountFeatures: [NS_LAST],
    iq: [
      onGet(LastQuery, ["server"], (_, __, context) => uptime(context)),
      // Whoever asks is connected, so the account is not away.
      onGet(LastQuery, ["own-account"], () => [answer(0)]),
      onGet(LastQuery, ["account"], (_, request, context) =>
        andThen(subscriptionOf(request.at.bare, request.from.bare), (subscription) => {
          if (!isFrom(subscription)) throw new StanzaError("forbidden");
          return absence(request, context);
        }),
      ),
    ],
    sending: {
      copy: (stanza, { session }) => {
        if (stanza.kind !== "presence" || stanza.type !== "unavailable" || stanza.to !== undefined) return NOTHING;
        const status = textNamed(stanza, "status");
        if (status && session?.presence !== undefined) statuses.set(session.jid.full, cut(status));
        return NOTHING;
      },
    },
    started: ({ now }) => {
      startedAt = now();
      return NOTHING;
    },
    unavailable: ({ jid }, { now }) => {
      const status = statuses.get(jid.full);
      statuses.delete(jid.full);
      return [writeSoon(departures.put(jid.bare, KEY, status === undefined ? { at: now() } : { at: now(), status }))];
    },
    closed: ({ jid }) => {
      statuses.delete(jid.full);
      return NOTHING;
    },
  };
};

const answer = (milliseconds: number, status?: string): Element =>
  LastQuery.build({ seconds: Math.max(0, Math.floor(milliseconds / 1000)), status });
