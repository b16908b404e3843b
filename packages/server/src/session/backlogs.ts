import { StreamError } from "@kith/protocol";
import type { Transport } from "./transport.ts";

/** A stream as far as it matters here: how much waits for its peer, and how to end it. */
export interface Waited {
  /** Bytes that the kernel has not taken. */
  readonly backlog: number;
  readonly transport: Pick<Transport, "destroy">;
  /** In an orderly way: what waits may still be read for a while. */
  close(error: StreamError): void;
}

export interface BacklogLimits {
  /** What may wait for one peer, in bytes. */
  readonly each: number;
  /** What may wait for all slow peers together. */
  readonly all: number;
}

interface Slow {
  /** What waited at the last look, and how much has been added since. */
  before: number;
  added: number;
  /** Is it going to be looked at? */
  isDue: boolean;
}

/** So much waits for anybody now and then, and is not counted. */
const SLOW = 65_536;
/** One turn may append so many times what may wait, before the kernel has been asked. */
const AT_ONCE = 2;
/** When room is made, this part of the limit is left free, lest the next byte ends another stream. */
const ROOM = 1 / 8;

/**
 * Ends the streams of peers that do not read, before too much waits for them: one that has too much waiting by itself;
 * and where too much waits in all, those for whom most is waiting.
 *
 * What is judged has been offered to the kernel and was not taken: one turn of the loop may well append more than may
 * wait, for somebody who reads it all at once. So a stream is looked at when the turn is over, and again while it makes
 * progress.
 */
export class Backlogs {
  readonly #limits: BacklogLimits;
  readonly #soon: (look: () => void) => void;
  /** What makes a peer a slow one. */
  readonly #least: number;
  readonly #slow = new Map<Waited, Slow>();
  #due: Waited[] = [];
  /** What may be added before all have to be counted again. */
  #room: number;

  /** @param soon runs something once everything appended in this turn has been offered to the kernel */
  constructor(limits: BacklogLimits, soon: (look: () => void) => void = setImmediate) {
    this.#limits = limits;
    this.#soon = soon;
    this.#least = Math.min(SLOW, limits.each);
    this.#room = limits.all;
  }

  /** How many peers are slow. */
  get size(): number {
    return this.#slow.size;
  }

  /** So many bytes have been appended. */
  grew(stream: Waited, bytes: number): void {
    const { backlog } = stream;
    if (backlog <= this.#least) return;
    const known = this.#slow.get(stream);
    const slow = known ?? { before: backlog - bytes, added: 0, isDue: false };
    if (known === undefined) this.#slow.set(stream, slow);
    slow.added += bytes;
    this.#room -= known === undefined ? backlog : bytes;
    if (backlog > AT_ONCE * this.#limits.each) end(stream);
    else if (!slow.isDue) this.#lookAt(stream, slow);
    if (this.#room < (1 - AT_ONCE) * this.#limits.all) this.#count();
  }

  /** The stream is gone. */
  forget(stream: Waited): void {
    this.#slow.delete(stream);
  }

  #lookAt(stream: Waited, slow: Slow): void {
    slow.isDue = true;
    if (this.#due.push(stream) === 1) this.#soon(this.#look);
  }

  readonly #look = (): void => {
    const due = this.#due;
    this.#due = [];
    for (const stream of due) this.#judge(stream);
    if (this.#room < 0) this.#count();
  };

  #judge(stream: Waited): void {
    const slow = this.#slow.get(stream);
    if (slow === undefined) return;
    const { backlog } = stream;
    const taken = slow.before + slow.added - backlog;
    slow.before = backlog;
    slow.added = 0;
    slow.isDue = false;
    if (backlog <= this.#least) this.#slow.delete(stream);
    else if (backlog > this.#limits.each && taken > 0) this.#lookAt(stream, slow);
    else if (backlog > this.#limits.each) end(stream);
  }

  /** Counts what really waits; where it is too much, makes room. */
  #count(): void {
    let waiting = 0;
    for (const stream of this.#slow.keys()) {
      const { backlog } = stream;
      if (backlog <= this.#least) this.#slow.delete(stream);
      else waiting += backlog;
    }
    const { all } = this.#limits;
    if (waiting > all) waiting = this.#makeRoom(waiting, all * (1 - ROOM));
    this.#room = all - waiting;
  }

  /** Streams that have been ended, but whose last words still wait, are as good as any. */
  #makeRoom(waiting: number, wanted: number): number {
    let left = waiting;
    for (const stream of [...this.#slow.keys()].sort((one, other) => other.backlog - one.backlog)) {
      if (left <= wanted) break;
      left -= stream.backlog;
      this.#slow.delete(stream);
      end(stream);
      stream.transport.destroy();
    }
    return left;
  }
}

const end = (stream: Waited): void =>
  stream.close(new StreamError("policy-violation", "more is waiting to be read than may wait"));
