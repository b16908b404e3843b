/** The clients of accounts: what each is known by, the tokens that let it in again (XEP-0484), and who is there (XEP-0494). */
import {
  type BareJid,
  type Crypto,
  type FastToken,
  type FastUse,
  type FullJid,
  type HtMechanismName,
  type HtToken,
  type MechanismName,
  SaslError,
  type UserAgent,
} from "@kith/protocol";
import { commit } from "./accounts.ts";
import type { Collection, Store, Write } from "./store/store.ts";

/** What may be changed while the server runs. Times in milliseconds. */
export interface AccessRules {
  /** How long a token is good for, from the moment it is given out. */
  readonly tokenLifetimeMs: number;
  /** A token older than this is replaced when it is used. */
  readonly tokenRotationMs: number;
  /** How long a client that has no token is remembered after it was last seen. */
  readonly clientsKeptMs: number;
  /** How many clients of an account are remembered; whoever was not seen for longest is forgotten first. */
  readonly clientsPerAccount: number;
  /** Is it kept what a client says of itself and its device? Only the account's owner is shown it. */
  readonly describeClients: boolean;
}

const DAY = 86_400_000;
export const ACCESS_RULES: AccessRules = {
  tokenLifetimeMs: 21 * DAY,
  tokenRotationMs: DAY,
  clientsKeptMs: 60 * DAY,
  clientsPerAccount: 50,
  describeClients: true,
};

/** A token is not kept, but made again from this and the server's secret: a copy of an account's rows lets nobody in. */
interface StoredToken {
  readonly nonce: string;
  readonly mechanism: HtMechanismName;
  readonly issued: number;
  readonly expires: number;
  /** The highest count it has been used with (XEP-0484 §3.4). */
  readonly count?: number | undefined;
}

/** A client by its id, which is made of the user agent's and tells nothing of it. */
export interface StoredClient {
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly software?: string | undefined;
  readonly device?: string | undefined;
  /** Has it shown the password that is in force? */
  readonly password: boolean;
  /** The token in use, and the one that was given out to replace it (XEP-0484 §5.1). */
  readonly current?: StoredToken | undefined;
  readonly next?: StoredToken | undefined;
}

type LoginMechanism = MechanismName | HtMechanismName;

/** By what somebody has logged in. */
export interface ClientLogin {
  readonly mechanism: LoginMechanism | undefined;
  readonly agent: UserAgent | undefined;
  /** `undefined` where the user agent has no identifier. */
  readonly clientId: ClientId | undefined;
}

declare const brand: unique symbol;
/** Of one client of one account. May be shown: nobody can tell the user agent's identifier from it. */
export type ClientId = string & { readonly [brand]: "client" };

/** A token that may be used. */
export interface KnownToken extends HtToken {
  readonly client: ClientId;
  readonly nonce: string;
}

/** A client as its owner is shown it. */
export interface ListedClient {
  readonly id: string;
  readonly connected: boolean;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly password: boolean;
  readonly fast: boolean;
  readonly software: string | undefined;
  readonly device: string | undefined;
}

export interface Revoked {
  /** What is to be ended. */
  readonly sessions: readonly FullJid[];
  /** Only another password shuts it out. */
  readonly knowsPassword: boolean;
}

/** What is to become of a client's token once it has logged in. */
export interface TokenWish {
  /** What it asked a token for; where it did not, one that is due is replaced, … */
  readonly wanted: HtMechanismName | undefined;
  /** … unless it gave up the old one. */
  readonly gaveUp: boolean;
  /** `changes` as it was when the attempt began. */
  readonly since: number;
}

interface LiveSession {
  readonly id: string;
  readonly since: number;
  readonly login: ClientLogin;
}

export interface AccessOptions {
  readonly store: Store;
  readonly crypto: Crypto;
  readonly now: () => number;
  readonly rules: () => AccessRules;
}

const SERVER = "";
const KEY = "secret";
const SECRET_OCTETS = 32;
const NONCE_OCTETS = 18;
const ID_OCTETS = 9;
const UNKNOWN: ClientLogin = { clientId: undefined, agent: undefined, mechanism: undefined };

/** Opens the tokens of a store. Waits until the secret behind them is on disk. */
export const openAccessTokens = async (options: AccessOptions): Promise<AccessTokens> => {
  const secrets = options.store.collection<string>("access-secret");
  const found = await secrets.get(SERVER, KEY);
  const secret = found ?? text(options.crypto.random(SECRET_OCTETS));
  if (found === undefined) await commit(options.store, [secrets.put(SERVER, KEY, secret)]);
  return new AccessTokens(options, octets(secret));
};

export class AccessTokens {
  readonly #options: AccessOptions;
  readonly #secret: Uint8Array;
  readonly #clients: Collection<StoredClient>;
  /** The sessions of this process. */
  readonly #sessions = new Map<BareJid, Map<FullJid, LiveSession>>();
  #changes = 0;

  constructor(options: AccessOptions, secret: Uint8Array) {
    this.#options = options;
    this.#secret = secret;
    this.#clients = options.store.collection("clients");
  }

  /** What a client is known by: the same for the same user agent of the same account, and another one for any other. */
  async clientId(account: BareJid, agent: string): Promise<ClientId> {
    const mac = await this.#derived("client", account, agent);
    return text(mac.subarray(0, ID_OCTETS)) as ClientId;
  }

  // Tokens (XEP-0484).

  /** The tokens with which this client may prove to be this account's, by this mechanism; expired ones too. */
  async candidates(account: BareJid, client: ClientId, mechanism: HtMechanismName): Promise<readonly KnownToken[]> {
    const stored = await this.#clients.get(account, client);
    const slots = [stored?.next, stored?.current].filter((slot) => slot?.mechanism === mechanism);
    return Promise.all(
      slots.map(async (slot) => {
        const { nonce } = slot as StoredToken;
        return { client, nonce, token: await this.#tokenOf(account, client, mechanism, nonce) };
      }),
    );
  }

  /**
   * A token has been proved. Settles when that is durable as far as it has to be. Rejects with SaslError: "credentials-expired",
   * "not-authorized" where it has been revoked meanwhile, or used with this count before, "temporary-auth-failure" where the
   * use could not be stored.
   */
  async use(account: BareJid, { client, nonce }: KnownToken, { count, invalidate }: FastUse): Promise<void> {
    const stored = await this.#clients.get(account, client);
    const isNext = stored?.next?.nonce === nonce;
    const slot = isNext ? stored.next : stored?.current;
    if (stored === undefined || slot?.nonce !== nonce) throw new SaslError("not-authorized");
    this.#check(slot, count);
    const used = invalidate ? undefined : { ...slot, count: count ?? slot.count };
    // Whatever was given out before the token that is used ends with its use (XEP-0484 §3.5).
    const changed = isNext ? { ...stored, current: used, next: undefined } : { ...stored, current: used };
    const put = this.#clients.put(account, client, changed);
    if (isNext || invalidate) await this.#commit([put]);
    else if (count !== undefined) this.#commitSoon([put]);
  }

  #check({ expires, count: before = 0 }: StoredToken, count: number | undefined): void {
    if (expires <= this.#options.now()) throw new SaslError("credentials-expired");
    if (count !== undefined && count <= before) throw new SaslError("not-authorized", "used before");
  }

  /**
   * A client has logged in, with everything there was to be done. Settles with the token it is to have from now on, if any,
   * when that is on disk.
   */
  async loggedIn(
    account: BareJid,
    { clientId: client, agent, mechanism }: ClientLogin,
    { wanted, gaveUp, since }: TokenWish,
  ): Promise<FastToken | undefined> {
    if (client === undefined) return undefined;
    const { now, rules } = this.#options;
    const others = await this.#clients.all(account);
    // What was proved before a password was changed may be worth nothing any more.
    const isSound = since === this.#changes;
    const before = others.get(client);
    const asked = isSound ? (wanted ?? (gaveUp ? undefined : this.#due(before, mechanism))) : undefined;
    const described = rules().describeClients ? agent : undefined;
    const seen: StoredClient = {
      ...before,
      firstSeen: before?.firstSeen ?? now(),
      lastSeen: now(),
      software: described?.software,
      device: described?.device,
      password: before?.password === true || (isSound && isPassword(mechanism)),
    };
    const writes = before === undefined ? this.#crowdedOut(account, others) : [];
    if (asked === undefined) {
      this.#commitSoon([...writes, this.#clients.put(account, client, seen)]);
      return undefined;
    }
    const next = this.#newToken(asked);
    await this.#commit([...writes, this.#clients.put(account, client, { ...seen, next })]);
    return { token: await this.#tokenOf(account, client, asked, next.nonce), expiry: next.expires };
  }

  /** The mechanism of a token that has been used and is to be replaced. */
  #due(stored: StoredClient | undefined, mechanism: LoginMechanism | undefined): HtMechanismName | undefined {
    const { now, rules } = this.#options;
    const used = stored?.current;
    if (used === undefined || used.mechanism !== mechanism) return undefined;
    const { tokenRotationMs, tokenLifetimeMs } = rules();
    // In time, whatever the rules say: one that ends before it is due lets nobody in.
    return now() - used.issued >= Math.min(tokenRotationMs, tokenLifetimeMs / 2) ? used.mechanism : undefined;
  }

  #newToken(mechanism: HtMechanismName): StoredToken {
    const { crypto, now, rules } = this.#options;
    const issued = now();
    // In whole seconds, as clients are told.
    const expires = Math.ceil((issued + rules().tokenLifetimeMs) / 1000) * 1000;
    return { nonce: text(crypto.random(NONCE_OCTETS)), mechanism, issued, expires };
  }

  /** Room for one more client: those that are forgotten anyway, or who was not seen for longest. */
  #crowdedOut(account: BareJid, clients: ReadonlyMap<string, StoredClient>): readonly Write[] {
    const forgotten = [...clients].filter(([, stored]) => this.#isForgotten(stored));
    const kept = [...clients].filter(([, stored]) => !this.#isForgotten(stored));
    const excess = Math.max(0, kept.length + 1 - this.#options.rules().clientsPerAccount);
    const oldest = kept.toSorted(([, one], [, other]) => one.lastSeen - other.lastSeen).slice(0, excess);
    return [...forgotten, ...oldest].map(([client]) => this.#clients.delete(account, client));
  }

  #isForgotten(stored: StoredClient): boolean {
    return !this.#hasToken(stored) && this.#options.now() - stored.lastSeen > this.#options.rules().clientsKeptMs;
  }

  #hasToken({ current, next }: StoredClient): boolean {
    const now = this.#options.now();
    return [current, next].some((slot) => slot !== undefined && slot.expires > now);
  }

  #tokenOf(account: BareJid, client: ClientId, mechanism: HtMechanismName, nonce: string): Promise<string> {
    return this.#derived("token", account, client, mechanism, nonce).then(text);
  }

  async #derived(...parts: readonly string[]): Promise<Uint8Array> {
    // No part has a NUL in it.
    return this.#options.crypto.hmac("SHA-256", this.#secret, Buffer.from(parts.join("\0")));
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    try {
      await commit(this.#options.store, writes);
    } catch {
      throw new SaslError("temporary-auth-failure", "It could not be stored.");
    }
  }

  #commitSoon(writes: readonly Write[]): void {
    const unit = this.#options.store.begin();
    for (const write of writes) unit.add(write);
    unit.commit("soon");
  }

  // Access (XEP-0494).

  /** How many passwords have been changed. */
  get changes(): number {
    return this.#changes;
  }

  /** The password is being changed: what it let in is forgotten, tokens and all. To be stored with the new keys. */
  forgetting(account: BareJid): readonly Write[] {
    this.#changes++;
    return [this.#clients.clear(account)];
  }

  /** A session has been bound or taken up again. What is not known of it yet may follow. */
  began(account: BareJid, session: FullJid, login: ClientLogin = UNKNOWN): void {
    const sessions = this.#sessions.get(account) ?? new Map<FullJid, LiveSession>();
    const before = sessions.get(session);
    const { crypto, now } = this.#options;
    sessions.set(session, {
      id: before?.id ?? text(crypto.random(ID_OCTETS)),
      since: before?.since ?? now(),
      login: login.mechanism === undefined ? (before?.login ?? login) : login,
    });
    this.#sessions.set(account, sessions);
  }

  ended(account: BareJid, session: FullJid): void {
    const sessions = this.#sessions.get(account);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#sessions.delete(account);
  }

  sessionsOf(account: BareJid, client: ClientId): readonly FullJid[] {
    return [...(this.#sessions.get(account) ?? [])].flatMap(([session, { login }]) =>
      login.clientId === client ? [session] : [],
    );
  }

  /** Every client that is there, or could be back without being asked; whoever was seen last comes first. */
  async list(account: BareJid): Promise<readonly ListedClient[]> {
    const stored = await this.#clients.all(account);
    const now = this.#options.now();
    const listed = new Map<string, ListedClient>();
    for (const [id, client] of stored) if (!this.#isForgotten(client)) listed.set(id, this.#listedStored(id, client));
    for (const session of this.#sessions.get(account)?.values() ?? []) {
      const id = session.login.clientId ?? session.id;
      const known = listed.get(id);
      const fast = known?.fast ?? false;
      listed.set(id, { ...(known ?? listedSession(id, session)), fast, connected: true, lastSeen: now });
    }
    return [...listed.values()].toSorted((one, other) => other.lastSeen - one.lastSeen);
  }

  #listedStored(id: string, client: StoredClient): ListedClient {
    const { firstSeen, lastSeen, password, software, device } = client;
    return { id, connected: false, firstSeen, lastSeen, password, fast: this.#hasToken(client), software, device };
  }

  /** Takes a client's tokens; settles when that is durable. `undefined`: there is no such client. */
  async revoke(account: BareJid, id: string): Promise<Revoked | undefined> {
    const stored = await this.#clients.get(account, id);
    const sessions = [...(this.#sessions.get(account) ?? [])].filter(
      ([, session]) => (session.login.clientId ?? session.id) === id,
    );
    if (stored === undefined && sessions.length === 0) return undefined;
    const knowsPassword =
      stored?.password === true ||
      sessions.some(([, { login }]) => login.mechanism === undefined || isPassword(login.mechanism));
    if (stored !== undefined) {
      const without = { ...stored, current: undefined, next: undefined };
      // Who knows the password stays on the list: it has access as long as that is so.
      const change = stored.password ? this.#clients.put(account, id, without) : this.#clients.delete(account, id);
      await commit(this.#options.store, [change]);
    }
    return { sessions: sessions.map(([session]) => session), knowsPassword };
  }
}

const listedSession = (id: string, { since, login: { mechanism, agent } }: LiveSession): ListedClient => ({
  id,
  connected: true,
  firstSeen: since,
  lastSeen: since,
  password: mechanism === undefined || isPassword(mechanism),
  fast: false,
  software: agent?.software,
  device: agent?.device,
});

const isPassword = (mechanism: LoginMechanism | undefined): boolean =>
  mechanism === "PLAIN" || mechanism?.startsWith("SCRAM-") === true;

const text = (data: Uint8Array): string => Buffer.from(data).toString("base64url");
const octets = (base64url: string): Uint8Array => Buffer.from(base64url, "base64url");
