import type { Eventually, Message, Stanza } from "@kith/protocol";
import type { Context, SessionView } from "../module.ts";
import type { Messages } from "../store/messages.ts";
import type { RowId, Ticket, Write } from "../store/store.ts";
import type { StanzaIdOf } from "./render.ts";
import type { Session } from "./session.ts";
import type { StreamRecords } from "./stream-records.ts";
import type { Timers } from "./timer.ts";

/** What a session asks of the router. */
export interface SessionRouter {
  /** `number`: which of the stanzas of its stream it is, where that is counted; otherwise 0. */
  accept(session: Session, stanza: Stanza, number: number): Eventually<void>;
  /** The session is over: sends what is due and forgets it. */
  left(session: Session): Eventually<void>;
  /** Its connection is gone, and it waits for its client. */
  detached(session: Session): Eventually<void>;
  /** Its client has come back. */
  resumed(session: Session): Eventually<void>;
  /** These have arrived. */
  settle(session: Session, rows: readonly RowId[]): void;
  /** Writes at once; the ticket is what has to be waited for. */
  note(write: Write): Ticket;
  /** Writes within a second. */
  noteSoon(write: Write): void;
  /** Its client never had this: it is handled as if the session had been gone when it came. */
  returned(stanza: Stanza, done: (() => void) | undefined): Eventually<void>;
  /** Its client gives no sign of life, and has not had this message. */
  missed(message: Message): Eventually<void>;
}

/** How long a client may be silent, and how much is kept for it. Times in milliseconds. */
export interface SessionLimits {
  /** How long a stream may be resumed after its connection is gone, at most. */
  readonly resumeMs: number;
  /** How many stanzas, and how many bytes, may wait for a client's acknowledgement. */
  readonly unacknowledged: number;
  readonly unacknowledgedBytes: number;
  /** What has not been acknowledged after this time is asked for. */
  readonly askMs: number;
  /** Without an answer for so long, whoever can wake the client does so. */
  readonly missedMs: number;
  /** Without an answer for so long, the connection counts as gone. */
  readonly deadMs: number;
  /** After so much silence the client is asked whether it is there. */
  readonly idleMs: number;
}

export const SESSION_LIMITS: SessionLimits = {
  resumeMs: 300_000,
  unacknowledged: 5_000,
  unacknowledgedBytes: 4_194_304,
  askMs: 2_000,
  missedMs: 10_000,
  deadMs: 30_000,
  idleMs: 300_000,
};

/** What all sessions share. */
export interface SessionServices {
  readonly router: () => SessionRouter;
  readonly context: (session: SessionView) => Context;
  readonly messages: Pick<Messages, "delivered" | "forget" | "lastRow" | "traces">;
  readonly stanzaIdOf: StanzaIdOf;
  readonly timers: Timers;
  readonly limits: SessionLimits;
  readonly records: StreamRecords;
  /** Unguessable. */
  readonly newId: () => string;
}
