import type { BareJid, Crypto, DomainJid, Eventually, HashName, ScannerLimits, ScramKeys } from "@kith/protocol";
import type { AccessTokens } from "../access-tokens.ts";
import type { KeyUpgrades } from "../key-upgrades.ts";
import type { Log } from "../router/log.ts";
import type { BacklogLimits, Backlogs } from "./backlogs.ts";
import type { Door } from "./door.ts";
import type { GuessLimiter } from "./guess-limiter.ts";
import type { InlineFeature } from "./inline-feature.ts";
import type { Rate } from "./pace.ts";
import type { Timers } from "./timer.ts";
import type { Turns } from "./turns.ts";

/** What authentication asks of accounts. */
export interface SaslAccounts {
  exists(jid: BareJid): Eventually<boolean>;
  /** For an account that does not exist: keys that are always the same and cannot be told from real ones (RFC 6120 §13.11). */
  scramKeys(jid: BareJid, hash: HashName): Eventually<ScramKeys>;
  verifyPassword(jid: BareJid, password: string): Eventually<boolean>;
}

/** One of the domains served. */
export interface Host {
  readonly domain: DomainJid;
  /** Serves temporary accounts (XEP-0175). */
  readonly anonymous?: boolean;
  /** Offers PLAIN over TLS beside SCRAM. */
  readonly plain?: boolean;
}

/** What one client may do and how long it may take. Times in milliseconds, sizes in bytes. */
export interface StreamLimits {
  /** While reading elements of somebody who has not authenticated. */
  readonly visitor: ScannerLimits;
  /** Once authenticated. */
  readonly authenticated: ScannerLimits;
  /** More than this waiting for a client stops reading from it. */
  readonly readAheadBytes: number;
  readonly tlsHandshakeMs: number;
  /** From connecting to a bound resource. */
  readonly negotiationMs: number;
  /** How long the peer has for its `</stream:stream>` (RFC 6120 §4.4). */
  readonly closeMs: number;
  /** Failed attempts to authenticate that are borne: 2 to 5 (RFC 6120 §6.4.5). */
  readonly saslRetries: number;
  /** Failed attempts to bind that are borne: 5 to 10 (RFC 6120 §7.7.3). */
  readonly bindRetries: number;
  /** IQs that may be sent before authenticating. */
  readonly visitorIqs: number;
  /** How fast a client may send before reading from it is slowed down; `undefined`: as fast as it likes. */
  readonly rate: Rate | undefined;
  /** Silence after which a keep-alive is sent (RFC 6120 §4.6.1); `undefined`: the kernel's keep-alive alone. */
  readonly keepAliveMs: number | undefined;
}

export const STREAM_LIMITS: StreamLimits = {
  visitor: { stanzaBytes: 10_240, depth: 16, attributes: 32, children: 64, prefixes: 32 },
  authenticated: { stanzaBytes: 262_144, depth: 64, attributes: 64, children: 1024, prefixes: 128 },
  readAheadBytes: 262_144,
  tlsHandshakeMs: 15_000,
  negotiationMs: 60_000,
  closeMs: 5_000,
  saslRetries: 3,
  bindRetries: 5,
  visitorIqs: 32,
  rate: { bytesPerSecond: 131_072, burstBytes: 1_048_576, stanzasPerSecond: 200, burstStanzas: 1_000 },
  keepAliveMs: undefined,
};

/** What may wait for peers that do not read, in bytes: for one, and for all of them. */
export const BACKLOG_LIMITS: BacklogLimits = { each: 4_194_304, all: 16_777_216 };

/** Everything streams of clients use; one object shared by all of them. */
export interface C2sServices {
  readonly door: Door;
  readonly accounts: SaslAccounts;
  readonly crypto: Crypto;
  /** The domains served, the first of them speaking where no other can. */
  readonly hosts: ReadonlyMap<DomainJid, Host>;
  readonly limits: StreamLimits;
  /** May a peer on this very machine authenticate without TLS? */
  readonly plaintextFromLoopback: boolean;
  readonly guesses: GuessLimiter;
  readonly backlogs: Backlogs;
  /** Passwords that are tested, each of which is work. */
  readonly passwordTests: Turns;
  /** What can be asked for together with logging in (XEP-0388); handled in this order. */
  readonly inline?: readonly InlineFeature[];
  /** The clients of accounts and their tokens (XEP-0484); without it there are none. */
  readonly access?: AccessTokens;
  /** Keys that accounts lack can be made (XEP-0480). */
  readonly upgrades?: KeyUpgrades;
  readonly log: Log;
  readonly timers: Timers;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
