import type { KithServer } from "../process/server.ts";

/** Where a client finds the server. */
export interface At {
  readonly port: number;
  readonly tls: "starttls" | "direct";
  /** PEM file with the certificate to trust. The server is reached as `localhost`. */
  readonly certificateFile: string;
}

/** Where to find a server process. */
export const atServer = (server: Pick<KithServer, "port" | "certificateFile">, tls: At["tls"]): At => ({
  tls,
  port: server.port(tls === "direct" ? "c2s-tls" : "c2s"),
  certificateFile: server.certificateFile,
});

export interface Credentials {
  /** Bare JID. */
  readonly jid: string;
  readonly password: string;
}

/** The server said no. `condition`: the one of SASL or of the stanza error, as far as the client lets it be seen. */
export class Refused extends Error {
  readonly condition: string;

  constructor(condition: string) {
    super(`the server answered ${condition}`);
    this.name = "Refused";
    this.condition = condition;
  }
}

export interface Contact {
  readonly jid: string;
  readonly name: string | undefined;
  readonly subscription: "none" | "to" | "from" | "both";
}

export interface Heard {
  /** It waited on the server until its reader came (XEP-0203); `undefined`: the client does not show that. */
  readonly delayed: boolean | undefined;
}

/** A kind of client, driven by the tests as a person would. */
export interface ClientKind {
  readonly name: string;
  /** Why it cannot be used on this machine, and what helps; `undefined` where it can. */
  readonly missing: string | undefined;
  /** Does it know XEP-0445? Others need a host where anybody may register. */
  readonly takesInvitations: boolean;
  readonly registersOver: readonly At["tls"][];
  /** Logs in and becomes available. Rejects with `Refused`. */
  login(credentials: Credentials, at: At): Promise<ChatClient>;
  /** Makes an account in-band, with an invitation's token if one is needed, and logs in. Rejects with `Refused`. */
  register(credentials: Credentials, at: At, token?: string): Promise<ChatClient>;
}

/**
 * What a person does with a client. Addresses are bare JIDs. Every method settles when the client has seen that it is
 * so, and rejects when that takes too long.
 */
export interface ChatClient {
  readonly jid: string;
  addContact(jid: string, name: string): Promise<void>;
  /** Settles when the contact is shown like this. */
  whenContact(contact: Contact): Promise<void>;
  askForPresence(of: string): Promise<void>;
  whenAsked(by: string): Promise<void>;
  allowPresence(to: string): Promise<void>;
  whenAvailable(jid: string): Promise<void>;
  whenUnavailable(jid: string): Promise<void>;
  say(to: string, text: string): Promise<void>;
  whenTold(by: string, text: string): Promise<Heard>;
  /** Has it ever shown this? */
  wasTold(by: string, text: string): Promise<boolean>;
  /** Settles when a message to this address has come back as an error. */
  whenRefused(to: string): Promise<void>;
  block(jid: string): Promise<void>;
  unblock(jid: string): Promise<void>;
  /** Closes its stream as it should. */
  leave(): Promise<void>;
  /** Ends it, however. */
  kill(): Promise<void>;
}

export const localpartOf = (jid: string): string => jid.slice(0, jid.indexOf("@"));
export const bareOf = (jid: string): string => jid.replace(/\/.*/s, "");
