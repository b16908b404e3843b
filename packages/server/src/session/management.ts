import { type Bytes, ReceivedCount, SentQueue, type Stanza } from "@kith/protocol";
import type { StreamKey, StreamPlace } from "../store/messages.ts";
import type { RowId } from "../store/store.ts";

/** A stanza on its way to a client that says what it has handled. */
export interface Sent {
  readonly stanza: Stanza;
  /** What goes out, and again after a resumption. */
  bytes: Bytes;
  /** Has everything been committed that it waits for? */
  mayLeave: boolean;
  /** The stored message that it is, or is a copy of. */
  readonly row: RowId | undefined;
  /** The stored message that waits for the account no longer once this has arrived. */
  readonly settles: RowId | undefined;
  /** What a stored message looked like (XEP-0280). */
  readonly isCarbon: boolean;
  /** If it never arrives: somebody else may get it, or its sender is told. What is stored waits, and is not given back. */
  readonly isGivenBack: boolean;
  /** To be called when it has arrived. */
  readonly arrived: (() => void) | undefined;
}

/** What can be resumed, and for how long. */
export interface Resumable {
  /** The SM-ID (XEP-0198 §3): whoever knows it and is the account may resume the stream. */
  readonly id: string;
  /** In seconds. */
  readonly max: number;
}

/**
 * XEP-0198 for one session: what it was sent and has not acknowledged, and how many of its own stanzas have been handled.
 * Stored messages are noted under a key that changes whenever numbers are given anew, which is after a restart.
 */
export class Management {
  readonly resumable: Resumable | undefined;
  sent = new SentQueue<Sent>();
  readonly received: ReceivedCount;
  /** So many of the next stanzas have been received before, on a connection that is gone. */
  repeats = 0;
  /** How often the stanzas sent have been numbered. */
  generation: number;
  /** Nothing stored up to and with this row matters to the stream any more. */
  since: RowId;
  /** Of what has not been acknowledged. */
  bytes = 0;
  readonly #restart: string | undefined;

  /** `restart`: names the restart since which its client has not come back. */
  constructor(
    resumable: Resumable | undefined,
    { generation, received, since }: { generation: number; received: number; since: RowId },
    restart?: string,
  ) {
    this.#restart = restart;
    this.resumable = resumable;
    this.generation = generation;
    this.received = new ReceivedCount(received);
    this.since = since;
  }

  /** What deliveries are noted under. */
  get key(): StreamKey {
    const id = this.resumable?.id ?? "";
    return this.#restart === undefined
      ? streamKey(id, this.generation)
      : awayKey(id, this.generation - 1, this.#restart);
  }

  append(item: Sent): number {
    this.bytes += weightOf(item);
    return this.sent.append(item);
  }

  /** What the client says it has handled is no longer kept; "too-high" where it says too much (§6). */
  acknowledge(h: number): readonly Sent[] | "too-high" {
    const acknowledged = this.sent.acknowledge(h);
    if (acknowledged !== "too-high") for (const item of acknowledged) this.bytes -= weightOf(item);
    return acknowledged;
  }

  placeOf(number: number): StreamPlace | undefined {
    return this.resumable === undefined || number === 0 ? undefined : { stream: this.resumable.id, number };
  }

  /** Where a restarted server has to begin to look. `countedThrough`: all that the client sent is counted up to and with this row. */
  watermark(countedThrough: RowId): RowId {
    let oldest = countedThrough + 1;
    for (const { row } of this.sent.unacknowledged) if (row !== undefined && row < oldest) oldest = row;
    return oldest - 1;
  }
}

/** The payload is what weighs, and what never changes. */
const weightOf = ({ stanza }: Sent): number => stanza.payload.length;

export const streamKey = (id: string, generation: number): StreamKey => `${id}.${generation}`;

/**
 * What is sent to a client that has been away since this restart is noted under: after each it is numbered from 1 again, while the
 * generation that its client knows stays what it is.
 */
export const awayKey = (id: string, generation: number, restart: string): StreamKey =>
  `${streamKey(id, generation + 1)}.${restart}`;
