import {
  type AccessClient,
  type BareJid,
  Clients,
  type FullJid,
  ListClients,
  NS_CLIENT_ACCESS,
  passwordResetRequired,
  RevokeClient,
  StanzaError,
} from "@kith/protocol";
import { type Answer, type Effects, type Module, onGet, onSet } from "../module.ts";

/** A client as it is known here. Times in milliseconds since 1970. */
interface KnownClient {
  readonly id: string;
  readonly connected: boolean;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Has it shown the password that is in force? */
  readonly password: boolean;
  /** Has it a token of XEP-0484? */
  readonly fast: boolean;
  readonly software: string | undefined;
  readonly device: string | undefined;
}

/** What the module asks of those who know the clients of accounts. */
export interface ClientRegister {
  /** A session has been bound; whose it is may be told later. */
  began(account: BareJid, session: FullJid): void;
  ended(account: BareJid, session: FullJid): void;
  list(account: BareJid): Promise<readonly KnownClient[]>;
  /** Takes its tokens. `undefined`: there is no such client. */
  revoke(
    account: BareJid,
    id: string,
  ): Promise<{ readonly sessions: readonly FullJid[]; readonly knowsPassword: boolean } | undefined>;
}

/** XEP-0494: whoever has an account sees which clients have access to it, and takes it from them. */
export const clientAccess = (register: ClientRegister): Module => ({
  name: "client access",
  xeps: [{ xep: "XEP-0494", version: "0.1.0", note: "no grants: there is nothing here that gives any" }],
  accountFeatures: [NS_CLIENT_ACCESS],
  iq: [
    onGet(ListClients, ["own-account"], async (_, { at }) => {
      const clients = await register.list(at.bare);
      return [Clients.build(clients.map(described))];
    }),
    onSet(RevokeClient, ["own-account"], (id, { at }) => revoke(register, at.bare, id)),
  ],
  bound: ({ jid }) => {
    register.began(jid.bare, jid.full as FullJid);
    return [];
  },
  closed: ({ jid }) => {
    register.ended(jid.bare, jid.full as FullJid);
    return [];
  },
});

const described = ({ password, fast, ...client }: KnownClient): AccessClient => ({
  ...client,
  type: "session",
  authentications: [...(password ? (["password"] as const) : []), ...(fast ? (["fast"] as const) : [])],
  // Nobody is let in here who may not do everything.
  permission: "unrestricted",
  uri: undefined,
});

/** §3.2: all that can be taken is taken; where that is not enough, the owner is told. */
const revoke = async (register: ClientRegister, account: BareJid, id: string): Promise<Answer> => {
  const revoked = await register.revoke(account, id);
  if (revoked === undefined) throw new StanzaError("item-not-found", { text: "There is no such client." });
  const after = revoked.sessions.map((only) => ending(account, only));
  return revoked.knowsPassword ? { refusal: needsPassword(), after } : { after };
};

const ending = (account: BareJid, only: FullJid): Effects[number] => ({
  do: "endSessions",
  account,
  condition: "not-authorized",
  text: "The access of this client has been revoked.",
  only,
});

const needsPassword = (): StanzaError =>
  new StanzaError("service-unavailable", {
    text: "This client knows the password. Only a new password keeps it out.",
    extra: [passwordResetRequired],
  });
