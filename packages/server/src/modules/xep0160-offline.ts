import {
  andThen,
  type BareJid,
  Delay,
  type Eventually,
  type FullJid,
  hasChild,
  hasHint,
  type Jid,
  type Message,
  NS_DELAY,
  type Presence,
  parseJid,
  parseRaw,
  readStanza,
  type Stanza,
  saysSomething,
  textNamed,
  together,
  withChild,
  writeStanza,
} from "@kith/protocol";
import type { Context, Effect, Effects, Keeping, Module } from "../module.ts";
import type { Messages, StoredMessage } from "../store/messages.ts";
import type { RowId } from "../store/store.ts";

export interface OfflineOptions {
  readonly messages: Pick<Messages, "waiting" | "countWaiting">;
  /** Has the account blocked this address since it sent something (XEP-0191 §3.3)? What it sent waits on. */
  readonly isBlocked: (account: BareJid, jid: Jid) => Eventually<boolean>;
  /** How many messages wait for one account at most. Default 1000. */
  readonly limit?: number;
  /** And how many bytes: all of them are sent at once when somebody comes. Default 2 MiB. */
  readonly maxBytes?: number;
}

/** Shared, since it is the answer to nearly every stanza. */
const NOTHING: Effects = [];
const WAITS: Keeping = { waits: true };

/**
 * XEP-0160: keeps messages for an account until a resource of it takes messages. One waits until it has arrived; what a session did
 * not get goes to the next.
 */
export const offline = ({ messages, isBlocked, limit = 1000, maxBytes = 2_097_152 }: OfflineOptions): Module => {
  const claims = claimsOn(messages);

  /** Everything that waits for the session's account, but for what other sessions are being sent. */
  const deliverTo = (jid: Jid, { underWay }: Context): Eventually<Effects> =>
    andThen(together(waitingFor(messages, jid.bare), underWay(jid.bare)), ([stored, held]) => {
      if (stored.length === 0) {
        claims.claim(jid, [], nothing);
        return NOTHING;
      }
      const pending = stored.map(read);
      const blocked = pending.map(({ stanza }) => stanza.from !== undefined && isBlocked(jid.bare, stanza.from));
      return andThen(together(...blocked), (isOut) =>
        claims
          .claim(jid, pending, ({ row }, at) => isOut[at] !== true && !held.has(row))
          .map((waiting) => delivery(waiting, jid)),
      );
    });

  return {
    name: "offline",
    xeps: [
      { xep: "XEP-0160", version: "1.0.1" },
      { xep: "XEP-0334", version: "1.0.0" },
    ],
    features: ["msgoffline"],
    undelivered: (message, account) => {
      if (!isWorthKeeping(message)) return isWorthNothing(message) ? NOTHING : undefined;
      return andThen(messages.countWaiting(account), ({ count, bytes }) =>
        count < limit && bytes + writeStanza(message).length <= maxBytes ? [{ do: "wait", message }] : undefined,
      );
    },
    receiving: {
      // Whoever is there may be gone before it has got it.
      archive: (message) => (isWorthKeeping(message) ? WAITS : undefined),
    },
    sending: {
      copy: (stanza, context) => {
        const { session } = context;
        // The session is still shown as it was before this presence.
        if (stanza.kind !== "presence" || stanza.to !== undefined || session?.presence === undefined) return NOTHING;
        return session.priority < 0 && takesMessages(stanza) ? deliverTo(session.jid, context) : NOTHING;
      },
    },
    available: ({ jid, priority }, context) => (priority < 0 ? NOTHING : deliverTo(jid, context)),
    closed: ({ jid }, context) => {
      claims.release(jid);
      return andThen(firstTaker(jid.bare, context), (taker) =>
        taker === undefined ? NOTHING : deliverTo(taker, context),
      );
    },
  };
};

/** §3. XEP-0334 §4: "no-store" means not even for a while; "no-permanent-store" means just that. */
const isWorthKeeping = (message: Message): boolean =>
  mayBeKept(message) && (saysSomething(message) || hasHint(message, "store"));

const mayBeKept = (message: Message): boolean =>
  (message.type === "chat" || message.type === "normal") && !hasHint(message, "no-store");

/** Nobody misses it later, nor wants to hear that it did not arrive (RFC 6121 §8.5.2.2.1; XEP-0085 §5.8). */
const isWorthNothing = (message: Message): boolean =>
  (message.type === "chat" || message.type === "normal") && !saysSomething(message);

/** RFC 6121 §4.7.2.3; a priority that is none is refused by the router. */
const takesMessages = (presence: Presence): boolean => {
  if (presence.type !== "available") return false;
  const priority = Number(textNamed(presence, "priority") ?? 0);
  return priority >= 0 && priority <= 127;
};

/** Rather one that has a connection: what it gets arrives. */
const firstTaker = (account: BareJid, { available }: Context): Eventually<Jid | undefined> =>
  andThen(available(account), (resources) => {
    const takers = resources.filter(({ priority }) => priority >= 0);
    return (takers.find(({ isDetached }) => !isDetached) ?? takers[0])?.jid;
  });

const PAGE = 200;
/** By pages, since a page is answered at once: while this waits, what is sent now would overtake (RFC 6120 §10.1). */
const waitingFor = (
  messages: OfflineOptions["messages"],
  account: BareJid,
  after: RowId = 0,
): Eventually<readonly StoredMessage[]> =>
  andThen(messages.waiting(account, after, PAGE), (page) => {
    const last = page.length < PAGE ? undefined : page.at(-1);
    return last === undefined ? page : andThen(waitingFor(messages, account, last.row), (rest) => [...page, ...rest]);
  });

interface Waiting {
  readonly row: RowId;
  readonly stamp: number;
  readonly stanza: Stanza;
  readonly isArchived: boolean;
}
const read = ({ row, stamp, stanza, isArchived }: StoredMessage): Waiting => ({
  row,
  stamp,
  stanza: readStanza(parseRaw(stanza)),
  isArchived: isArchived.received,
});

const delivery = ({ row, stanza, stamp, isArchived }: Waiting, jid: Jid): Effect => {
  // There is one delay at most (XEP-0203 §2), and an earlier one says better when the message was sent.
  const delayed = hasChild(stanza, NS_DELAY, "delay")
    ? stanza
    : withChild(stanza, Delay.build({ stamp, from: parseJid(jid.domain), reason: "Offline Storage" }));
  const side = stanza.from?.bare === jid.bare ? "sent" : "received";
  return {
    do: "toSession",
    jid: jid.full as FullJid,
    stanza: delayed,
    stored: { row, side, isArchived, waits: true },
  };
};

const nothing = (): boolean => false;

/** Which session is being sent which row: two that come at once must not both get it, before anybody can see what is under way. */
class Claims {
  readonly #holders = new Map<BareJid, ReadonlyMap<RowId, string>>();

  /** What of all that is pending nobody holds and may be had; from now on the session holds it. */
  claim(jid: Jid, pending: readonly Waiting[], mayHave: (waiting: Waiting, at: number) => boolean): readonly Waiting[] {
    const held = this.#holders.get(jid.bare);
    const free = pending.filter((waiting, at) => held?.get(waiting.row) === undefined && mayHave(waiting, at));
    // Rows that are no longer pending have arrived, and are forgotten here.
    const kept = pending.flatMap(({ row }) => {
      const holder = held?.get(row);
      return holder === undefined ? [] : [[row, holder] as const];
    });
    this.#set(jid.bare, new Map([...kept, ...free.map(({ row }) => [row, jid.full] as const)]));
    return free;
  }

  /** The session is gone. */
  release(jid: Jid): void {
    const held = this.#holders.get(jid.bare);
    if (held !== undefined) this.#set(jid.bare, new Map([...held].filter(([, holder]) => holder !== jid.full)));
  }

  #set(account: BareJid, holders: ReadonlyMap<RowId, string>): void {
    if (holders.size === 0) this.#holders.delete(account);
    else this.#holders.set(account, holders);
  }
}

/** One for each store, however many routers of this process share it. */
const CLAIMS = new WeakMap<object, Claims>();
const claimsOn = (messages: object): Claims => {
  const claims = CLAIMS.get(messages) ?? new Claims();
  CLAIMS.set(messages, claims);
  return claims;
};
