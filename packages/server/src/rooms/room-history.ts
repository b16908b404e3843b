/** XEP-0045 §7.2.13, §7.2.14: what was said before somebody entered. */
import {
  type Bytes,
  Delay,
  type Element,
  type HistoryRequest,
  type Jid,
  type Message,
  readdressed,
  withChildren,
  withRawChild,
  withStanzaId,
  writeElement,
  writeStanza,
} from "@kith/protocol";
import type { HistoryEntry } from "./room-model.ts";
import { isSubjectChange } from "./room-stanzas.ts";

/** The last messages of a room, the oldest first; of bounded number and size. */
export class RoomHistory {
  readonly #room: Jid;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #entries: HistoryEntry[];
  #bytes = 0;

  constructor(room: Jid, maxEntries: number, maxBytes: number, entries: readonly HistoryEntry[] = []) {
    this.#room = room;
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
    this.#entries = [];
    for (const entry of entries) this.add(entry);
  }

  get entries(): readonly HistoryEntry[] {
    return this.#entries;
  }

  /** A change of the subject is archived, but no part of the history (§7.2.13). */
  add(entry: HistoryEntry): void {
    if (isSubjectChange(entry.message)) return;
    this.#entries.push(entry);
    this.#bytes += entry.message.payload.length;
    while (this.#entries.length > this.#maxEntries || this.#bytes > this.#maxBytes) {
      const oldest = this.#entries.shift();
      if (oldest === undefined) return;
      this.#bytes -= oldest.message.payload.length;
    }
  }

  /** Takes what a message said out of it, and leaves the tombstone in its place (XEP-0424, XEP-0425). */
  retract(stanzaId: string, tombstone?: Element): void {
    const entry = this.#entries.find((candidate) => candidate.stanzaId === stanzaId);
    if (entry === undefined) return;
    this.#bytes -= entry.message.payload.length;
    entry.message = withChildren(entry.message, tombstone === undefined ? [] : [tombstone]);
    this.#bytes += entry.message.payload.length;
    if (tombstone === undefined) this.#entries = this.#entries.filter((candidate) => candidate !== entry);
  }

  /** The messages that somebody who enters is shown, each stamped (§7.2.13): as many of the last as all limits allow. */
  select(reader: Jid, max: number, request: HistoryRequest, at: number): readonly Message[] {
    const { maxChars = Number.POSITIVE_INFINITY, maxStanzas = max, seconds, since = 0 } = request;
    const earliest = Math.max(since, seconds === undefined ? 0 : at - seconds * 1000);
    const chosen: Message[] = [];
    let characters = 0;
    for (let index = this.#entries.length - 1; index >= 0 && chosen.length < Math.min(max, maxStanzas); index--) {
      const entry = this.#entries[index] as HistoryEntry;
      if (entry.stamp < earliest) break;
      const message = this.#stamped(entry);
      characters += writeStanza(readdressed(message, message.from, reader)).length;
      if (characters > maxChars) break;
      chosen.push(message);
    }
    return chosen.reverse();
  }

  #stamped({ message, stanzaId, stamp }: HistoryEntry): Message {
    const identified = stanzaId === undefined ? message : withStanzaId(message, stanzaId, this.#room);
    return withRawChild(identified, delayBy(this.#room, stamp));
  }
}

/** `<delay/>` by the room itself (§7.2.13, §7.2.15). */
export const delayBy = (room: Jid, stamp: number): Bytes => writeElement(Delay.build({ stamp, from: room }));
