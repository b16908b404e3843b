import {
  type Bytes,
  type Eventually,
  isPromise,
  isStanza,
  type Jid,
  type Presence,
  type RawElement,
  readdressed,
  readStanza,
  type Stanza,
  StreamError,
  stamped,
  tryJid,
  unescape as unescaped,
  writeStanza,
} from "@kith/protocol";
import type { Context, SessionMark, SessionView } from "../module.ts";
import type { RowId, Ticket } from "../store/store.ts";
import type { Wire } from "./door.ts";
import { Outbox } from "./outbox.ts";

/** What a session asks of the router. */
export interface SessionRouter {
  accept(session: Session, stanza: Stanza): Eventually<void>;
  /** The session's stream is gone: sends what is due and forgets it. */
  left(session: Session): Eventually<void>;
  settle(session: Session, rows: readonly RowId[]): void;
}

const UNMARKED: ReadonlySet<SessionMark> = new Set();

/** A bound resource (RFC 6120 §7): what it said of itself, and its two directions. It knows its connection as a `Wire` only. */
export class Session implements SessionView {
  readonly jid: Jid;
  /** The stream's default language, for stanzas that say none (RFC 6120 §4.7.4). */
  readonly lang: Bytes | undefined;
  readonly context: Context;
  presence: Presence | undefined = undefined;
  priority = 0;
  /** When its presence was last broadcast, in milliseconds since 1970. */
  since = 0;
  marks: ReadonlySet<SessionMark> = UNMARKED;
  readonly #router: SessionRouter;
  readonly #wire: Wire;
  readonly #outbox: Outbox;
  #busy: Promise<void> | undefined;
  #end: { readonly done: Eventually<void> } | undefined;

  constructor(
    jid: Jid,
    lang: Bytes | undefined,
    wire: Wire,
    router: SessionRouter,
    context: (session: SessionView) => Context,
  ) {
    this.jid = jid;
    this.lang = lang;
    this.#wire = wire;
    this.#router = router;
    this.#outbox = new Outbox(wire, (rows) => router.settle(this, rows));
    this.context = context(this);
  }

  /** One first-level element from the client; the next only after this has settled. Throws `StreamError` for what ends the stream. */
  receive(raw: RawElement): Eventually<void> {
    if (this.#end !== undefined) return;
    if (!isStanza(raw)) throw new StreamError("unsupported-stanza-type");
    const stanza = readStanza(raw);
    if ((stanza.from !== undefined && !this.#isOwn(stanza.from)) || stanza.problem !== undefined) this.#checkFrom(raw);
    const accepted = this.#router.accept(this, stamped(stanza, this.jid, this.lang));
    if (!isPromise(accepted)) return;
    const busy = accepted.finally(() => {
      if (this.#busy === busy) this.#busy = undefined;
    });
    this.#busy = busy;
    return busy;
  }

  /**
   * Sends a stanza to the client, after what is being committed. What has no `to` of its own, such as a roster push,
   * gets the session's address (RFC 6121 §2.1.6).
   */
  send(stanza: Stanza, after?: Ticket, row?: RowId): void {
    if (this.#end !== undefined) return;
    const addressed = stanza.to === undefined ? readdressed(stanza, stanza.from, this.jid) : stanza;
    this.#outbox.append(writeStanza(addressed), after, row);
  }

  /** What it broadcasts from now on; `undefined`: it is no available resource any more (RFC 6121 §4). */
  show(presence: Presence | undefined, priority: number, now: number): void {
    this.presence = presence;
    this.priority = presence === undefined ? 0 : priority;
    this.since = now;
  }

  mark(mark: SessionMark, on: boolean): void {
    const marks = new Set(this.marks);
    if (on) marks.add(mark);
    else marks.delete(mark);
    this.marks = marks;
  }

  /** Closes the stream; what is due is sent as when it is lost. Settles when that has been done. */
  close(error: StreamError): Eventually<void> {
    this.#wire.close(error);
    return this.ended();
  }

  /** The stream is gone or going, however it went. Idempotent. Settles when what is due has been sent. */
  ended(): Eventually<void> {
    this.#end ??= {
      done: this.#busy === undefined ? this.#router.left(this) : this.#busy.then(() => this.#router.left(this)),
    };
    return this.#end.done;
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  #isOwn(from: Jid): boolean {
    return from.full === this.jid.full || (from.resource === undefined && from.bare === this.jid.bare);
  }

  /** RFC 6120 §8.1.2.1: a `from` that is not the client's own, malformed ones included, ends the stream. */
  #checkFrom(raw: RawElement): void {
    const at = raw.attributes.findIndex((name, position) => position % 2 === 0 && (name as string) === "from");
    if (at < 0) return;
    const from = tryJid(unescaped(raw.attributes[at + 1] as Bytes));
    if (from === undefined || !this.#isOwn(from)) throw new StreamError("invalid-from");
  }
}
