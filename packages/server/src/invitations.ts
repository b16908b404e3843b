/** Invitations: who has been invited to what, and who comes first (XEP-0401, XEP-0445, XEP-0379). */
import {
  andThen,
  type BareJid,
  type Crypto,
  type DomainJid,
  type Eventually,
  type Invitation,
  type InvitationLink,
  invitationUri,
  type Jid,
  jid,
  parseJid,
  StanzaError,
  toBytes,
  together,
  toUint8Array,
} from "@kith/protocol";
import { commit } from "./accounts.ts";
import type { Visitor } from "./module.ts";
import type { Collection, Store, Write } from "./store/store.ts";

/** What may be changed while the server runs. */
export interface InvitationRules {
  /** How long one is good for, in milliseconds, where nobody says otherwise. */
  readonly expireMs: number;
  /** Invitations of one user that may be open at once. */
  readonly perUser: number;
  /** "{uri}" and "{token}" stand for the invitation's. */
  readonly landingPage: string | undefined;
}

/** An invitation that nobody has taken up yet. Its token is known to whoever was given it, and to nobody here. */
export interface StoredInvitation {
  readonly to: "account" | "contact";
  /** May an account be made with it? */
  readonly registers: boolean;
  /** Who becomes a contact of whoever takes it up. */
  readonly inviter?: BareJid | undefined;
  /** The localpart that is kept for whoever takes it up. */
  readonly username?: string | undefined;
  /** Milliseconds since 1970, both. */
  readonly created: number;
  readonly expires: number;
}

/** An invitation by what it is known by: the hash of its token. */
export interface KnownInvitation extends StoredInvitation {
  readonly id: string;
  readonly domain: DomainJid;
}

/** An invitation to be made. */
export type InvitationOrder = { readonly domain: DomainJid; readonly expireMs?: number | undefined } & (
  | { readonly to: "account"; readonly username?: string | undefined; readonly inviter?: BareJid | undefined }
  | { readonly to: "contact"; readonly inviter: BareJid; readonly registers: boolean }
);

/** Made, and told once: the token is not kept. */
export interface MadeInvitation extends Invitation {
  readonly id: string;
  readonly token: string;
  readonly expires: number;
}

/** Somebody who is to become a contact, since one has taken up the other's invitation. */
interface Expected {
  /** This side sends the first request. */
  readonly asks: boolean;
  readonly since: number;
}

export interface InvitationOptions {
  readonly store: Store;
  readonly crypto: Crypto;
  readonly now: () => number;
  readonly rules: () => InvitationRules;
}

/** Crockford's Base32: nothing in it is mistaken for something else, nothing has to be escaped in a URI. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
/** 120 bits; XEP-0379 §6.1 asks for 80. */
const TOKEN_LETTERS = 24;
const DAY = 86_400_000;
/** An invitation that has expired is kept so long, for whoever showed it in time and is still choosing a password. */
const KEPT_AFTER_EXPIRY = DAY;
/** Contacts are expected so long. */
const EXPECTED_FOR = 30 * DAY;
/** How long one use of an invitation shuts out another while it is being stored, in milliseconds. */
const CLAIM = 60_000;

/** The invitations of a server. One object for the process, since who comes first is decided in it. */
export class Invitations {
  readonly #options: InvitationOptions;
  readonly #stored: Collection<StoredInvitation>;
  readonly #expected: Collection<Expected>;
  /** What is being done with an invitation. */
  readonly #underWay = new Map<string, Promise<unknown>>();
  readonly #claims = new Map<string, number>();
  /** Which invitation a stream that has not authenticated has shown. */
  readonly #shown = new WeakMap<object, KnownInvitation>();

  constructor(options: InvitationOptions) {
    this.#options = options;
    this.#stored = options.store.collection("invitations");
    this.#expected = options.store.collection("expected-contacts");
  }

  /**
   * Makes an invitation; settles when it is on disk. Rejects with StanzaError: "conflict" where the name is taken or kept
   * for somebody else, "resource-constraint" where the inviter has too many open ones.
   */
  async create(order: InvitationOrder): Promise<MadeInvitation> {
    const { store, crypto, now, rules } = this.#options;
    const { domain } = order;
    const open = await this.list(domain);
    const username = order.to === "account" ? order.username : undefined;
    if (username !== undefined) await this.#refuseTaken(domain, username, open);
    if (order.to === "contact") this.#refuseMany(order.inviter, open);
    const token = tokenOf(crypto.random(TOKEN_LETTERS));
    const id = await this.#idOf(token);
    const created = now();
    const expires = created + (order.expireMs ?? rules().expireMs);
    const registers = order.to === "account" || order.registers;
    const stored: StoredInvitation = { to: order.to, registers, inviter: order.inviter, username, created, expires };
    await commit(store, [...(await this.#outdated(domain)), this.#stored.put(domain, id, stored)]);
    const uri = invitationUri(linkOf(domain, stored, token));
    return { id, token, uri, expires, landingUrl: landingUrl(rules().landingPage, uri, token) };
  }

  /** Those that are open and good, oldest first. */
  list(domain: DomainJid): Eventually<readonly KnownInvitation[]> {
    const now = this.#options.now();
    return andThen(this.#stored.all(domain), (all) =>
      [...all]
        .map(([id, stored]): KnownInvitation => ({ ...stored, id, domain }))
        .filter(({ expires }) => expires > now)
        .sort((a, b) => a.created - b.created),
    );
  }

  /** Withdraws the invitation whose id begins like this; `undefined` where there is none, or more than one. */
  async revoke(domain: DomainJid, id: string): Promise<KnownInvitation | undefined> {
    const [found, other] = (await this.list(domain)).filter((invitation) => invitation.id.startsWith(id));
    if (found === undefined || other !== undefined || id === "") return undefined;
    await this.#inTurn(found.id, () => commit(this.#options.store, [this.#stored.delete(domain, found.id)]));
    return found;
  }

  /** The invitation that a token stands for, if it is open and good. */
  async find(domain: DomainJid, token: string): Promise<KnownInvitation | undefined> {
    const id = await this.#idOf(token);
    const stored = await this.#stored.get(domain, id);
    if (stored === undefined || stored.expires <= this.#options.now()) return undefined;
    return { ...stored, id, domain };
  }

  /** A stream has shown this token (XEP-0445 §4). Gives the invitation if an account may be made with it. */
  async show(visitor: Visitor, token: string): Promise<KnownInvitation | undefined> {
    const found = await this.find(visitor.domain, token);
    if (found?.registers !== true) return undefined;
    this.#shown.set(visitor.stream, found);
    return found;
  }

  /** The invitation that a stream has shown, whether or not it has expired since (XEP-0445 §4). */
  shownBy(visitor: Visitor): KnownInvitation | undefined {
    return this.#shown.get(visitor.stream);
  }

  /** Is this name kept for whoever takes up an invitation? Gives its id. */
  keeps(domain: DomainJid, username: string): Eventually<string | undefined> {
    return andThen(this.list(domain), (open) => open.find((invitation) => invitation.username === username)?.id);
  }

  /**
   * Takes up an invitation by making an account. `use` makes it and stores `writes` in the same unit; as long as it runs
   * nobody else takes up the invitation, and if it fails the invitation is as good as before.
   * Rejects with StanzaError "not-allowed" where it has been taken up or withdrawn.
   */
  takeUp<T>(invitation: KnownInvitation, account: BareJid, use: (writes: readonly Write[]) => Promise<T>): Promise<T> {
    const { id, domain, inviter } = invitation;
    return this.#inTurn(id, async () => {
      if ((await this.#stored.get(domain, id)) === undefined || this.#isClaimed(id)) {
        throw new StanzaError("not-allowed", { text: "The invitation has been used or withdrawn." });
      }
      const writes = [this.#stored.delete(domain, id)];
      const isThere = inviter !== undefined && (await this.#options.store.accounts.exists(inviter));
      return use(isThere ? [...writes, ...this.#expect(account, inviter)] : writes);
    });
  }

  /** Whom this account is to ask to become a contact; and the writes that forget those of long ago. */
  toAsk(account: BareJid): Eventually<{ readonly contacts: readonly BareJid[]; readonly writes: readonly Write[] }> {
    const since = this.#options.now() - EXPECTED_FOR;
    return andThen(this.#expected.all(account), (all) => {
      const entries = [...all].map(([contact, expected]) => ({ contact: contact as BareJid, ...expected }));
      return {
        contacts: entries.filter((entry) => entry.asks && entry.since > since).map(({ contact }) => contact),
        writes: entries
          .filter((entry) => entry.since <= since)
          .map(({ contact }) => this.#expected.delete(account, contact)),
      };
    });
  }

  /**
   * Somebody asks to become a contact: is that approved, since they were invited or have a token that says so? Gives what
   * uses that up, and whether the account is to ask in turn; `undefined` where nothing is known of it.
   */
  approves(account: Jid, contact: BareJid, token: string | undefined): Eventually<Approval | undefined> {
    return andThen(this.#expected.get(account.bare, contact), (expected) => {
      if (expected !== undefined && expected.since > this.#options.now() - EXPECTED_FOR) {
        return { writes: [this.#expected.delete(account.bare, contact)], asks: !expected.asks };
      }
      return token === undefined ? undefined : this.#approvesToken(account, token);
    });
  }

  async #approvesToken(account: Jid, token: string): Promise<Approval | undefined> {
    const found = await this.find(account.domain, token);
    if (found?.to !== "contact" || found.inviter !== account.bare) return undefined;
    return this.#inTurn(found.id, async () => {
      if (this.#isClaimed(found.id) || (await this.#stored.get(found.domain, found.id)) === undefined) return undefined;
      // What is returned is stored a little later; until then nobody else gets it.
      this.#claim(found.id);
      return { writes: [this.#stored.delete(found.domain, found.id)], asks: true };
    });
  }

  /** Is this a lasting account? */
  isAccount(account: BareJid): Eventually<boolean> {
    return this.#options.store.accounts.exists(account);
  }

  /** Nobody takes up an invitation of an account that is gone, nor expects it. */
  forget(account: Jid): Eventually<readonly Write[]> {
    const { domain, bare } = account;
    return andThen(together(this.#stored.all(domain), this.#expected.all(bare)), ([stored, expected]) => [
      ...[...stored].filter(([, { inviter }]) => inviter === bare).map(([id]) => this.#stored.delete(domain, id)),
      ...[...expected.keys()].map((contact) => this.#expected.delete(contact, bare)),
    ]);
  }

  #expect(account: BareJid, inviter: BareJid): readonly Write[] {
    const since = this.#options.now();
    return [
      this.#expected.put(account, inviter, { asks: true, since }),
      this.#expected.put(inviter, account, { asks: false, since }),
    ];
  }

  async #refuseTaken(domain: DomainJid, username: string, open: readonly KnownInvitation[]): Promise<void> {
    const isKept = open.some((invitation) => invitation.username === username);
    if (isKept) throw new StanzaError("conflict", { text: "The name is kept for somebody who has been invited." });
    if (await this.#options.store.accounts.exists(jid(username, domain).bare)) {
      throw new StanzaError("conflict", { text: "The address is in use." });
    }
  }

  #refuseMany(inviter: BareJid, open: readonly KnownInvitation[]): void {
    const { perUser } = this.#options.rules();
    if (open.filter((invitation) => invitation.inviter === inviter).length < perUser) return;
    throw new StanzaError("resource-constraint", { text: `No more than ${perUser} invitations can be open at once.` });
  }

  async #outdated(domain: DomainJid): Promise<readonly Write[]> {
    const before = this.#options.now() - KEPT_AFTER_EXPIRY;
    const all = await this.#stored.all(domain);
    return [...all].filter(([, { expires }]) => expires < before).map(([id]) => this.#stored.delete(domain, id));
  }

  async #idOf(token: string): Promise<string> {
    const hash = await this.#options.crypto.hash("SHA-256", toUint8Array(toBytes(token)));
    return Array.from(hash, (octet) => octet.toString(16).padStart(2, "0")).join("");
  }

  #isClaimed(id: string): boolean {
    return (this.#claims.get(id) ?? 0) > this.#options.now();
  }

  #claim(id: string): void {
    const now = this.#options.now();
    for (const [other, until] of this.#claims) if (until <= now) this.#claims.delete(other);
    this.#claims.set(id, now + CLAIM);
  }

  async #inTurn<T>(id: string, step: () => Promise<T>): Promise<T> {
    const before = this.#underWay.get(id) ?? Promise.resolve();
    const result = before.then(step, step);
    this.#underWay.set(id, result);
    try {
      return await result;
    } finally {
      if (this.#underWay.get(id) === result) this.#underWay.delete(id);
    }
  }
}

interface Approval {
  readonly writes: readonly Write[];
  /** The account asks the contact in turn. */
  readonly asks: boolean;
}

const tokenOf = (octets: Uint8Array): string =>
  Array.from(octets, (octet) => ALPHABET[octet % ALPHABET.length]).join("");

const linkOf = (
  domain: DomainJid,
  { to, inviter, username, registers }: StoredInvitation,
  token: string,
): InvitationLink =>
  to === "contact" && inviter !== undefined
    ? { to: "contact", contact: parseJid(inviter), token, registers }
    : { to: "account", account: jid(username, domain), token };

const landingUrl = (template: string | undefined, uri: string, token: string): string | undefined =>
  template?.replaceAll("{token}", token).replaceAll("{uri}", encodeURIComponent(uri));
