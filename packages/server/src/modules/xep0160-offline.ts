import {
  andThen,
  type BareJid,
  childrenOfStanza,
  Delay,
  type Element,
  type Eventually,
  type FullJid,
  hasChild,
  hasHint,
  type Jid,
  type Message,
  NS_CHAT_STATES,
  NS_CONTENT,
  NS_DELAY,
  NS_HINTS,
  type Presence,
  parseJid,
  parseRaw,
  readStanza,
  type Stanza,
  textNamed,
  together,
  withChild,
  writeStanza,
} from "@kith/protocol";
import { type Context, type Effect, type Effects, type Module, write } from "../module.ts";
import type { RowId, Spool, StoredStanza } from "../store/store.ts";

export interface OfflineOptions {
  readonly spool: Spool;
  /** Has the account blocked this address since it sent something (XEP-0191 §3.3)? What it sent waits on. */
  readonly isBlocked: (account: BareJid, jid: Jid) => Eventually<boolean>;
  /** How many messages wait for one account at most. Default 1000. */
  readonly limit?: number;
  /** And how many bytes: all of them are sent at once when somebody comes. Default 2 MiB. */
  readonly maxBytes?: number;
}

/** Shared, since it is the answer to nearly every stanza. */
const NOTHING: Effects = [];

/**
 * XEP-0160: keeps messages for an account until a resource of it takes messages. One stays stored until it is on its
 * way to a session; what a session did not get goes to the next.
 */
export const offline = ({ spool, isBlocked, limit = 1000, maxBytes = 2_097_152 }: OfflineOptions): Module => {
  const claims = claimsOn(spool);

  /** Everything that waits for the session's account, but for what other sessions are being sent. */
  const deliverTo = (jid: Jid): Eventually<Effects> =>
    andThen(pendingFor(spool, jid.bare), (stored) => {
      const pending = stored.map(read);
      const blocked = pending.map(({ stanza }) => stanza.from !== undefined && isBlocked(jid.bare, stanza.from));
      return andThen(together(...blocked), (isOut) =>
        claims.claim(jid, pending, (at) => isOut[at] !== true).map((waiting) => delivery(waiting, jid)),
      );
    });

  return {
    name: "offline",
    xeps: [
      { xep: "XEP-0160", version: "1.0.1" },
      { xep: "XEP-0334", version: "1.0.0", note: "no-store and store, for offline messages" },
    ],
    features: ["msgoffline"],
    undelivered: (message, account, { now }) => {
      const worth = worthOf(message);
      if (worth !== "worth keeping") return worth === "worth nothing" ? [] : undefined;
      const stanza = writeStanza(message);
      return andThen(together(spool.count({ account }), spool.bytes({ account })), ([count, bytes]) =>
        count < limit && bytes + stanza.length <= maxBytes
          ? [write(spool.keep({ account }, stanza, now()).write)]
          : undefined,
      );
    },
    sending: {
      copy: (stanza, { session }) => {
        // The session is still shown as it was before this presence.
        if (stanza.kind !== "presence" || stanza.to !== undefined || session?.presence === undefined) return NOTHING;
        return session.priority < 0 && takesMessages(stanza) ? deliverTo(session.jid) : NOTHING;
      },
    },
    available: ({ jid, priority }) => (priority < 0 ? [] : deliverTo(jid)),
    closed: ({ jid }, context) => {
      if (!claims.release(jid)) return [];
      return andThen(firstTaker(jid.bare, context), (taker) => (taker === undefined ? [] : deliverTo(taker)));
    },
  };
};

/**
 * What is to become of a message nobody was there for (§3; RFC 6121 §8.5.2.2.1).
 * "worth nothing": nobody misses it later, nor wants to hear that it did not arrive (XEP-0085 §5.8).
 */
type Worth = "worth keeping" | "not to be kept" | "worth nothing";

const worthOf = (message: Message): Worth => {
  if (message.type !== "chat" && message.type !== "normal") return "not to be kept";
  if (hasHint(message, "no-store")) return saysSomething(message) ? "not to be kept" : "worth nothing";
  return saysSomething(message) || hasHint(message, "store") ? "worth keeping" : "worth nothing";
};

const NS_STANZA_ID = "urn:xmpp:sid:0";
const saysSomething = (message: Message): boolean => childrenOfStanza(message).some((child) => !isAccompaniment(child));
const isAccompaniment = ({ ns, name }: Element): boolean =>
  ns === NS_CHAT_STATES ||
  ns === NS_HINTS ||
  ns === NS_STANZA_ID ||
  ns === NS_DELAY ||
  (ns === NS_CONTENT && name === "thread");

/** RFC 6121 §4.7.2.3; a priority that is none is refused by the router. */
const takesMessages = (presence: Presence): boolean => {
  if (presence.type !== "available") return false;
  const priority = Number(textNamed(presence, "priority") ?? 0);
  return priority >= 0 && priority <= 127;
};

const firstTaker = (account: BareJid, { available }: Context): Eventually<Jid | undefined> =>
  andThen(available(account), (resources) => resources.find(({ priority }) => priority >= 0)?.jid);

const PAGE = 200;
/** By pages, since a page is answered at once: while this waits, what is sent now would overtake (RFC 6120 §10.1). */
const pendingFor = (spool: Spool, account: BareJid, after = 0): Eventually<readonly StoredStanza[]> =>
  andThen(spool.pending({ account }, after, PAGE), (page) => {
    const last = page.length < PAGE ? undefined : page.at(-1);
    return last === undefined ? page : andThen(pendingFor(spool, account, last.row), (rest) => [...page, ...rest]);
  });

interface Waiting {
  readonly row: RowId;
  readonly stamp: number;
  readonly stanza: Stanza;
}
const read = ({ row, stamp, stanza }: StoredStanza): Waiting => ({
  row,
  stamp,
  stanza: readStanza(parseRaw(stanza)),
});

const delivery = ({ row, stanza, stamp }: Waiting, jid: Jid): Effect => {
  // There is one delay at most (XEP-0203 §2), and an earlier one says better when the message was sent.
  const delayed = hasChild(stanza, NS_DELAY, "delay")
    ? stanza
    : withChild(stanza, Delay.build({ stamp, from: parseJid(jid.domain), reason: "Offline Storage" }));
  return { do: "toSession", jid: jid.full as FullJid, stanza: delayed, row };
};

/** Which session is being sent which row: two that come at once must not both get it. */
class Claims {
  readonly #holders = new Map<BareJid, ReadonlyMap<RowId, string>>();

  /** What of all that is pending nobody holds and may be had; from now on the session holds it. */
  claim(jid: Jid, pending: readonly Waiting[], mayHave: (at: number) => boolean): readonly Waiting[] {
    const held = this.#holders.get(jid.bare);
    const free = pending.filter(({ row }, at) => held?.get(row) === undefined && mayHave(at));
    // Rows that are no longer pending have arrived, and are forgotten here.
    const kept = pending.flatMap(({ row }) => {
      const holder = held?.get(row);
      return holder === undefined ? [] : [[row, holder] as const];
    });
    this.#set(jid.bare, new Map([...kept, ...free.map(({ row }) => [row, jid.full] as const)]));
    return free;
  }

  /** The session is gone. Did it hold anything? */
  release(jid: Jid): boolean {
    const held = this.#holders.get(jid.bare);
    if (held === undefined) return false;
    const others = [...held].filter(([, holder]) => holder !== jid.full);
    this.#set(jid.bare, new Map(others));
    return others.length < held.size;
  }

  #set(account: BareJid, holders: ReadonlyMap<RowId, string>): void {
    if (holders.size === 0) this.#holders.delete(account);
    else this.#holders.set(account, holders);
  }
}

/** One for each spool, however many routers of this process share it. */
const CLAIMS = new WeakMap<Spool, Claims>();
const claimsOn = (spool: Spool): Claims => {
  const claims = CLAIMS.get(spool) ?? new Claims();
  CLAIMS.set(spool, claims);
  return claims;
};
