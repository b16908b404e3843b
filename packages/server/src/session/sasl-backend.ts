import { randomUUID } from "node:crypto";
import { type Jid, jid, SaslError, type ServerBackend, tryJid } from "@kith/protocol";
import { addressKey } from "./address.ts";
import type { Client, Visit } from "./negotiate-step.ts";
import { elapsed } from "./timer.ts";

/** The accounts that the peer's certificate names at this host (RFC 6120 §13.7.2.2.1). */
export const certifiedLocalparts = (client: Client): readonly string[] =>
  (client.transport.security?.peerCertificate?.xmppAddresses ?? []).flatMap((address) => {
    const found = tryJid(address);
    return found?.domain === client.domain && found.local !== undefined && found.isBare ? [found.local] : [];
  });

/** Lets an attempt on this account wait or fail if there have been too many. */
const guard = async (client: Client, visit: Visit, account: Jid): Promise<void> => {
  const { guesses, timers } = client.services;
  visit.claimed = account;
  const verdict = guesses.attempt(addressKey(client.transport.address), account.bare, timers.now);
  if (verdict === "refuse") throw new SaslError("temporary-auth-failure", "too many failed attempts; try again later");
  if (verdict > 0) await elapsed(timers, verdict);
  if (client.isOver) throw new SaslError("aborted");
};

/** Only as oneself (RFC 6120 §6.3.8: a bare JID). */
const isOwn = (account: Jid, authzid: string): boolean => tryJid(authzid)?.full === account.full;

/** RFC 6120 §13.7.2.2.1, XEP-0178 §2: one of the accounts in the certificate, by the client's choice where there are several. */
const chosen = (client: Client, authzid: string | undefined): string | undefined => {
  const localparts = certifiedLocalparts(client);
  const wanted = authzid ?? (localparts.length > 1 ? client.header?.from : undefined);
  if (wanted === undefined) {
    if (localparts.length > 1) throw new SaslError("invalid-authzid", "the certificate names several accounts");
    return localparts[0];
  }
  const found = tryJid(wanted);
  const isNamed = found?.domain === client.domain && (authzid === undefined || found.isBare);
  return isNamed && found.local !== undefined && localparts.includes(found.local) ? found.local : undefined;
};

/** What one authentication attempt on a client's stream may ask. */
export const saslBackend = (client: Client, visit: Visit): ServerBackend => {
  const { accounts } = client.services;
  const accountNamed = (localpart: string): Jid => jid(localpart, client.domain);
  return {
    scramKeys: async (localpart, hash) => {
      const account = accountNamed(localpart);
      await guard(client, visit, account);
      return accounts.scramKeys(account.bare, hash);
    },
    verifyPassword: async (localpart, password) => {
      const account = accountNamed(localpart);
      await guard(client, visit, account);
      return accounts.verifyPassword(account.bare, password);
    },
    authorize: (localpart, authzid) => isOwn(accountNamed(localpart), authzid),
    external: async (authzid) => {
      const localpart = chosen(client, authzid);
      if (localpart === undefined) return undefined;
      return (await accounts.exists(accountNamed(localpart).bare)) ? localpart : undefined;
    },
    anonymous: async () => {
      // A random one is nobody's; looked up all the same, since an account of that name may have been made.
      for (;;) {
        const localpart = randomUUID();
        if (!(await accounts.exists(accountNamed(localpart).bare))) return localpart;
      }
    },
  };
};
