import { randomUUID } from "node:crypto";
import { type Eventually, type Jid, jid, SaslError, type ServerBackend, tryJid } from "@kith/protocol";
import { addressKey } from "./address.ts";
import type { Client, Visit } from "./negotiate-step.ts";
import { elapsed } from "./timer.ts";

/** The accounts that the peer's certificate names at this host (RFC 6120 §13.7.2.2.1). */
export const certifiedLocalparts = (client: Client): readonly string[] =>
  (client.transport.security?.peerCertificate?.xmppAddresses ?? []).flatMap((address) => {
    const found = tryJid(address);
    return found?.domain === client.domain && found.local !== undefined && found.isBare ? [found.local] : [];
  });

/** An attempt on this account begins: fails where its outcome would not be told. */
const guard = (client: Client, visit: Visit, account: Jid): void => {
  visit.claimed = account;
  checkGuesses(client, visit);
};

/** Before a password is tested. Throws where there have been too many wrong ones. */
export const checkGuesses = ({ services, transport }: Client, { claimed }: Visit): void => {
  if (claimed === undefined) return;
  if (!services.guesses.admits(addressKey(transport.address), claimed.bare, services.timers.now)) throw tooMany();
};

/** Settles when the outcome of the attempt may be told: at once, or later. Throws or rejects where it may not be told at all. */
export const judged = ({ services, transport }: Client, claimed: Jid, isRight: boolean): Eventually<void> => {
  const { guesses, timers } = services;
  const verdict = guesses.judge(addressKey(transport.address), claimed.bare, isRight, timers.now);
  if (verdict === "refuse") throw tooMany();
  if (verdict > 0) return elapsed(timers, verdict);
};

const tooMany = (): SaslError => new SaslError("temporary-auth-failure", "too many failed attempts; try again later");

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
  const { accounts, passwordTests } = client.services;
  const accountNamed = (localpart: string): Jid => jid(localpart, client.domain);
  return {
    scramKeys: (localpart, hash) => {
      const account = accountNamed(localpart);
      guard(client, visit, account);
      return accounts.scramKeys(account.bare, hash);
    },
    verifyPassword: (localpart, password) => {
      const account = accountNamed(localpart);
      guard(client, visit, account);
      return passwordTests.run(addressKey(client.transport.address), () => {
        // Whoever has left meanwhile needs no answer.
        if (client.isOver) throw new SaslError("aborted");
        return Promise.resolve(accounts.verifyPassword(account.bare, password));
      });
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
