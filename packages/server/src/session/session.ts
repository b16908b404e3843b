import {
  type Bytes,
  type Eventually,
  isPromise,
  isStanza,
  type Jid,
  type Presence,
  type RawElement,
  readStanza,
  StreamError,
  stamped,
  tryJid,
  unescape as unescaped,
} from "@kith/protocol";
import type { Aside, Frame } from "../fabric/fabric.ts";
import type { Context, SessionMark, SessionView } from "../module.ts";
import type { StreamPlace } from "../store/messages.ts";
import type { RowId, Ticket, Write } from "../store/store.ts";
import type { BoundSession, HowEnded, Wire } from "./door.ts";
import { HeldBack, HOLD_LIMITS } from "./inactivity.ts";
import { Management, type Resumable, type Sent } from "./management.ts";
import { Outbox } from "./outbox.ts";
import { recover } from "./recovery.ts";
import { render } from "./render.ts";
import type { SessionServices } from "./session-services.ts";
import { StreamManager, settledBy } from "./stream-manager.ts";
import { readPresence, type StreamRecord, writePresence } from "./stream-records.ts";

/** A frame that waits until somebody looks. What it came with in its turn is over by then. */
interface HeldFrame {
  readonly frame: Frame;
  readonly after: Ticket | undefined;
}

const UNMARKED: ReadonlySet<SessionMark> = new Set();

/**
 * A bound resource (RFC 6120 §7): what it said of itself, and its two directions. It knows its connection as a `Wire`
 * only, and outlives it where its client may come back (XEP-0198 §5).
 */
export class Session implements SessionView, BoundSession {
  readonly jid: Jid;
  /** The stream's default language, for stanzas that say none (RFC 6120 §4.7.4). */
  readonly lang: Bytes | undefined;
  readonly context: Context;
  presence: Presence | undefined = undefined;
  priority = 0;
  /** When its presence was last broadcast, in milliseconds since 1970. */
  since = 0;
  marks: ReadonlySet<SessionMark> = UNMARKED;
  readonly #services: SessionServices;
  readonly #outbox: Outbox;
  #manager: StreamManager | undefined = undefined;
  #heldBack: HeldBack<HeldFrame> | undefined = undefined;
  /** Has something changed that outlives a crash? */
  #isChanged = false;
  #busy: Promise<void> | undefined;
  #end: { readonly done: Eventually<void> } | undefined;

  /** Without a wire it is one that was left by a server that is gone. */
  constructor(jid: Jid, lang: Bytes | undefined, wire: Wire | undefined, services: SessionServices) {
    this.jid = jid;
    this.lang = lang;
    this.#services = services;
    this.#outbox = new Outbox(wire);
    this.context = services.context(this);
  }

  get isDetached(): boolean {
    return this.#outbox.wire === undefined;
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  /** One first-level element from the client; the next only after this has settled. Throws `StreamError` for what ends the stream. */
  receive(raw: RawElement): Eventually<void> {
    if (this.#end !== undefined) return;
    if (!isStanza(raw)) throw new StreamError("unsupported-stanza-type");
    const stanza = readStanza(raw);
    if ((stanza.from !== undefined && !this.#isOwn(stanza.from)) || stanza.problem !== undefined) this.#checkFrom(raw);
    let number = 0;
    if (this.#manager !== undefined) {
      number = this.#manager.received();
      if (number === 0) return;
    }
    const accepted = this.#services.router().accept(this, stamped(stanza, this.jid, this.lang), number);
    if (!isPromise(accepted)) return;
    const busy = accepted.finally(() => {
      if (this.#busy === busy) this.#busy = undefined;
    });
    this.#busy = busy;
    return busy;
  }

  /** The client has sent something, whatever it was. */
  heard(): void {
    if (this.#manager !== undefined) this.#manager.heard();
    // Of what it was sent before its stanzas were counted, too.
    const rows = this.#outbox.proven();
    if (rows.length > 0) this.#services.router().settle(this, rows);
  }

  /** Sends a frame to the client, after what is being committed. */
  send(frame: Frame, after?: Ticket, aside?: Aside): void {
    if (this.#end !== undefined) return;
    if (this.#heldBack === undefined) {
      this.#append(frame, after, aside);
    } else if (this.#heldBack.offer(frame.stanza, { frame, after }) === "urgent") {
      this.#release(this.#heldBack);
      this.#append(frame, after, aside);
    }
  }

  #append(frame: Frame, after: Ticket | undefined, aside: Aside | undefined): void {
    if (this.#manager !== undefined) this.#manager.append(frame, after, aside);
    else this.#outbox.append(render(frame, this.jid, this.#services.stanzaIdOf), after, settledBy(frame));
  }

  /** Whether somebody looks at the client (XEP-0352). While nobody does, what can wait waits. */
  setActive(isActive: boolean): void {
    const held = this.#heldBack;
    if (!isActive) this.#heldBack ??= new HeldBack(HOLD_LIMITS, ({ frame }) => this.#supersede(frame));
    else if (held !== undefined) {
      this.#heldBack = undefined;
      this.#release(held);
    }
  }

  /** Something later says what this said. */
  #supersede(frame: Frame): void {
    const row = settledBy(frame);
    if (row !== undefined) this.#services.router().settle(this, [row]);
  }

  #release(held: HeldBack<HeldFrame>): void {
    for (const { frame, after } of held.release()) this.#append(frame, after, undefined);
  }

  /** What it broadcasts from now on; `undefined`: it is no available resource any more (RFC 6121 §4). */
  show(presence: Presence | undefined, priority: number, now: number): void {
    this.presence = presence;
    this.priority = presence === undefined ? 0 : priority;
    this.since = now;
    this.#isChanged = true;
  }

  mark(mark: SessionMark, on: boolean): void {
    const marks = new Set(this.marks);
    if (on) marks.add(mark);
    else marks.delete(mark);
    this.marks = marks;
    this.#isChanged = true;
  }

  /** Stored messages it has been sent and not yet shown to have got. */
  underWay(rows: Set<RowId>): void {
    this.#manager?.underWay(rows);
    this.#outbox.underWay(rows);
  }

  // Stream management (XEP-0198).

  get resumable(): Resumable | undefined {
    return this.#manager?.resumable;
  }

  get manager(): StreamManager | undefined {
    return this.#manager;
  }

  /**
   * From now on stanzas are counted both ways (§3). `say`: how the client is told, in its turn between what is not counted and what is.
   * `undefined`: it has been before.
   */
  manage(
    wanted: { readonly resume: boolean; readonly max?: number | undefined },
    say: (resumable: Resumable | undefined) => Bytes | undefined,
  ): "managed" | "managed before" {
    if (this.#manager !== undefined) return "managed before";
    const { limits, newId, messages } = this.#services;
    const most = limits.resumeMs / 1000;
    const resumable =
      wanted.resume && most > 0 ? { id: newId() + newId(), max: Math.min(wanted.max ?? most, most) } : undefined;
    const bytes = say(resumable);
    if (bytes !== undefined) this.#outbox.append(bytes, undefined, undefined);
    this.#manage(new Management(resumable, { generation: 1, received: 0, since: messages.lastRow }));
    this.checkpoint();
    return "managed";
  }

  #manage(management: Management): void {
    this.#manager = new StreamManager(this, this.#outbox, this.#services, management);
  }

  placeOf(number: number): StreamPlace | undefined {
    return this.#manager?.placeOf(number);
  }

  /** A stanza of the client's has been handled, once this has been committed. */
  handled(number: number, after: Ticket | undefined, isPlaced: boolean): void {
    this.#manager?.handled(number, after, isPlaced);
  }

  /** What has changed since it was last asked, to be stored with what changed it. */
  change(): Write | undefined {
    return this.#isChanged ? this.#record() : undefined;
  }

  /** What the client is told has to be true after a crash. */
  checkpoint(): Ticket | undefined {
    const write = this.#record();
    return write === undefined ? undefined : this.#services.router().note(write);
  }

  #record(): Write | undefined {
    this.#isChanged = false;
    const manager = this.#manager;
    const resumable = manager?.resumable;
    if (manager === undefined || resumable === undefined || this.#end !== undefined) return undefined;
    const { management, left } = manager;
    // As long as its client has not come back, what its client knows is what was known when the server went.
    if (left === undefined) management.since = manager.watermark;
    const record: StreamRecord = {
      resource: this.jid.resource ?? "",
      lang: this.lang,
      max: resumable.max,
      generation: left?.generation ?? management.generation,
      received: management.received.handled,
      since: management.since,
      presence: writePresence(this.presence),
      priority: this.priority,
      shownAt: this.since,
      marks: [...this.marks],
    };
    return this.#services.records.put(this.jid.bare, resumable.id, record);
  }

  // Going and coming back.

  /** It was left by a server that is gone: shown as it was, waiting for its client. */
  restore(record: StreamRecord, id: string): void {
    const resumable = { id, max: record.max };
    const left = { jid: this.jid, resumable, generation: record.generation };
    // What comes until it is resumed has numbers that the client never hears of.
    const next = { ...record, generation: record.generation + 1 };
    const management = new Management(resumable, next, this.#services.newId());
    this.show(readPresence(record), record.priority, record.shownAt);
    this.marks = new Set(record.marks);
    this.#manager = new StreamManager(this, this.#outbox, this.#services, management, left);
    this.#manager.detach();
    this.#isChanged = false;
  }

  /** Its client comes back on another connection (XEP-0198 §5). `h`: what it says it has had. Throws StreamError where that is too much. */
  async resume(h: number, wire: Wire): Promise<{ readonly h: number; readonly replay: () => void }> {
    const manager = this.#manager;
    if (manager === undefined) throw new TypeError("not managed");
    const old = this.#outbox.wire;
    this.setActive(true);
    this.#outbox.detach();
    manager.detach();
    old?.close(new StreamError("conflict", "resumed on another connection"));
    await this.#busy;
    await manager.settled();
    await this.#recover(manager, h);
    manager.acknowledged(h);
    return { h: manager.h, replay: () => this.#replay(manager, wire) };
  }

  async #recover(manager: StreamManager, h: number): Promise<void> {
    const { left } = manager;
    if (left === undefined) return;
    const traces = await this.#services.messages.traces(left.jid.bare, manager.management.since);
    // Its client may have come on two connections at once.
    if (manager.left === undefined) return;
    // From here to the checkpoint at once, and in one unit: whatever comes now is numbered behind.
    const { management, arrived } = recover(traces, left, h, manager.management, this.#services);
    manager.recovered(management);
    const written = this.checkpoint();
    if (arrived.length > 0) this.#services.router().settle(this, arrived);
    await new Promise<unknown>((resolve) => (written === undefined ? resolve(undefined) : written.onSettled(resolve)));
  }

  #replay(manager: StreamManager, wire: Wire): void {
    if (this.#end !== undefined) {
      wire.close(new StreamError("connection-timeout", "the session is over"));
      return;
    }
    manager.attach();
    this.#outbox.attach(wire, manager.management.sent.unacknowledged);
    void this.#services.router().resumed(this);
  }

  /** Closes the stream; what is due is sent as when it is lost. Settles when that has been done. */
  close(error: StreamError): Eventually<void> {
    const { wire } = this.#outbox;
    wire?.close(error);
    return this.ended(wire, "closed");
  }

  /** The server ends, and will be back: the stream is lost, and nobody is told anything. */
  suspend(error: StreamError): void {
    this.checkpoint();
    const { wire } = this.#outbox;
    this.#manager?.stop();
    this.#outbox.detach();
    this.#end = { done: undefined };
    wire?.close(error);
  }

  /** A connection is gone or going. Where it is not the one the session has now, that is no news. Idempotent. Settles when what is due has been sent. */
  ended(wire: Wire | undefined, how: HowEnded): Eventually<void> {
    if (this.#end !== undefined) return this.#end.done;
    if (wire !== this.#outbox.wire) return;
    if (how === "lost" && this.#manager?.resumable !== undefined) return this.#detach(this.#manager);
    this.#end = { done: this.#busy === undefined ? this.#finish() : this.#busy.then(() => this.#finish()) };
    return this.#end.done;
  }

  #detach(manager: StreamManager): Eventually<void> {
    this.setActive(true);
    this.#outbox.detach();
    manager.detach();
    const tell = (): Eventually<void> => this.#services.router().detached(this);
    return this.#busy === undefined ? tell() : this.#busy.then(tell);
  }

  /** First everybody is told, then what the client never had goes where it would have gone without it. */
  #finish(): Eventually<void> {
    const unacknowledged = this.#manager?.stop() ?? [];
    const left = this.#services.router().left(this);
    return unacknowledged.length === 0 ? left : this.#giveBack(unacknowledged, left);
  }

  async #giveBack(unacknowledged: readonly Sent[], left: Eventually<void>): Promise<void> {
    const router = this.#services.router();
    await left;
    for (const { stanza, isGivenBack, arrived } of unacknowledged)
      if (isGivenBack) await router.returned(stanza, arrived);
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
