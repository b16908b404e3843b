/** A configuration as it is written in `kith.config.ts`. Every option may be left out; why a default is what it is stands in config-schema.ts. */
import type { ContactRole } from "@kith/protocol";
import type { Duration, Size } from "./config-values.ts";
import type { LogFormat, LogLevel } from "./log.ts";
import type { OwnModules } from "./own-modules.ts";

export interface KithConfig {
  /** The domains served, each with its own options; the first speaks where no other can. Default: `{ localhost: {} }`. */
  readonly hosts?: Readonly<Record<string, HostOptions>> | undefined;
  /** Accounts that may administer all hosts. Default: nobody. */
  readonly administrators?: readonly string[] | undefined;
  /** PEM file: the certificate, with its chain, of hosts that have none of their own. Default: one of the server's own making. */
  readonly certificate?: string | undefined;
  /** PEM file: the private key of `certificate`. */
  readonly key?: string | undefined;
  /** PEM file: authorities whose client certificates are taken for SASL EXTERNAL (XEP-0178). Default: nobody is asked for one. */
  readonly clientAuthorities?: string | undefined;
  /** Where to listen. Default: clients at 5222 and 5223, and components at 5347 if there are any. */
  readonly listeners?: readonly ListenerOptions[] | undefined;
  /** Lets clients on this machine log in without TLS. Default: `false`. */
  readonly plaintextFromLoopback?: boolean | undefined;
  /** Making, changing and leaving accounts in-band (XEP-0077). */
  readonly registration?: RegistrationOptions | undefined;
  /** Links with which accounts and contacts are made (XEP-0401). */
  readonly invitations?: InvitationOptions | undefined;
  readonly passwords?: PasswordOptions | undefined;
  readonly accounts?: AccountOptions | undefined;
  /** The clients of accounts: what lets them in again, and what is remembered of them. */
  readonly clients?: ClientOptions | undefined;
  /** External components (XEP-0114), by domain. Default: none. */
  readonly components?: Readonly<Record<string, ComponentOptions>> | undefined;
  /** Whom to turn to, by role (XEP-0157): one URI or several. Default: nobody. */
  readonly contacts?: ContactOptions | undefined;
  /** What anybody may make the server hold or do. */
  readonly limits?: LimitOptions | undefined;
  readonly timeouts?: TimeoutOptions | undefined;
  /** What is kept of conversations (XEP-0313). */
  readonly archive?: ArchiveOptions | undefined;
  /** How people are woken up whose clients are not there. */
  readonly push?: PushOptions | undefined;
  readonly storage?: StorageOptions | undefined;
  readonly scram?: ScramOptions | undefined;
  /** A client asks for a resource that is in use: `"replace"` the old session, `"refuse"` or `"rename"` the new one. Default: `"replace"`. */
  readonly resourceConflict?: "replace" | "refuse" | "rename" | undefined;
  readonly log?: LogOptions | undefined;
  /** Modules of one's own, or a function that makes them of what the server has for them. They come after the server's. Default: none. */
  readonly modules?: OwnModules | undefined;
}

/** `"closed"`: on the command line only; `"invitation"`: whoever has one; `"open"`: anybody. */
export type RegistrationMode = "closed" | "invitation" | "open";
export type ContactOptions = Readonly<Partial<Record<ContactRole, string | readonly string[] | undefined>>>;

export interface HostOptions {
  /** PEM file: this host's certificate, with its chain. Default: the server's. */
  readonly certificate?: string | undefined;
  /** PEM file: the private key of `certificate`. */
  readonly key?: string | undefined;
  /** Who may register here. Default: what `registration.mode` says. */
  readonly registration?: RegistrationMode | undefined;
  /** Temporary accounts for anybody (SASL ANONYMOUS, XEP-0175). Default: `false`. */
  readonly anonymous?: boolean | undefined;
  /** Offers PLAIN over TLS beside SCRAM. Default: `true`. */
  readonly plain?: boolean | undefined;
  /** Administrators of this host, beside those of all hosts. Default: nobody. */
  readonly administrators?: readonly string[] | undefined;
  /** Whom to turn to about this host. Default: the server's `contacts`. */
  readonly contacts?: ContactOptions | undefined;
}

export interface ListenerOptions {
  /** `"c2s"`: clients, with STARTTLS; `"c2s-tls"`: clients, TLS from the first byte (XEP-0368); `"component"`: XEP-0114. */
  readonly kind: "c2s" | "c2s-tls" | "component";
  /** `0`: any that is free. Default: 5222, 5223 or 5347, by kind. */
  readonly port?: number | undefined;
  /** IP addresses. Default: all of this machine; for components `"127.0.0.1"`. */
  readonly address?: string | readonly string[] | undefined;
}

export interface RegistrationOptions {
  /** Who may register. Default: `"invitation"`. */
  readonly mode?: RegistrationMode | undefined;
  /** How many accounts may be made from one address in a time, invitations aside; `false`: any number. Default: 3 in `"1 h"`. */
  readonly perAddress?:
    | { readonly accounts?: number | undefined; readonly within?: Duration | undefined }
    | false
    | undefined;
  /** Attempts on one stream. Default: 10. */
  readonly attempts?: number | undefined;
  /** User names that only an administrator may give. Default: `"admin"`, `"root"` and their like. */
  readonly reservedNames?: readonly string[] | undefined;
  /** Where to register instead, for clients that ask where they cannot register in-band. */
  readonly redirect?: { readonly url: string; readonly instructions?: string | undefined } | undefined;
  /** May users change their password in-band? Default: `true`. */
  readonly passwordChange?: boolean | undefined;
  /** May users cancel their account in-band? Default: `true`. */
  readonly cancellation?: boolean | undefined;
}

export interface InvitationOptions {
  /** How long an invitation is good for. Default: `"7 d"`. */
  readonly expireAfter?: Duration | undefined;
  /** Whose invitations make accounts; those of other users make contacts only. Default: `"administrators"`. */
  readonly accountsBy?: "administrators" | "users" | undefined;
  /** Open invitations of one user. Default: 20. */
  readonly perUser?: number | undefined;
  /** A page that explains an invitation; `{uri}` stands for its URI, `{token}` for its token. */
  readonly landingPage?: string | undefined;
}

export interface PasswordOptions {
  /** In characters. Default: 5. */
  readonly minimumLength?: number | undefined;
  /** In characters. Default: 256. */
  readonly maximumLength?: number | undefined;
  /** Passwords nobody may have, in whatever case. Default: none. */
  readonly forbidden?: readonly string[] | undefined;
}

export interface AccountOptions {
  /** How long the address of a removed account cannot be had again. Default: `"30 d"`. */
  readonly addressRest?: Duration | undefined;
  /** Sessions of one account at once. Default: 50. */
  readonly sessions?: number | undefined;
}

export interface ClientOptions {
  /** How long a token lets a client in without the password (XEP-0484). Default: `"21 d"`. */
  readonly tokenLifetime?: Duration | undefined;
  /** A token older than this is replaced when it is used. Default: `"1 d"`. */
  readonly tokenRotation?: Duration | undefined;
  /** How long a client without a token is remembered after it was last seen (XEP-0494). Default: `"60 d"`. */
  readonly rememberFor?: Duration | undefined;
  /** Clients of one account that are remembered. Default: 50. */
  readonly perAccount?: number | undefined;
  /** Keeps what a client says of itself and its device, for the account's owner to see. Default: `true`. */
  readonly descriptions?: boolean | undefined;
}

export interface ComponentOptions {
  /** What the component shares with the server: 8 characters or more. */
  readonly secret: string;
}

/** What one stream may make the server hold while a stanza is read. */
export interface StanzaLimitOptions {
  /** Bytes of a stanza. Default: `"10 KiB"` before authentication, `"256 KiB"` after it. */
  readonly stanzaBytes?: Size | undefined;
  /** Elements inside one another. Default: 16, 64. */
  readonly depth?: number | undefined;
  /** Attributes of one tag. Default: 32, 64. */
  readonly attributes?: number | undefined;
  /** Child elements of a stanza. Default: 64, 1024. */
  readonly children?: number | undefined;
  /** Namespace prefixes declared in a stanza. Default: 32, 128. */
  readonly prefixes?: number | undefined;
}

export interface RateOptions {
  /** Default: `"128 KiB"`. */
  readonly bytesPerSecond?: Size | undefined;
  /** At once, after a time of rest. Default: `"1 MiB"`. */
  readonly burstBytes?: Size | undefined;
  /** Default: 200. */
  readonly stanzasPerSecond?: number | undefined;
  /** At once, after a time of rest. Default: 1000. */
  readonly burstStanzas?: number | undefined;
}

export interface LimitOptions {
  /** Before a client has authenticated. */
  readonly visitor?: StanzaLimitOptions | undefined;
  /** From then on. */
  readonly authenticated?: StanzaLimitOptions | undefined;
  /** Connections that have not authenticated, from one address (IPv6: one /64), or `false`. */
  readonly unauthenticatedPerAddress?: number | false | undefined;
  /** The same in all, or `false`. */
  readonly unauthenticated?: number | false | undefined;
  /** New connections a minute from one address, or `false`. Default: `false`. */
  readonly connectsPerMinute?: number | false | undefined;
  /** How fast a client may send; whoever is faster is read from more slowly. Or `false`. */
  readonly rate?: RateOptions | false | undefined;
  /** Different addressees that one session may send something within a minute, or `false`. Default: 2000. */
  readonly recipientsPerMinute?: number | false | undefined;
  /** Slows down whoever guesses passwords, then refuses for a while. Default: `true`. */
  readonly guessing?: boolean | undefined;
  /** What may wait for a client that does not read; then its stream ends. Default: `"4 MiB"`. */
  readonly outboxBytes?: Size | undefined;
  /** The same for all of them together; beyond it, those for whom most is waiting lose their streams. Default: `"16 MiB"`. */
  readonly allOutboxBytes?: Size | undefined;
  /** More than this waiting for a client stops reading from it. Default: `"256 KiB"`. */
  readonly readAheadBytes?: Size | undefined;
  /** Requests before authenticating. Default: 32. */
  readonly visitorRequests?: number | undefined;
  /** Messages that wait for somebody who is away. Default: 1000. */
  readonly offlineMessages?: number | undefined;
  /** The same in bytes, all of them together. Default: `"2 MiB"`. */
  readonly offlineBytes?: Size | undefined;
  /** Contacts of an account. Default: 2000. */
  readonly rosterItems?: number | undefined;
  /** Groups of a contact. Default: 50. */
  readonly rosterGroups?: number | undefined;
  /** Addresses, handles and groups of an account's contacts, in characters, all together. Default: 1000000. */
  readonly rosterCharacters?: number | undefined;
  /** Subscription requests that wait for an answer. Default: 500. */
  readonly subscriptionRequests?: number | undefined;
  /** The same in bytes, all of them together. Default: `"512 KiB"`. */
  readonly subscriptionRequestBytes?: Size | undefined;
  /** Addresses to which a session has sent presence directly, in characters, all together. Default: 32768. */
  readonly directedPresenceCharacters?: number | undefined;
  /** Addresses an account may block. Default: 1000. */
  readonly blockedAddresses?: number | undefined;
  /** Stanzas that a client may leave unacknowledged (XEP-0198). Default: 5000. */
  readonly unacknowledged?: number | undefined;
  /** How much they may hold, in all. Default: `"4 MiB"`. */
  readonly unacknowledgedBytes?: Size | undefined;
  /** A card (XEP-0054). Default: `"192 KiB"`. */
  readonly vcardBytes?: Size | undefined;
  /** Private XML (XEP-0049) of an account, in all. Default: `"1 MiB"`. */
  readonly privateBytes?: Size | undefined;
  /** Names of private XML of an account. Default: 256. */
  readonly privateNames?: number | undefined;
  /** What a component that is away has to know once it is back. Default: `"2 MiB"`. */
  readonly componentBytes?: Size | undefined;
}

export interface TimeoutOptions {
  /** A TLS handshake. Default: `"15 s"`. */
  readonly tlsHandshake?: Duration | undefined;
  /** From connecting to a bound resource. Default: `"60 s"`. */
  readonly negotiation?: Duration | undefined;
  /** How long the other side has to close its stream too. Default: `"5 s"`. */
  readonly close?: Duration | undefined;
  /** How long a peer may take nothing of what waits for it. Default: `"60 s"`. */
  readonly writeStall?: Duration | undefined;
  /** Silence after which a space is sent, or `false`. Default: `false`. */
  readonly keepAlive?: Duration | false | undefined;
  /** How long a client that has lost its connection may come back to its stream (XEP-0198), or `false`. Default: `"5 min"`. */
  readonly resume?: Duration | false | undefined;
  /** How long a client that acknowledges may leave a request for it unanswered; then its connection counts as gone. Default: `"30 s"`. */
  readonly answer?: Duration | undefined;
  /** Silence after which such a client is asked. Default: `"5 min"`. */
  readonly idle?: Duration | undefined;
  /** How long streams may take to end when the server stops. Default: `"10 s"`. */
  readonly shutdown?: Duration | undefined;
}

export interface ArchiveOptions {
  /** Keeps conversations. Default: `true`. */
  readonly enabled?: boolean | undefined;
  /** With whom, for accounts that have not said it themselves. Default: `"always"`, with everybody. */
  readonly default?: "always" | "never" | "roster" | undefined;
  /** Keeps messages in rooms for everybody who is there. Default: `false`. */
  readonly groupchat?: boolean | undefined;
  /** Keeps receipts and markers. Default: `true`. */
  readonly receipts?: boolean | undefined;
  /** Lets clients search for words. Default: `false`. */
  readonly fullText?: boolean | undefined;
  /** Messages sent for one query, where the client does not say how many. Default: 50. */
  readonly pageSize?: number | undefined;
  /** And at most. Default: 250. */
  readonly maxPage?: number | undefined;
  /** How long a message is recognised that a client sends again. Default: `"24 h"`. */
  readonly recogniseFor?: Duration | undefined;
  /** What goes again. */
  readonly retention?: RetentionOptions | undefined;
}

export interface RetentionOptions {
  /** How long messages are kept; `false`: for good. Default: `false`. */
  readonly keepFor?: Duration | false | undefined;
  /** How many messages each account keeps; `false`: all. Default: `false`. */
  readonly keepNewest?: number | false | undefined;
  /** How often what is to go is looked for. Default: `"1 h"`. */
  readonly every?: Duration | undefined;
}

export interface PushOptions {
  /** Push services over XMPP (XEP-0357). Default: `true`. */
  readonly services?: boolean | undefined;
  /** What they are told: how many messages wait, and who wrote the last, and what. Default: `"count"`. */
  readonly tell?: "count" | "sender" | "text" | undefined;
  /** Push services of browsers. Default: `true`. */
  readonly browsers?: boolean | undefined;
  /** What browsers are told, encrypted. Default: `"count"`. */
  readonly tellBrowsers?: "count" | "sender" | "text" | undefined;
}

export interface StorageOptions {
  /** Where everything is kept, relative to the configuration file. Default: `"./data"`. */
  readonly directory?: string | undefined;
  /** `"FULL"` survives a power failure, `"NORMAL"` only the end of the process. Default: `"FULL"`. */
  readonly synchronous?: "FULL" | "NORMAL" | undefined;
}

export interface ScramOptions {
  /** Iterations of PBKDF2, for passwords set from now on. Default: 10000. */
  readonly iterations?: number | undefined;
}

export interface LogOptions {
  /** Default: `"info"`. */
  readonly level?: LogLevel | undefined;
  /** `"json"`, `"pretty"`, or `"auto"`: for people on a terminal. Default: `"auto"`. */
  readonly format?: LogFormat | undefined;
}
