/** Honest people who chat in pairs at a steady rate, and what became of every message. */
import { setTimeout as after } from "node:timers/promises";
import { assemble, type Crowd } from "../../../../bench/generator/crowd.ts";
import { capacityFor } from "../../../../bench/generator/drive.ts";
import { Flows } from "../../../../bench/generator/flows.ts";
import { PASSWORD, type Server } from "../../../../bench/generator/login.ts";
import { Ticker } from "../../../../bench/generator/ticker.ts";

export { PASSWORD };
/** Their accounts are this and a number from 1. */
export const PREFIX = "honest";

const BODY_LENGTH = 100;
const LOGINS_AT_ONCE = 20;
const DRAIN_MS = 15_000;
const LOOK_MS = 20;

/** What one time of chatting came to. Times in milliseconds. */
export interface Chatted {
  readonly messages: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly damaged: number;
  /** Messages that came back as errors. */
  readonly refused: number;
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
  /** How late the generator itself was at the worst. */
  readonly latestSend: number;
}

export class Pairs {
  readonly #crowd: Crowd;
  readonly #count: number;

  private constructor(crowd: Crowd, count: number) {
    this.#crowd = crowd;
    this.#count = count;
  }

  /** Brings them online. Their accounts are there. */
  static async meet(server: Server, count: number): Promise<Pairs> {
    return new Pairs(await assemble({ server, prefix: PREFIX, count: 2 * count, atOnce: LOGINS_AT_ONCE }), count);
  }

  /** Connections that have ended without their asking. */
  get broken(): number {
    return this.#crowd.broken;
  }

  /** Chats for so many seconds, then waits for what is under way. Latency counts from when a message was due. */
  async chat(rate: number, seconds: number): Promise<Chatted> {
    const flows = this.#flows(rate, seconds);
    flows.isMeasuring = true;
    const latestSend = await paced(flows, rate, seconds);
    const end = performance.now() + DRAIN_MS;
    while (flows.sequences.delivered < flows.expected && performance.now() < end) await after(LOOK_MS);
    const { latencies, sequences, expected, damaged, errors } = flows;
    return {
      messages: expected,
      lost: expected - sequences.delivered,
      doubled: sequences.doubled,
      reordered: sequences.reordered,
      damaged,
      refused: errors,
      p50: latencies.quantile(0.5),
      p99: latencies.quantile(0.99),
      slowest: latencies.max,
      latestSend,
    };
  }

  leave(): Promise<void> {
    return this.#crowd.leave();
  }

  /** The first of each two sends to the second, who hears errors too. */
  #flows(rate: number, seconds: number): Flows {
    const { clients } = this.#crowd;
    const flows = new Flows({
      flows: Array.from({ length: this.#count }, (_, pair) => {
        const [sender, receiver] = clients.slice(2 * pair, 2 * pair + 2);
        if (sender === undefined || receiver === undefined) throw new RangeError(`there is no pair ${pair}`);
        return { sender: sender.connection, head: `<message type='chat' to='${receiver.jid}' id='` };
      }),
      fan: 1,
      receivers: this.#count,
      stanza: "message",
      carrier: "body",
      textLength: BODY_LENGTH,
      capacity: capacityFor({ rate }, this.#count, { warmup: 0, duration: seconds }),
    });
    clients.forEach((_, number) => {
      this.#crowd.hear(number, (text, start, end) => flows.arrived(number >> 1, text, start, end));
    });
    return flows;
  }
}

/** Sends one after the other, each when it is due; gives how late the latest was. */
const paced = async (flows: Flows, rate: number, seconds: number): Promise<number> => {
  const stepMs = 1_000 / rate;
  const ticker = await Ticker.open(stepMs);
  const last = Math.floor(rate * seconds);
  let sent = 0;
  let latest = 0;
  const done = Promise.withResolvers<void>();
  ticker.onTick = () => {
    for (let due = ticker.start + sent * stepMs; due <= performance.now() && sent < last; ) {
      flows.send(sent % flows.count, due);
      latest = Math.max(latest, performance.now() - due);
      due = ticker.start + ++sent * stepMs;
    }
    if (sent >= last) done.resolve();
  };
  await done.promise;
  await ticker.stop();
  return latest;
};
