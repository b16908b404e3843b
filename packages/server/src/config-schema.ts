/**
 * Every option there is, with its default and the reason for it. What comes out has every value filled in: times in
 * milliseconds, sizes in bytes, `undefined` for what is switched off.
 */
import { CONTACT_ROLES, type DomainJid } from "@kith/protocol";
import { z } from "zod";
import type { KithConfig } from "./config-options.ts";
import {
  accountAddress,
  contactUri,
  domainName,
  duration,
  ipAddress,
  localpart,
  oneOf,
  oneOrMore,
  orOff,
  size,
  text,
  value,
  webAddress,
  wholeNumber,
  yesOrNo,
} from "./config-values.ts";
import { LOG_FORMATS, LOG_LEVELS } from "./log.ts";
import { areModules, type OwnModules } from "./own-modules.ts";

const ownModuleList = value<OwnModules>(
  (given) => (typeof given === "function" || areModules(given) ? (given as OwnModules) : undefined),
  "a list of modules, or a function that returns one",
);
const file = text("the name of a file");
const MINUTE = 60_000;

/** An object all of whose fields have defaults: it may be left out, and stands there whole all the same. */
const section = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape).prefault({} as never);

/** By domain, prepared. */
const byDomain = <T extends z.ZodType>(schema: T) =>
  z
    .record(domainName as unknown as z.ZodString, schema)
    .transform(
      (record): ReadonlyMap<DomainJid, z.output<T>> => new Map(Object.entries(record) as [DomainJid, z.output<T>][]),
    );

const contactRoles = Object.fromEntries(
  CONTACT_ROLES.map((role) => [role, oneOrMore(contactUri).optional()]),
) as Record<(typeof CONTACT_ROLES)[number], z.ZodOptional<ReturnType<typeof oneOrMore<string, string>>>>;

/**
 * - "closed": accounts are made on the command line only
 * - "invitation": whoever has an invitation may register (XEP-0445)
 * - "open": anybody may
 */
const registrationMode = oneOf(["closed", "invitation", "open"]);

const host = z.strictObject({
  /** PEM file: this host's certificate and what it is signed by. Without one the server's (see `certificate`). */
  certificate: file.optional(),
  /** PEM file: the certificate's private key. */
  key: file.optional(),
  /** Who may register here; without it what `registration.mode` says. */
  registration: registrationMode.optional(),
  /** Temporary accounts for anybody (SASL ANONYMOUS, XEP-0175). Off: whoever runs a server should know who uses it. */
  anonymous: yesOrNo.prefault(false),
  /** Offers PLAIN over TLS beside SCRAM. On: some clients have nothing else, and over TLS only the server sees the password. */
  plain: yesOrNo.prefault(true),
  /** Administrators of this host, beside those of all hosts. */
  administrators: z.array(accountAddress).prefault([]),
  /** Whom to turn to, by role (XEP-0157); in place of the server's `contacts`. */
  contacts: z.strictObject(contactRoles).optional(),
});

const listener = z.strictObject({
  /** "c2s": clients, with STARTTLS. "c2s-tls": clients, TLS from the first byte (XEP-0368). "component": XEP-0114. */
  kind: oneOf(["c2s", "c2s-tls", "component"]),
  /** 5222, 5223 or 5347, by kind, as registered with IANA. 0: any that is free. */
  port: wholeNumber(0, 65_535).optional(),
  /** IP addresses. For clients all of this machine; for components this machine only, since their streams are not encrypted. */
  address: oneOrMore(ipAddress).optional(),
});

const registration = section({
  /** "invitation": nobody can fill the server with accounts, and a link is all that a friend needs. */
  mode: registrationMode.prefault("invitation"),
  /** Accounts made from one address (IPv6: one /64) in a time; `false` for any number. Three an hour: a family behind one router. */
  perAddress: orOff(
    z.strictObject({ accounts: wholeNumber(1).prefault(3), within: duration(1_000).prefault("1 h") }),
  ).prefault({}),
  /** Attempts on one stream, lest names be tried one after the other. */
  attempts: wholeNumber(1, 32).prefault(10),
  /** Names that only an administrator may give: they look like somebody who speaks for the server (RFC 2142). */
  reservedNames: z
    .array(localpart)
    .prefault([
      "abuse",
      "admin",
      "administrator",
      "hostmaster",
      "info",
      "noreply",
      "postmaster",
      "root",
      "security",
      "support",
      "webmaster",
    ]),
  /** Where to register instead, told to clients that ask where in-band registration is not open to them (XEP-0077 §5). */
  redirect: z.strictObject({ url: webAddress, instructions: text("a sentence or two").optional() }).optional(),
  /** May users change their password in-band? On: somebody whose password is known must be able to. */
  passwordChange: yesOrNo.prefault(true),
  /** May users cancel their account in-band? On: it is theirs. */
  cancellation: yesOrNo.prefault(true),
});

const invitations = section({
  /** How long one is good for. A week: XEP-0379 suggests it, since it travels by other means. */
  expireAfter: duration(MINUTE).prefault("7 d"),
  /** Whose invitations make accounts. Other users' invite to their contact list only: an operator answers for all accounts. */
  accountsBy: oneOf(["administrators", "users"]).prefault("administrators"),
  /** Invitations of one user that may be open at once. */
  perUser: wholeNumber(0).prefault(20),
  /** A page that explains an invitation (XEP-0379 §3.3); "{uri}" stands for the invitation's URI, "{token}" for its token. */
  landingPage: webAddress.optional(),
});

const passwords = section({
  /** In characters. Longer than four, since servers and clients slow guessing down; XEP-0438 suggests eight. */
  minimumLength: wholeNumber(1, 1_024).prefault(5),
  /** No sentence is longer; a bound all the same (XEP-0438). */
  maximumLength: wholeNumber(8, 1_024).prefault(256),
  /** Passwords nobody may have, such as a list of the most common ones. */
  forbidden: z.array(text("a password")).prefault([]),
});

const accounts = section({
  /** How long the address of a removed account cannot be had again, so that nobody gets what was meant for somebody else. */
  addressRest: duration().prefault("30 d"),
  /** Sessions of one account at once: all devices of one person, and some that hang. */
  sessions: wholeNumber(1, 10_000).prefault(50),
});

const clients = section({
  /** How long a token lets a client in without the password (XEP-0484). Three weeks: a phone may lie in a drawer over a holiday. */
  tokenLifetime: duration(MINUTE).prefault("21 d"),
  /** A token older than this is replaced when it is used, so that a stolen one is of no use for long. */
  tokenRotation: duration(MINUTE).prefault("1 d"),
  /** How long a client is remembered that has no token: its owner is to see who knows the password (XEP-0494). */
  rememberFor: duration().prefault("60 d"),
  /** Clients of one account that are remembered; whoever was not seen for longest has to show the password again. */
  perAccount: wholeNumber(1, 10_000).prefault(50),
  /** Is kept what a client says of itself and its device? On: otherwise the list tells its owner little. */
  descriptions: yesOrNo.prefault(true),
});

/** What one stream may make the server hold while an element is read. */
const scannerLimits = (
  stanzaBytes: ReturnType<typeof size>,
  defaults: readonly [size: `${number} KiB`, ...counts: [number, number, number, number]],
) => {
  const [bytes, depth, attributes, children, prefixes] = defaults;
  return section({
    /** Bytes of one stanza. */
    stanzaBytes: stanzaBytes.prefault(bytes),
    /** Elements inside one another. */
    depth: wholeNumber(8, 1_024).prefault(depth),
    /** Attributes of one tag. */
    attributes: wholeNumber(16, 1_024).prefault(attributes),
    /** Child elements of one stanza. */
    children: wholeNumber(16, 65_536).prefault(children),
    /** Namespace prefixes declared in one stanza. */
    prefixes: wholeNumber(16, 1_024).prefault(prefixes),
  });
};

const limits = section({
  /** Until a client has authenticated: enough to authenticate and to register. */
  visitor: scannerLimits(size(4_096), ["10 KiB", 16, 32, 64, 32]),
  /** From then on. 256 KiB holds an avatar; RFC 6120 §13.12 forbids less than 10,000 bytes. */
  authenticated: scannerLimits(size(10_000), ["256 KiB", 64, 64, 1_024, 128]),
  /** Connections that have not authenticated, from one address (IPv6: one /64): many people may share one. */
  unauthenticatedPerAddress: orOff(wholeNumber(1)).prefault(100),
  /** The same in all. Beyond it the address that has most loses its oldest. */
  unauthenticated: orOff(wholeNumber(1)).prefault(1_000),
  /** New connections a minute from one address; off, since after an outage everybody behind one router comes back at once. */
  connectsPerMinute: orOff(wholeNumber(1)).prefault(false),
  /** How fast a client may send; whoever is faster is read from more slowly, and loses nothing. */
  rate: orOff(
    z.strictObject({
      bytesPerSecond: size(1_024).prefault("128 KiB"),
      /** After a time of rest. */
      burstBytes: size(16_384).prefault("1 MiB"),
      stanzasPerSecond: wholeNumber(1).prefault(200),
      burstStanzas: wholeNumber(1).prefault(1_000),
    }),
  ).prefault({}),
  /** Addressees of one session within a minute: as many as a roster has, which some clients ask for everybody's card. */
  recipientsPerMinute: orOff(wholeNumber(1)).prefault(2_000),
  /** Slows down whoever guesses passwords, then refuses for a while. */
  guessing: yesOrNo.prefault(true),
  /** What may wait for a client that does not read; then its stream ends. */
  outboxBytes: size(65_536).prefault("4 MiB"),
  /** The same for all of them together; beyond it, those for whom most is waiting lose their streams. */
  allOutboxBytes: size(1_048_576).prefault("16 MiB"),
  /** More than this waiting for a client stops reading from it. */
  readAheadBytes: size(16_384).prefault("256 KiB"),
  /** Requests before authenticating. */
  visitorRequests: wholeNumber(4, 1_024).prefault(32),
  /** Messages that wait for somebody who is away. */
  offlineMessages: wholeNumber(0).prefault(1_000),
  /** All of them together: they are sent at once when somebody comes, and have to fit into what may wait for a client. */
  offlineBytes: size(0).prefault("2 MiB"),
  rosterItems: wholeNumber(1).prefault(2_000),
  /** Groups of one contact. */
  rosterGroups: wholeNumber(1).prefault(50),
  /** Addresses, handles and groups of a roster, all together: it is sent in one piece. */
  rosterCharacters: wholeNumber(16_384).prefault(1_000_000),
  /** Subscription requests that wait for an answer. */
  subscriptionRequests: wholeNumber(1).prefault(500),
  /** All that are kept for one account: they are shown in one go. */
  subscriptionRequestBytes: size(16_384).prefault("512 KiB"),
  /** Addresses to which one session has sent presence directly, all together: they are stored with each of them. */
  directedPresenceCharacters: wholeNumber(4_096).prefault(32_768),
  /** Addresses one account may block. */
  blockedAddresses: wholeNumber(1).prefault(1_000),
  /** Stanzas that a client may leave unacknowledged (XEP-0198), connected or not. */
  unacknowledged: wholeNumber(10).prefault(5_000),
  /** How much they may hold, in all. */
  unacknowledgedBytes: size(1_024).prefault("4 MiB"),
  /** A card with a small picture. */
  vcardBytes: size(1_024).prefault("192 KiB"),
  /** Private XML (XEP-0049) of one account, in all. */
  privateBytes: size(1_024).prefault("1 MiB"),
  /** Names of private XML of one account. */
  privateNames: wholeNumber(1).prefault(256),
  /** What waits for a component that is away: that somebody is gone, that a subscription is over. It gets all of it in one go. */
  componentBytes: size(0).prefault("2 MiB"),
});

const timeouts = section({
  /** A TLS handshake, over the slowest network. */
  tlsHandshake: duration(100).prefault("15 s"),
  /** From connecting to a bound resource; somebody may be typing a password. */
  negotiation: duration(1_000).prefault("60 s"),
  /** How long the other side has to close its stream too (RFC 6120 §4.4). */
  close: duration(100).prefault("5 s"),
  /** How long a peer may take nothing of what waits for it. */
  writeStall: duration(1_000).prefault("60 s"),
  /** Silence after which a space is sent to see whether somebody is there (RFC 6120 §4.6.1); off: the kernel finds out, and phones sleep longer. */
  keepAlive: orOff(duration(1_000)).prefault(false),
  /** How long a client that has lost its connection may come back to its stream (XEP-0198 §5). */
  resume: orOff(duration(1_000)).prefault("5 min"),
  /** How long a client that acknowledges may leave a request for it unanswered; then its connection counts as gone. */
  answer: duration(1_000).prefault("30 s"),
  /** Silence after which such a client is asked. */
  idle: duration(1_000).prefault("5 min"),
  /** How long streams may take to end when the server stops. */
  shutdown: duration(100).prefault("10 s"),
});

const storage = section({
  /** Where everything is kept. Relative to the configuration file. */
  directory: text("the name of a directory").prefault("./data"),
  /** "FULL" survives loss of power; "NORMAL" only that of the process, and needs no good disk. */
  synchronous: oneOf(["FULL", "NORMAL"]).prefault("FULL"),
});

const archive = section({
  /** Whether conversations are kept. On: all devices of a person show the same. */
  enabled: yesOrNo.prefault(true),
  /** Whom accounts that have said nothing keep conversations with (XEP-0441). Everybody: whoever wants less can say so. */
  default: oneOf(["always", "never", "roster"]).prefault("always"),
  /** Messages in rooms, in the archive of everybody who is there. Off: the room has them. */
  groupchat: yesOrNo.prefault(false),
  /** Receipts and markers (XEP-0184, XEP-0333). On: another device of the account learns by them what has been read. */
  receipts: yesOrNo.prefault(true),
  /** Lets clients search for words (XEP-0431). Off: the index takes as much room as what is in it. */
  fullText: yesOrNo.prefault(false),
  /** Messages sent for one query, where the client does not say how many. */
  pageSize: wholeNumber(1, 10_000).prefault(50),
  /** And at most, whatever it says. */
  maxPage: wholeNumber(1, 10_000).prefault(250),
  /** How long a message is recognised that a client sends again, since it does not know that it has arrived. A night without a network. */
  recogniseFor: duration(1_000).prefault("24 h"),
  retention: section({
    /** How long messages are kept. For good: only the operator knows what is to go. */
    keepFor: orOff(duration(60_000)).prefault(false),
    /** How many messages each account keeps, the newest. */
    keepNewest: orOff(wholeNumber(1)).prefault(false),
    /** How often what is to go is looked for. */
    every: duration(1_000).prefault("1 h"),
  }),
});

/** "count": how many messages wait. "sender": and who wrote the last. "text": and what. */
const TELLING = ["count", "sender", "text"] as const;
const push = section({
  /** Lets accounts have themselves woken up by push services (XEP-0357). On: phones do not get messages otherwise. */
  services: yesOrNo.prefault(true),
  /** What those services are told, and so is whoever they pass it on to: that there is something. Nobody else is to know who writes to whom. */
  tell: oneOf(TELLING).prefault("count"),
  /** Lets clients in browsers have themselves woken up by the browser's push service (RFC 8030). On: it knows no more than that there is something. */
  browsers: yesOrNo.prefault(true),
  /** What browsers are told; it is encrypted for them, and may be shown on a locked screen. */
  tellBrowsers: oneOf(TELLING).prefault("count"),
});

export const schema = z.strictObject({
  /** The domains served, each with its own options. The first speaks where no other can. */
  hosts: byDomain(host).prefault({ localhost: {} }),
  /** Administrators of all hosts. */
  administrators: z.array(accountAddress).prefault([]),
  /** PEM file: the certificate of hosts that have none of their own. Without it the server makes one, which clients have to be told to trust. */
  certificate: file.optional(),
  /** PEM file: the private key of `certificate`. */
  key: file.optional(),
  /** PEM file: authorities whose client certificates are taken for SASL EXTERNAL (XEP-0178). Without it nobody is asked for one. */
  clientAuthorities: file.optional(),
  /** Where to listen. Without it: clients at 5222 and 5223, and components at 5347 if there are any. */
  listeners: z.array(listener).optional(),
  /** Lets clients on this machine log in without TLS. Off: it is for tests and for proxies that do TLS. */
  plaintextFromLoopback: yesOrNo.prefault(false),
  registration,
  invitations,
  passwords,
  accounts,
  clients,
  /** External components (XEP-0114), by domain, each with the secret it shares with the server. */
  components: byDomain(z.strictObject({ secret: text("a secret of at least 8 characters") })).prefault({}),
  /** Whom to turn to, by role (XEP-0157). */
  contacts: section(contactRoles),
  limits,
  timeouts,
  archive,
  push,
  storage,
  scram: section({
    /** Of PBKDF2. XEP-0438: at least 10,000; more slows guessing down after a theft, and every login on every phone. */
    iterations: wholeNumber(4_096, 10_000_000).prefault(10_000),
  }),
  /** A client asks for a resource that is in use (RFC 6120 §7.7.2.2). "replace": the old session is most often a dead one. */
  resourceConflict: oneOf(["replace", "refuse", "rename"]).prefault("replace"),
  log: section({
    level: oneOf(LOG_LEVELS).prefault("info"),
    /** "auto": for people on a terminal, JSON elsewhere. */
    format: oneOf(LOG_FORMATS).prefault("auto"),
  }),
  /** Modules of one's own (docs/modules.md). They are made when the server starts. */
  modules: ownModuleList.optional(),
});

/** What is taken is what is declared (config-options.ts), option by option; the compiler holds the two together. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
type Whole<T> = T extends (...args: never) => unknown
  ? T
  : T extends object
    ? { -readonly [K in keyof T]-?: Whole<T[K]> }
    : T;
export const isAsDeclared: Same<Whole<z.input<typeof schema>>, Whole<KithConfig>> = true;

/** As it has been read: checked, and complete but for the defaults that depend on others. */
export type ParsedConfig = z.output<typeof schema>;
export type ParsedHost = z.output<typeof host>;
export type ParsedListener = z.output<typeof listener>;
