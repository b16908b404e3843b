import {
  andThen,
  type BareJid,
  type Bytes,
  DisablePush,
  type Element,
  EnablePush,
  type Eventually,
  Form,
  hasChild,
  type Iq,
  idOf,
  iq,
  type Message,
  NS_PUBSUB,
  NS_PUSH,
  type PushRegistration,
  type PushTarget,
  parseJid,
  parseRaw,
  publishPush,
  readElement,
  revokedPush,
  StanzaError,
  stanzaErrorOf,
  writeElement,
} from "@kith/protocol";
import { type Context, type Effects, type Module, onSet, type Request, route, write } from "../module.ts";
import type { Collection } from "../store/store.ts";
import { ATTEMPT_LIMITS, Attempts } from "./push-attempts.ts";
import { isWorthPushing, type Notice, noticeOf, TELL_LITTLE, type Telling } from "./push-worth.ts";

/** A push service that an account has enabled; service and node are the key. */
export interface StoredPush {
  readonly jid: string;
  readonly node?: string;
  /** The form "publish-options", written. */
  readonly options?: Bytes;
  /** When it was enabled, in milliseconds since 1970. */
  readonly since: number;
}

export interface PushOptions {
  readonly services: Collection<StoredPush>;
  /** How many messages wait for an account. */
  readonly waiting: (account: BareJid) => Eventually<number>;
  /** What services are told of a message. Default: that there is one. */
  readonly telling?: Telling;
  /** How many services an account may enable; one more takes the place of the oldest. Default 20. */
  readonly limit?: number;
  /** How long what a service wants to see may be, in bytes. Default 4096. */
  readonly maxOptionsBytes?: number;
}

/** Shared, since it is the answer to nearly every message. */
const NOTHING: Effects = [];

/**
 * XEP-0357: whoever has a message coming and no client there to show it is woken up by push services of their choice. The server asks
 * them from its own address, one request at a time for each node, and no other before that is answered.
 */
export const push = (options: PushOptions): Module => {
  const { services, waiting, telling = TELL_LITTLE } = options;
  const publisher = publisherOf(services);
  return {
    name: "push",
    xeps: [
      { xep: "XEP-0357", version: "0.4.1" },
      { xep: "XEP-0060", version: "1.30.0", note: "publishing to push services" },
    ],
    accountFeatures: [NS_PUSH],
    iq: [
      onSet(EnablePush, ["own-account"], (registration, request, context) =>
        enable(options, publisher, registration, request, context),
      ),
      onSet(DisablePush, ["own-account"], (target, { at }) =>
        andThen(publisher.disable(at.bare, target), (before) => ({ before })),
      ),
    ],
    receiving: {
      copy: (stanza) => {
        if (stanza.kind !== "message" || !hasChild(stanza, NS_PUBSUB, "pubsub")) return NOTHING;
        const { to } = stanza;
        const target = to === undefined ? undefined : revokedPush(stanza, to);
        return to === undefined || target === undefined ? NOTHING : publisher.disable(to.bare, target);
      },
    },
    missed: (message: Message, account: BareJid, context: Context) => {
      if (!isWorthPushing(message)) return NOTHING;
      return andThen(services.all(account), (enabled) => {
        if (enabled.size === 0) return NOTHING;
        return andThen(waiting(account), (count) => {
          const notice = noticeOf(message, count, telling);
          return [...enabled].flatMap(([key, stored]) => publisher.tell(account, key, stored, notice, context));
        });
      });
    },
    answered: (answer: Iq, context: Context) => publisher.answered(answer, context),
    available: ({ jid, priority }) => {
      if (priority >= 0) publisher.attempts.seen(jid.bare);
      return NOTHING;
    },
    resumed: ({ jid }) => {
      publisher.attempts.seen(jid.bare);
      return NOTHING;
    },
    accountRemoved: (account) => {
      publisher.attempts.forgetAll(account);
      return NOTHING;
    },
  };
};

const keyOf = (jid: string, node: string | undefined): string => JSON.stringify([jid, node ?? ""]);

/** §5: the latest request counts. A client asks at each login, so what stays the same costs nothing. */
const enable = (
  { services, limit = 20, maxOptionsBytes = 4_096 }: PushOptions,
  { attempts }: Publisher,
  { jid, node, options }: PushRegistration,
  { at }: Request,
  { now, isLocal }: Context,
): Eventually<{ readonly before: Effects }> => {
  const account = at.bare;
  // People are no push services, and are not to be sent requests by strangers in the server's name.
  if (isLocal(jid.domain) && jid.local !== undefined) throw new StanzaError("not-allowed", { text: "no push service" });
  const written = options === undefined ? undefined : writeElement(Form.build(options));
  if ((written?.length ?? 0) + (node?.length ?? 0) > maxOptionsBytes)
    throw new StanzaError("policy-violation", { text: `at most ${maxOptionsBytes} bytes of node and publish options` });
  const key = keyOf(jid.full, node);
  attempts.forget(account, key);
  return andThen(services.all(account), (enabled) => {
    const before = enabled.get(key);
    if (before !== undefined && before.options === written) return { before: NOTHING };
    const stored: StoredPush = {
      jid: jid.full,
      since: before?.since ?? now(),
      ...(node === undefined ? {} : { node }),
      ...(written === undefined ? {} : { options: written }),
    };
    const excess = before === undefined ? oldest(enabled, enabled.size + 1 - limit) : [];
    return {
      before: [...excess.map((old) => write(services.delete(account, old))), write(services.put(account, key, stored))],
    };
  });
};

const oldest = (enabled: ReadonlyMap<string, StoredPush>, count: number): readonly string[] =>
  count <= 0
    ? []
    : [...enabled]
        .sort(([, one], [, other]) => one.since - other.since)
        .slice(0, count)
        .map(([key]) => key);

/** Conditions that pass, whatever type they come with: nobody was there to judge the request. */
const PASSING: ReadonlySet<string> = new Set([
  "internal-server-error",
  "remote-server-not-found",
  "remote-server-timeout",
  "resource-constraint",
]);

/** §7.1: an error that is recoverable. */
const mayPass = (answer: Iq): boolean => {
  const { type, condition } = stanzaErrorOf(answer);
  return type === "wait" || PASSING.has(condition);
};

interface OpenRequest {
  readonly account: BareJid;
  readonly key: string;
  readonly service: string;
  readonly at: number;
}

/** Asks services to publish, and acts on what they answer. */
class Publisher {
  readonly attempts = new Attempts<Notice>();
  readonly #services: Collection<StoredPush>;
  /** Requests that are not answered yet, in the order in which they were sent. */
  readonly #open = new Map<string, OpenRequest>();

  constructor(services: Collection<StoredPush>) {
    this.#services = services;
  }

  tell(account: BareJid, key: string, stored: StoredPush, notice: Notice, context: Context): Effects {
    const begun = this.attempts.begin(account, key, notice, context.now());
    if (begun === "later") return NOTHING;
    return begun === "now" ? [route(this.#request(account, key, stored, notice, context))] : this.#giveUp(account, key);
  }

  answered(answer: Iq, context: Context): Eventually<Effects> {
    const request = this.#take(answer);
    if (request === undefined) return NOTHING;
    const { account, key } = request;
    if (answer.type === "result") return this.#tellMore(account, key, context);
    const isHopeless = !mayPass(answer) || this.attempts.failed(account, key, context.now()) === "hopeless";
    return isHopeless ? this.#giveUp(account, key) : NOTHING;
  }

  /** §6, §8: one node of a service, or whatever is enabled there. */
  disable(account: BareJid, { jid, node }: PushTarget): Eventually<Effects> {
    return andThen(this.#services.all(account), (enabled) =>
      [...enabled]
        .filter(([, stored]) => stored.jid === jid.full && (node === undefined || stored.node === node))
        .flatMap(([key]) => this.#giveUp(account, key)),
    );
  }

  /** §7.1: it is disabled. A client that comes enables it again. */
  #giveUp(account: BareJid, key: string): Effects {
    this.attempts.forget(account, key);
    return [write(this.#services.delete(account, key))];
  }

  #tellMore(account: BareJid, key: string, context: Context): Eventually<Effects> {
    const next = this.attempts.succeeded(account, key);
    if (next === undefined) return NOTHING;
    return andThen(this.#services.get(account, key), (stored) =>
      stored === undefined ? NOTHING : this.tell(account, key, stored, next, context),
    );
  }

  /** The request that publishes a notification (§7), from the account's server. */
  #request(account: BareJid, key: string, stored: StoredPush, notice: Notice, { newId, now }: Context): Iq {
    this.#forgetUnanswered(now());
    const id = newId();
    this.#open.set(id, { account, key, service: stored.jid, at: now() });
    const from = parseJid(parseJid(account).domain);
    return iq({ type: "set", id, from, to: parseJid(stored.jid) }, [publication(stored, notice)]);
  }

  /** The request that this answers, if it comes from whoever was asked. */
  #take(answer: Iq): OpenRequest | undefined {
    const id = idOf(answer) ?? "";
    const request = this.#open.get(id);
    if (request === undefined || request.service !== answer.from?.full) return undefined;
    this.#open.delete(id);
    return request;
  }

  #forgetUnanswered(now: number): void {
    for (const [id, { at }] of this.#open) {
      if (now - at < ATTEMPT_LIMITS.patience) return;
      this.#open.delete(id);
    }
  }
}

const publication = ({ jid, node, options }: StoredPush, { count, sender, body }: Notice): Element =>
  publishPush(
    {
      jid: parseJid(jid),
      node,
      options: options === undefined ? undefined : Form.parse(readElement(parseRaw(options))),
    },
    { summary: { messageCount: count, lastMessageSender: sender, lastMessageBody: body } },
  );

/** One for each collection, however many routers of this process share it. */
const PUBLISHERS = new WeakMap<Collection<StoredPush>, Publisher>();
const publisherOf = (services: Collection<StoredPush>): Publisher => {
  const publisher = PUBLISHERS.get(services) ?? new Publisher(services);
  PUBLISHERS.set(services, publisher);
  return publisher;
};
