/** What the command line can have done, by a running server or on its store. One code for both. */
import { type BareJid, type DomainJid, type Jid, prepareDomainpart, StanzaError, tryJid } from "@kith/protocol";
import { z } from "zod";
import type { AccountService } from "../accounts.ts";
import type { Config } from "../config.ts";
import type { Invitations } from "../invitations.ts";
import type { Effects } from "../module.ts";
import type { Store } from "../store/store.ts";

const text = z.string().max(4_096);

/** What each operation is told. Checked where it comes from a socket. */
export const REQUESTS = {
  "user add": z.strictObject({ jid: text, password: text, reuseAddress: z.boolean() }),
  "user passwd": z.strictObject({ jid: text, password: text }),
  "user remove": z.strictObject({ jid: text }),
  "user list": z.strictObject({ host: text.optional() }),
  "user exists": z.strictObject({ jid: text }),
  "invite create": z.strictObject({
    host: text.optional(),
    /** The address that is kept for whoever takes up the invitation. */
    account: text.optional(),
    /** Who becomes a contact of theirs. */
    contact: text.optional(),
    /** In milliseconds. */
    expireMs: z.int().positive().optional(),
  }),
  "invite list": z.strictObject({ host: text.optional() }),
  "invite revoke": z.strictObject({ id: text, host: text.optional() }),
  status: z.strictObject({}),
  reload: z.strictObject({}),
} as const;

/** What each operation answers. */
export interface Results {
  readonly "user add": { readonly jid: string };
  readonly "user passwd": { readonly jid: string };
  readonly "user remove": { readonly jid: string };
  readonly "user list": { readonly users: readonly string[] };
  readonly "user exists": { readonly jid: string; readonly exists: boolean };
  readonly "invite create": {
    readonly uri: string;
    readonly landingUrl?: string | undefined;
    readonly expires: number;
    readonly id: string;
  };
  readonly "invite list": { readonly invitations: readonly ListedInvitation[] };
  readonly "invite revoke": { readonly id: string };
  readonly status: ServerStatus;
  readonly reload: {
    readonly changed: readonly string[];
    readonly atNextStart: readonly string[];
    /** The hosts whose certificates were replaced, and what could not be used. */
    readonly certificates: { readonly replaced: readonly string[]; readonly problems: readonly string[] };
  };
}
export interface ListedInvitation {
  readonly id: string;
  readonly host: string;
  readonly to: "account" | "contact";
  readonly account?: string | undefined;
  readonly contact?: string | undefined;
  readonly expires: number;
}
export interface ServerStatus {
  readonly pid: number;
  readonly version: string;
  /** When it started, in milliseconds since 1970. */
  readonly since: number;
  readonly hosts: readonly string[];
  readonly listeners: readonly { readonly kind: string; readonly address: string; readonly port: number }[];
  readonly streams: number;
  /** Deadlines of streams that are being waited for. */
  readonly timers: number;
  /** What keeps the process's loop busy, by the runtime's own names; empty where it does not tell. */
  readonly resources: Readonly<Record<string, number>>;
}

export type OperationName = keyof typeof REQUESTS;
export type RequestOf<Name extends OperationName> = z.input<(typeof REQUESTS)[Name]>;

/** Runs operations, here or elsewhere. Rejects with OperationError. */
export interface Operator {
  run<Name extends OperationName>(name: Name, request: RequestOf<Name>): Promise<Results[Name]>;
  close(): Promise<void>;
}

/** Something could not be done; the message is for people. */
export class OperationError extends Error {
  override readonly name = "OperationError";
}

/** What operations are carried out on. */
export interface Operated {
  readonly config: Pick<Config, "hosts">;
  readonly store: Pick<Store, "accounts">;
  readonly app: {
    readonly accounts: AccountService;
    readonly invitations: Invitations;
    perform(effects: () => Effects): Promise<void>;
    removeAccount(account: BareJid): Promise<void>;
  };
  /** Of a server that runs; on a store that nobody serves there is neither status nor anything to reload. */
  readonly server?: {
    status(): ServerStatus;
    reload(): Promise<Results["reload"]>;
  };
}

type Operation<Name extends OperationName> = (request: RequestOf<Name>, on: Operated) => Promise<Results[Name]>;

const OPERATIONS: { readonly [Name in OperationName]: Operation<Name> } = {
  "user add": async ({ jid, password, reuseAddress }, { config, app }) => {
    const account = accountOf(jid, config);
    if ((await app.invitations.keeps(account.domain, account.local ?? "")) !== undefined) {
      throw new OperationError(
        `${account.bare} is kept for somebody who has been invited; "kith invite list" shows it`,
      );
    }
    try {
      await app.accounts.create(account.bare, password, { reuseAddress });
    } catch (error) {
      if (!(error instanceof StanzaError) || error.condition !== "conflict") throw error;
      if (await app.accounts.exists(account.bare)) throw inUse(account);
      throw new OperationError(`${account.bare} was somebody's until lately; "--reuse" gives it away all the same`);
    }
    return { jid: account.bare };
  },
  "user passwd": async ({ jid, password }, { config, app }) => {
    const account = accountOf(jid, config).bare;
    await app.accounts.changePassword(account, password);
    // Whoever had the old password has to prove to have the new one.
    await app.perform(() => [
      { do: "endSessions", account, condition: "reset", text: "The password has been changed." },
    ]);
    return { jid: account };
  },
  "user remove": async ({ jid }, { config, app }) => {
    const account = accountOf(jid, config).bare;
    if (!(await app.accounts.exists(account))) throw new OperationError(`there is no account ${account}`);
    await app.removeAccount(account);
    return { jid: account };
  },
  "user list": async ({ host }, { config, store }) => {
    const domain = host === undefined ? undefined : hostOf(host, config);
    return { users: await store.accounts.list(domain) };
  },
  "user exists": async ({ jid }, { config, app }) => {
    const account = accountOf(jid, config).bare;
    return { jid: account, exists: await app.accounts.exists(account) };
  },
  "invite create": async ({ host, account, contact, expireMs }, { config, app }) => {
    const wanted = account === undefined ? undefined : accountOf(account, config);
    const inviter = contact === undefined ? undefined : accountOf(contact, config);
    const domain = oneHost(
      [host === undefined ? undefined : hostOf(host, config), wanted?.domain, inviter?.domain],
      config,
    );
    if (config.hosts.get(domain)?.registration === "closed") {
      throw new OperationError(
        `nobody can register at ${domain}: "registration" is "closed" there; allowed: "invitation" or "open"`,
      );
    }
    if (wanted !== undefined && (await app.accounts.exists(wanted.bare))) throw inUse(wanted);
    if (inviter !== undefined && !(await app.accounts.exists(inviter.bare)))
      throw new OperationError(`there is no account ${inviter.bare}`);
    const made = await app.invitations.create(
      wanted === undefined && inviter !== undefined
        ? { domain, to: "contact", inviter: inviter.bare, registers: true, expireMs }
        : { domain, to: "account", username: wanted?.local, inviter: inviter?.bare, expireMs },
    );
    return { uri: made.uri, landingUrl: made.landingUrl, expires: made.expires, id: made.id };
  },
  "invite list": async ({ host }, { config, app }) => {
    const domains = host === undefined ? [...config.hosts.keys()] : [hostOf(host, config)];
    const lists = await Promise.all(domains.map((domain) => app.invitations.list(domain)));
    const invitations = lists.flat().map(({ id, domain, to, username, inviter, expires }): ListedInvitation => {
      const account = username === undefined ? undefined : `${username}@${domain}`;
      return { id, host: domain, to, account, contact: inviter, expires };
    });
    return { invitations };
  },
  "invite revoke": async ({ id, host }, { config, app }) => {
    for (const domain of host === undefined ? config.hosts.keys() : [hostOf(host, config)]) {
      const revoked = await app.invitations.revoke(domain, id);
      if (revoked !== undefined) return { id: revoked.id };
    }
    throw new OperationError(`there is no invitation whose id begins with "${id}", or more than one`);
  },
  status: async (_, { server }) => {
    if (server === undefined) throw new OperationError("the server is not running");
    return server.status();
  },
  reload: async (_, { server }) => {
    if (server === undefined) throw new OperationError("the server is not running");
    return server.reload();
  },
};

/** Carries out an operation. Rejects with OperationError where it is refused, with whatever it is where something is broken. */
export const operate = async <Name extends OperationName>(
  name: Name,
  request: RequestOf<Name>,
  on: Operated,
): Promise<Results[Name]> => {
  try {
    return await OPERATIONS[name](request, on);
  } catch (error) {
    // The sentence of a StanzaError is made for people, but to be sent to them over XMPP.
    if (error instanceof StanzaError) throw new OperationError(error.options.text ?? error.condition);
    throw error;
  }
};

const inUse = (account: Jid): OperationError => new OperationError(`${account.bare} is in use`);

/** The address of an account at one of the hosts. Throws OperationError for anything else. */
export const accountOf = (address: string, config: Operated["config"]): Jid => {
  const jid = tryJid(address.trim());
  if (jid?.local === undefined || !jid.isBare) {
    throw new OperationError(
      `"${address}" is not the address of an account; it would look like romeo@${firstHost(config)}`,
    );
  }
  hostOf(jid.domain, config);
  return jid;
};

const hostOf = (name: string, { hosts }: Operated["config"]): DomainJid => {
  const domain = prepareDomainpart(name.trim());
  if (domain !== undefined && hosts.has(domain)) return domain;
  throw new OperationError(`there is no host "${name}" here; there is ${[...hosts.keys()].join(", ")}`);
};

const firstHost = ({ hosts }: Operated["config"]): string => hosts.keys().next().value ?? "example.org";

const oneHost = (domains: readonly (DomainJid | undefined)[], { hosts }: Operated["config"]): DomainJid => {
  const named = new Set(domains.filter((domain) => domain !== undefined));
  if (named.size > 1) throw new OperationError("the invitation, the account and the contact have to be at one host");
  const [domain] = named.size > 0 ? named : hosts.keys();
  if (domain === undefined) throw new OperationError("there is no host");
  if (named.size === 0 && hosts.size > 1) {
    throw new OperationError(`say which host with --host; there is ${[...hosts.keys()].join(", ")}`);
  }
  return domain;
};
