import {
  type BareJid,
  DisableWebPush,
  type DomainJid,
  EnableWebPush,
  type Eventually,
  isPromise,
  type Message,
  NS_WEB_PUSH,
  parseJid,
  StanzaError,
  toBytes,
  WebPushKey,
  type WebPushSubscription,
} from "@kith/protocol";
import { type Answer, type Context, type Effects, type Module, onGet, onSet, type Request, write } from "../module.ts";
import type { Collection } from "../store/store.ts";
import { Attempts } from "./push-attempts.ts";
import { isWorthPushing, type Notice, noticeOf, TELL_LITTLE, type Telling } from "./push-worth.ts";

/** A browser's subscription; the endpoint is the key. */
export interface StoredWebPush extends Omit<WebPushSubscription, "endpoint"> {
  /** When it was enabled, in milliseconds since 1970. */
  readonly since: number;
}

/** What the server signs with (RFC 8292), in base64url. */
export interface VapidKeys {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** "gone": the subscription has ended and is never to be tried again (RFC 8030 §7.3). "failed": perhaps another time. */
export type WebPushOutcome = "sent" | "gone" | "failed";

/** What reaches the push services of browsers. */
export interface WebPushSender {
  createKeys(): VapidKeys;
  /** Would it send there at all? */
  accepts(endpoint: string): boolean;
  /** Encrypts and sends. Never rejects. `subject`: whom a push service may turn to (RFC 8292 §2.1). */
  send(
    subscription: WebPushSubscription,
    payload: string,
    vapid: VapidKeys & { readonly subject: string },
  ): Promise<WebPushOutcome>;
}

export interface WebPushOptions {
  readonly subscriptions: Collection<StoredWebPush>;
  /** Where the server's own keys are kept. */
  readonly keys: Collection<VapidKeys>;
  readonly sender: WebPushSender;
  readonly subject: (domain: DomainJid) => string;
  /** How many messages wait for an account. */
  readonly waiting: (account: BareJid) => Eventually<number>;
  /** What browsers are told of a message. What they are told is encrypted for them, but lies about on their screens. */
  readonly telling?: Telling;
  /** How many browsers of one account; one more takes the place of the oldest. Default 20. */
  readonly limit?: number;
}

/** Shared, since it is the answer to nearly every message. */
const NOTHING: Effects = [];

/** The keys are the server's. */
const SERVER = "";
const VAPID = "vapid";

/**
 * Web Push: wakes up a client that runs in a browser, by the push service of that browser, without a push service of XMPP's between.
 * What a client says to have that is in docs/push.md.
 */
export const webPush = (options: WebPushOptions): Module => {
  const { subscriptions, keys, sender, waiting, telling = TELL_LITTLE } = options;
  const pusher = new Pusher(options);
  return {
    name: "web-push",
    xeps: [],
    accountFeatures: [NS_WEB_PUSH],
    started: async () => {
      const kept = await keys.get(SERVER, VAPID);
      return kept === undefined ? [write(keys.put(SERVER, VAPID, sender.createKeys()))] : NOTHING;
    },
    iq: [
      onGet(WebPushKey, ["own-account"], async () => [WebPushKey.build((await pusher.keys()).publicKey)]),
      onSet(EnableWebPush, ["own-account"], (subscription, request, context) =>
        enable(options, pusher, subscription, request, context),
      ),
      onSet(DisableWebPush, ["own-account"], async (endpoint, { at }) => ({
        before: await pusher.disable(at.bare, endpoint),
      })),
    ],
    missed: (message: Message, account: BareJid, context: Context) => {
      if (!isWorthPushing(message)) return NOTHING;
      const all = subscriptions.all(account);
      if (!isPromise(all) && all.size === 0) return NOTHING;
      return tellAll(pusher, account, all, async () => noticeOf(message, await waiting(account), telling), context);
    },
    available: ({ jid, priority }) => {
      if (priority >= 0) pusher.attempts.seen(jid.bare);
      return NOTHING;
    },
    resumed: ({ jid }) => {
      pusher.attempts.seen(jid.bare);
      return NOTHING;
    },
    accountRemoved: (account) => {
      pusher.attempts.forgetAll(account);
      return NOTHING;
    },
  };
};

type Subscriptions = ReadonlyMap<string, StoredWebPush>;

/** Settles when every push service has answered; then what is gone is forgotten. */
const tellAll = async (
  pusher: Pusher,
  account: BareJid,
  all: Eventually<Subscriptions>,
  notice: () => Promise<Notice>,
  context: Context,
): Promise<Effects> => {
  const enabled = [...(await all)];
  if (enabled.length === 0) return NOTHING;
  const told = await notice();
  const effects = await Promise.all(
    enabled.map(([endpoint, stored]) => pusher.tell(account, { endpoint, ...stored }, told, context)),
  );
  return effects.flat();
};

/** The latest that is said of an endpoint counts. A client says it at each login, so what stays the same costs nothing. */
const enable = async (
  { subscriptions, sender, limit = 20 }: WebPushOptions,
  { attempts }: Pusher,
  { endpoint, p256dh, auth }: WebPushSubscription,
  { at }: Request,
  { now }: Context,
): Promise<Answer> => {
  if (!sender.accepts(endpoint)) throw new StanzaError("not-acceptable", { text: "no push service's address" });
  const account = at.bare;
  attempts.forget(account, endpoint);
  const enabled = await subscriptions.all(account);
  const before = enabled.get(endpoint);
  if (before !== undefined && before.p256dh === p256dh && before.auth === auth) return [];
  const excess = before === undefined ? oldest(enabled, enabled.size + 1 - limit) : [];
  return {
    before: [
      ...excess.map((old) => write(subscriptions.delete(account, old))),
      write(subscriptions.put(account, endpoint, { p256dh, auth, since: before?.since ?? now() })),
    ],
  };
};

const oldest = (enabled: Subscriptions, count: number): readonly string[] =>
  count <= 0
    ? []
    : [...enabled]
        .sort(([, one], [, other]) => one.since - other.since)
        .slice(0, count)
        .map(([endpoint]) => endpoint);

/** More to tell, or what is to be done at the end. */
type Step = { readonly next: Notice } | { readonly effects: Effects };

/** Tells browsers, one attempt at a time for each. */
class Pusher {
  readonly attempts: Attempts<Notice>;
  readonly #options: WebPushOptions;
  #keys: VapidKeys | undefined;

  constructor(options: WebPushOptions) {
    this.#options = options;
    this.attempts = attemptsOf(options.subscriptions);
  }

  /** Made at the first start, and the same ever after: subscriptions are bound to them. */
  async keys(): Promise<VapidKeys> {
    this.#keys ??= await this.#options.keys.get(SERVER, VAPID);
    if (this.#keys === undefined) throw new StanzaError("internal-server-error", { text: "no keys" });
    return this.#keys;
  }

  /** Settles when everything there is to tell has been told, or cannot be now. */
  async tell(account: BareJid, subscription: WebPushSubscription, notice: Notice, context: Context): Promise<Effects> {
    let step: Step = { next: notice };
    while ("next" in step) step = await this.#attempt(account, subscription, step.next, context);
    return step.effects;
  }

  async #attempt(account: BareJid, subscription: WebPushSubscription, notice: Notice, { now }: Context): Promise<Step> {
    const { endpoint } = subscription;
    const begun = this.attempts.begin(account, endpoint, notice, now());
    const outcome = begun === "now" ? await this.#send(account, subscription, notice) : begun;
    if (outcome === "sent") {
      const next = this.attempts.succeeded(account, endpoint);
      return next === undefined ? { effects: NOTHING } : { next };
    }
    const further = outcome === "failed" ? this.attempts.failed(account, endpoint, now()) : outcome;
    return { effects: further === "later" ? NOTHING : this.#forget(account, endpoint) };
  }

  async disable(account: BareJid, endpoint: string | undefined): Promise<Effects> {
    const enabled = await this.#options.subscriptions.all(account);
    const which = endpoint === undefined ? [...enabled.keys()] : [endpoint].filter((one) => enabled.has(one));
    return which.flatMap((one) => this.#forget(account, one));
  }

  async #send(account: BareJid, subscription: WebPushSubscription, notice: Notice): Promise<WebPushOutcome> {
    const subject = this.#options.subject(parseJid(account).domain);
    return this.#options.sender.send(subscription, payloadOf(notice), { ...(await this.keys()), subject });
  }

  #forget(account: BareJid, endpoint: string): Effects {
    this.attempts.forget(account, endpoint);
    return [write(this.#options.subscriptions.delete(account, endpoint))];
  }
}

/** RFC 8291 §4 leaves 3993 bytes; an address alone can be nearly that long. */
const MOST_BYTES = 3_900;

/** JSON: `count`, and where they are told `from` and `body`. Rather less than too much. */
const payloadOf = ({ count, sender, body }: Notice): string => {
  const whole = JSON.stringify({ count, from: sender?.full, body });
  if (toBytes(whole).length <= MOST_BYTES) return whole;
  return JSON.stringify({ count });
};

/** One for each collection, however many routers of this process share it. */
const ATTEMPTS = new WeakMap<Collection<StoredWebPush>, Attempts<Notice>>();
const attemptsOf = (subscriptions: Collection<StoredWebPush>): Attempts<Notice> => {
  const attempts = ATTEMPTS.get(subscriptions) ?? new Attempts<Notice>();
  ATTEMPTS.set(subscriptions, attempts);
  return attempts;
};
