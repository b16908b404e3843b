import { type Jid, type Message, parseRaw, readStanza, SentQueue } from "@kith/protocol";
import type { Frame } from "../fabric/fabric.ts";
import type { Delivery, MessageTraces, StreamKey } from "../store/messages.ts";
import type { RowId } from "../store/store.ts";
import { awayKey, Management, type Resumable, type Sent, streamKey } from "./management.ts";
import type { SessionServices } from "./session-services.ts";
import { sentOf } from "./stream-manager.ts";

/** A stream that was left by a server that is gone. */
export interface Left {
  readonly jid: Jid;
  readonly resumable: Resumable;
  /** The generation whose numbers its client knows; later ones were never sent. */
  readonly generation: number;
}

/** Its stored stanzas again, numbered anew behind what its client says it has. */
export interface Recovered {
  readonly management: Management;
  /** Stored messages for the account that its client says it has had. */
  readonly arrived: readonly RowId[];
}

/**
 * After a restart the client's `h` is the truth (architecture §5). What was stored tells what was sent after it; what was not stored
 * is lost with the server that held it, and so are its numbers. `traces`: what is stored for the account; `old`: what has come for the
 * stream since the restart.
 */
export const recover = (
  traces: readonly MessageTraces[],
  left: Left,
  h: number,
  old: Management,
  services: SessionServices,
): Recovered => {
  const management = new Management(left.resumable, {
    generation: old.generation + 1,
    received: Math.max(old.received.handled, ...traces.map((trace) => handledBy(trace, left))),
    since: old.since,
  });
  management.sent = new SentQueue(h);
  const had = seen(traces, left, h);
  const before = unseen(traces, left, h).filter(({ trace }) => !had.has(trace));
  // What was given to it once more meanwhile keeps the place it had.
  const known = new Set([...had, ...before.map(({ trace }) => trace)].map(({ row }) => row));
  const since = old.sent.unacknowledged.filter(({ row }) => row === undefined || !known.has(row));
  for (const sent of [...before.map((found) => restored(found, left.jid, services)), ...since]) {
    const number = management.append(sent);
    if (sent.row === undefined) continue;
    const delivery: Delivery = { stream: management.key, number, as: sent.isCarbon ? "carbon" : "plain" };
    services.router().note(services.messages.delivered(sent.row, delivery));
  }
  const arrived = [...had].filter(({ recipient }) => recipient === left.jid.bare).map(({ row }) => row);
  return { management, arrived };
};

const handledBy = ({ origin }: MessageTraces, { resumable }: Left): number =>
  origin?.stream === resumable.id ? origin.number : 0;

/** What the client has had. */
const seen = (traces: readonly MessageTraces[], left: Left, h: number): ReadonlySet<MessageTraces> => {
  const key = streamKey(left.resumable.id, left.generation);
  const isSeen = ({ stream, number }: Delivery): boolean => stream === key && isHandled(number, h);
  return new Set(traces.filter(({ deliveries }) => deliveries.some(isSeen)));
};

interface Unseen {
  readonly trace: MessageTraces;
  readonly delivery: Delivery;
}

/**
 * What the client has not had, in the order in which it was sent, each once. What was never sent, since the client was away while there was
 * a server again, comes after that, as it was stored.
 */
const unseen = (traces: readonly MessageTraces[], left: Left, h: number): readonly Unseen[] => {
  const on = (isMeant: (stream: StreamKey) => boolean): readonly Unseen[] =>
    traces.flatMap((trace) =>
      trace.deliveries.flatMap((delivery) => (isMeant(delivery.stream) ? [{ trace, delivery }] : [])),
    );
  const key = streamKey(left.resumable.id, left.generation);
  const sent = on((stream) => stream === key).filter(({ delivery }) => !isHandled(delivery.number, h));
  const away = on((stream) => stream.startsWith(awayKey(left.resumable.id, left.generation, "")));
  const all = [...sent.toSorted((a, b) => a.delivery.number - b.delivery.number), ...away];
  const taken = new Set<RowId>();
  return all.filter(({ trace }) => taken.size < taken.add(trace.row).size);
};

const HALF = 0x8000_0000;
/** Both modulo 2^32. */
const isHandled = (number: number, h: number): boolean => (h - number) >>> 0 < HALF;

const restored = ({ trace, delivery }: Unseen, jid: Jid, services: SessionServices): Sent => {
  const { row, sender, recipient, isArchived } = trace;
  const isSent = sender === jid.bare && (isArchived.sent || recipient !== jid.bare);
  const side = isSent ? "sent" : "received";
  const frame: Frame = {
    stanza: readStanza(parseRaw(trace.stanza)) as Message,
    for: "bound",
    stored: { row, side, isArchived: isArchived[side], waits: recipient === jid.bare },
    carbon: delivery.as === "carbon" ? side : undefined,
  };
  return { ...sentOf(frame, jid, services, undefined), mayLeave: true };
};
