import { handledCountTooHigh, type Jid, onWire, StreamError, writeAck } from "@kith/protocol";
import type { Aside, Frame } from "../fabric/fabric.ts";
import { faults } from "../faults.ts";
import type { StreamPlace } from "../store/messages.ts";
import type { RowId, Ticket } from "../store/store.ts";
import type { Management, Resumable, Sent } from "./management.ts";
import type { Outbox } from "./outbox.ts";
import type { Left } from "./recovery.ts";
import { render } from "./render.ts";
import type { Session } from "./session.ts";
import type { SessionServices } from "./session-services.ts";
import { type Expiring, Timer } from "./timer.ts";

/**
 * What the client is being waited for.
 * - "nothing": it has acknowledged everything, or has only just been sent something
 * - "answer": it has been asked
 * - "return": it has no connection
 */
type Waiting = "nothing" | "answer" | "return";

/** Stream management (XEP-0198) of one session: counts both ways, asks, notices that nobody answers, and brings back what was lost. */
export class StreamManager implements Expiring {
  readonly #session: Session;
  readonly #outbox: Outbox;
  readonly #services: SessionServices;
  readonly #timer: Timer;
  #management: Management;
  #waiting: Waiting = "nothing";
  /** When it was asked, as timers count. */
  #askedAt = 0;
  #isHeard = true;
  /** Has nothing been sent that is waited for, so that it is asked only after long silence? */
  #isResting = false;
  /** How many of those that wait for acknowledgement have been reported as missed. */
  #missed = 0;
  /** Has the client been told less than it sent, so that it is told more as soon as there is more (architecture: acknowledged means durable)? */
  #owes = false;
  #isAckDue = false;
  /** So many of the client's stanzas have been handled according to what is stored. */
  #durable = 0;
  /** Stanzas of the client's that are being committed. */
  #committing = 0;
  /** Everything of the client's that is stored up to and with this row is counted. */
  #countedThrough: RowId;
  #settled: PromiseWithResolvers<void> | undefined;
  readonly #left: Left | undefined;
  #isRecovered = false;

  constructor(session: Session, outbox: Outbox, services: SessionServices, management: Management, left?: Left) {
    this.#left = left;
    this.#session = session;
    this.#outbox = outbox;
    this.#services = services;
    this.#timer = new Timer(this);
    this.#management = management;
    this.#countedThrough = management.since;
    if (outbox.wire !== undefined) this.#rest();
  }

  get resumable(): Resumable | undefined {
    return this.#management.resumable;
  }

  get management(): Management {
    return this.#management;
  }

  /** Stanzas counted so far, and all handled of them (§4). */
  get h(): number {
    return this.#management.received.h;
  }

  // What the client sends.

  /** One stanza has come: its number, or 0 if it came before, on the connection that is gone. */
  received(): number {
    const { received } = this.#management;
    if (this.#management.repeats === 0) return received.begin();
    this.#management.repeats--;
    return 0;
  }

  placeOf(number: number): StreamPlace | undefined {
    return this.#management.placeOf(number);
  }

  /** A stanza of the client's has been handled, once this has been committed. */
  handled(number: number, after: Ticket | undefined, isPlaced: boolean): void {
    if (isPlaced) this.#durable = number;
    if (after === undefined || after.state !== "open" || faults?.breaks === "acknowledge before commit") {
      this.#count(number);
      return;
    }
    this.#committing++;
    const row = this.#services.messages.lastRow;
    after.onSettled(() => {
      this.#count(number);
      if (this.#management.received.handled >= number) this.#countedThrough = row;
      if (--this.#committing === 0) this.#settled?.resolve();
    });
  }

  /** Nothing stored up to and with this row matters to the stream, as it is now, any more. */
  get watermark(): RowId {
    if (this.#management.received.isSettled) this.#countedThrough = this.#services.messages.lastRow;
    return this.#management.watermark(this.#countedThrough);
  }

  /** Settles when nothing that the client sent is being committed. */
  settled(): Promise<void> {
    if (this.#committing === 0) return Promise.resolve();
    this.#settled ??= Promise.withResolvers<void>();
    return this.#settled.promise;
  }

  #count(number: number): void {
    this.#management.received.settle(number);
    if (!this.#owes || this.#isAckDue) return;
    this.#isAckDue = true;
    // At most one a turn: tickets settle in bulk.
    setImmediate(() => {
      this.#isAckDue = false;
      if (this.#owes) this.acknowledge();
    });
  }

  /** `<r/>`: answered at once with the number as it stands (§4). */
  acknowledge(): void {
    const { received } = this.#management;
    this.#owes = !received.isSettled;
    this.#outbox.wire?.send(writeAck(received.h));
    if (received.handled <= this.#durable) return;
    // What the client has been told has to be true after a crash.
    this.#durable = received.handled;
    this.#session.checkpoint();
  }

  // What it is sent.

  /** Numbers a frame and appends it. */
  append(frame: Frame, after: Ticket | undefined, aside: Aside | undefined): void {
    const management = this.#management;
    const sent = sentOf(frame, this.#session.jid, this.#services, aside);
    const number = management.append(sent);
    this.#outbox.appendCounted(sent, this.#noted(frame, number, after, aside));
    if (this.#isResting) this.#watch();
    if (this.#isTooMuch) queueMicrotask(() => this.#overflow());
  }

  #watch(): void {
    this.#isResting = false;
    this.#services.timers.arm(this.#timer, this.#services.limits.askMs);
  }

  /** A stored message's place in the stream is stored with it, before it leaves (architecture §5). */
  #noted(
    { stored, carbon }: Frame,
    number: number,
    after: Ticket | undefined,
    aside: Aside | undefined,
  ): Ticket | undefined {
    const { resumable, key } = this.#management;
    if (stored === undefined || resumable === undefined) return after;
    const delivery = { stream: key, number, as: carbon === undefined ? "plain" : "carbon" } as const;
    if (aside?.open === undefined)
      return this.#services.router().note(this.#services.messages.delivered(stored.row, delivery));
    aside.open.deliveries.push(delivery);
    return after;
  }

  get #isTooMuch(): boolean {
    const { unacknowledged, unacknowledgedBytes } = this.#services.limits;
    return this.#management.sent.length > unacknowledged || this.#management.bytes > unacknowledgedBytes;
  }

  #overflow(): void {
    if (!this.#isTooMuch || this.#session.isEnded) return;
    const { wire } = this.#outbox;
    wire?.close(new StreamError("policy-violation", "more waits to be acknowledged than may wait"));
    void this.#session.ended(wire, "closed");
  }

  /** `<a/>`: what has arrived (§4). Throws StreamError where it is more than was sent (§6). */
  acknowledged(h: number): void {
    const items = this.#management.acknowledge(h);
    if (items === "too-high") throw handledCountTooHigh(h, onWire(this.#management.sent.sequence));
    this.#missed = Math.max(0, this.#missed - items.length);
    if (this.#waiting === "answer") this.#waiting = "nothing";
    this.#arrived(items);
  }

  #arrived(items: readonly Sent[]): void {
    let rows: RowId[] | undefined;
    for (const { settles, arrived } of items) {
      arrived?.();
      if (settles === undefined) continue;
      if (rows === undefined) rows = [settles];
      else rows.push(settles);
    }
    if (rows !== undefined) this.#services.router().settle(this.#session, rows);
  }

  underWay(rows: Set<RowId>): void {
    for (const { settles } of this.#management.sent.unacknowledged) if (settles !== undefined) rows.add(settles);
  }

  // Is it there?

  heard(): void {
    this.#isHeard = true;
  }

  expired(): void {
    if (this.#waiting === "return") void this.#session.ended(undefined, "closed");
    else if (this.#waiting === "answer") this.#isHeard ? this.#rest() : this.#stillWaiting();
    else if (this.#management.sent.length > 0 || !this.#isHeard) this.#ask();
    else this.#rest();
  }

  /** It is there. */
  #rest(): void {
    const { limits, timers } = this.#services;
    this.#isResting = this.#management.sent.length === 0;
    this.#waiting = "nothing";
    this.#isHeard = false;
    timers.arm(this.#timer, this.#isResting ? limits.idleMs : limits.askMs);
  }

  #ask(): void {
    const { limits, timers } = this.#services;
    this.#waiting = "answer";
    this.#isHeard = false;
    this.#askedAt = timers.now;
    this.#outbox.ask();
    timers.arm(this.#timer, limits.missedMs);
  }

  /** No answer: first whoever can wake the client is told, later the connection counts as gone. */
  #stillWaiting(): void {
    const { limits, timers } = this.#services;
    const left = limits.deadMs - (timers.now - this.#askedAt);
    if (left <= 0) {
      this.#outbox.wire?.close(new StreamError("connection-timeout", "no answer"));
      return;
    }
    this.reportMissed();
    timers.arm(this.#timer, left);
  }

  /** Whatever the client has not had is missed, once. */
  reportMissed(): void {
    const waiting = this.#management.sent.unacknowledged;
    for (const { stanza, isGivenBack, settles } of waiting.slice(this.#missed))
      if (stanza.kind === "message" && (isGivenBack || settles !== undefined))
        void this.#services.router().missed(stanza);
    this.#missed = waiting.length;
  }

  // Going and coming back.

  /** The connection is gone: how long the client has to come back begins to count. */
  detach(): void {
    const { resumable } = this.#management;
    this.#waiting = "return";
    this.#services.timers.arm(this.#timer, (resumable?.max ?? 0) * 1000);
  }

  /** Whether anything that came on the old connection is still being committed is not waited for here. */
  attach(): void {
    const { received } = this.#management;
    this.#waiting = "nothing";
    this.#isHeard = true;
    this.#owes = false;
    this.#management.repeats = received.received - received.handled;
    this.#watch();
  }

  /** Left by a server that is gone, and not resumed since. */
  get left(): Left | undefined {
    return this.#isRecovered ? undefined : this.#left;
  }

  /** Takes the place of what was counted since the restart. */
  recovered(management: Management): void {
    this.#management = management;
    this.#isRecovered = true;
    this.#missed = 0;
  }

  /** Over. What has not been acknowledged. */
  stop(): readonly Sent[] {
    this.#services.timers.disarm(this.#timer);
    return this.#management.sent.unacknowledged;
  }
}

export const sentOf = (frame: Frame, jid: Jid, { stanzaIdOf }: SessionServices, aside: Aside | undefined): Sent => {
  const { stanza, stored, carbon } = frame;
  return {
    stanza,
    bytes: render(frame, jid, stanzaIdOf),
    mayLeave: false,
    row: stored?.row,
    settles: settledBy(frame),
    isCarbon: carbon !== undefined,
    isGivenBack: frame.isAddressed === true && stored === undefined,
    arrived: stored === undefined && carbon === undefined ? aside?.awaitArrival?.() : undefined,
  };
};

/** What waits no longer once a frame has arrived. */
export const settledBy = ({ stored, settles }: Frame): RowId | undefined =>
  stored?.waits === true ? stored.row : settles;
