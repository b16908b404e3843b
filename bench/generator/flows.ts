/** Numbered stanzas from senders to receivers, in closed loop or at a fixed rate, and what became of each. */
import { randomInt } from "node:crypto";
import { Histogram } from "./histogram.ts";
import type { Sender } from "./managed.ts";
import { Sequences } from "./sequences.ts";

/** One sender and everything it sends. */
export interface FlowOptions {
  readonly sender: Sender;
  /** The stanza up to its `id`, such as `<message to='romeo@example.org' id='`. */
  readonly head: string;
}

export interface FlowsOptions {
  readonly flows: readonly FlowOptions[];
  /** How many receivers get each stanza. */
  readonly fan: number;
  readonly receivers: number;
  /** The element that carries the text, inside of what. */
  readonly carrier: "body" | "status";
  readonly stanza: "message" | "presence";
  /** Octets of text. */
  readonly textLength: number;
  /** Stanzas that one flow may have under way; a power of two. */
  readonly capacity: number;
  /** Puts an `<origin-id/>` (XEP-0359) into each, as clients do that may have to send it again. */
  readonly originIds?: boolean;
}

interface Flow extends FlowOptions {
  /** What follows the number in the `id`, up to the number in the origin-id, if there is one. */
  readonly origin: string | undefined;
  /** What follows that, up to the number in the text. */
  readonly middle: string;
  /** What follows the number in the text, by its digits: the texts are all of one length. */
  readonly ends: readonly string[];
  sent: number;
}

const MOST_DIGITS = 10;
const ZERO = 0x30;
const FILLING = "but soft what light through yonder window breaks ";

export class Flows {
  readonly latencies = new Histogram();
  readonly sequences: Sequences;
  /** Texts that did not arrive as they were sent, and numbers that were never sent. */
  damaged = 0;
  errors = 0;
  /** Deliveries since measuring began. */
  measured = 0;
  isMeasuring = false;
  /** Told when all receivers have got a stanza. */
  completed: ((flow: number) => void) | undefined = undefined;
  readonly #options: FlowsOptions;
  readonly #flows: readonly Flow[];
  /** Peculiar to this run; and with what follows, the text before the flow's number. */
  readonly #run = `kb${randomInt(0x1000_0000, 0x7fff_ffff).toString(36)}`;
  readonly #marker = `${this.#run}:`;
  readonly #closing: string;
  /** By flow and number modulo capacity. */
  readonly #due: Float64Array;
  readonly #arrivals: Uint16Array;

  constructor(options: FlowsOptions) {
    const { flows, receivers, fan, capacity } = options;
    this.#options = options;
    this.#closing = `</${options.carrier}>`;
    this.#flows = flows.map((flow, at) => ({ ...flow, ...this.#parts(at), sent: 0 }));
    this.#due = new Float64Array(flows.length * capacity);
    this.#arrivals = new Uint16Array(fan > 1 ? flows.length * capacity : 0);
    this.sequences = new Sequences(fan > 1 ? flows.length * receivers : flows.length);
  }

  get count(): number {
    return this.#flows.length;
  }

  /** Deliveries that are due by now or will be. */
  get expected(): number {
    return this.#flows.reduce((sum, { sent }) => sum + sent, 0) * this.#options.fan;
  }

  /** Sends a flow's next stanza, which was due at this time (`performance.now()`). */
  send(at: number, due: number): void {
    const flow = this.#flows[at];
    if (flow === undefined) return;
    const number = flow.sent++;
    const digits = String(number);
    this.#due[this.#slot(at, number)] = due;
    const start = flow.origin === undefined ? flow.head + digits : flow.head + digits + flow.origin + digits;
    flow.sender.send(start + flow.middle + digits + flow.ends[digits.length]);
  }

  /** An element has come to a receiver. */
  arrived(receiver: number, text: string, start: number, end: number): void {
    const marker = text.indexOf(this.#marker, start);
    if (marker < 0 || marker >= end) return;
    if (text.slice(start, marker).includes("type='error'")) {
      this.errors++;
      return;
    }
    const flowAt = marker + this.#marker.length;
    const numberAt = text.indexOf(":", flowAt) + 1;
    const flow = readNumber(text, flowAt, numberAt - 1);
    const number = readNumber(text, numberAt, text.indexOf(":", numberAt));
    const isWhole = text.startsWith(this.#closing, marker + this.#options.textLength);
    if (isWhole && number < (this.#flows[flow]?.sent ?? 0)) this.#account(receiver, flow, number);
    else this.damaged++;
  }

  #account(receiver: number, flow: number, number: number): void {
    const { fan } = this.#options;
    const stream = fan > 1 ? receiver * this.#flows.length + flow : flow;
    if (!this.sequences.arrived(stream, number)) return;
    const slot = this.#slot(flow, number);
    if (this.isMeasuring) {
      this.measured++;
      this.latencies.add(performance.now() - (this.#due[slot] ?? 0));
    }
    if (fan > 1) {
      const arrivals = (this.#arrivals[slot] ?? 0) + 1;
      this.#arrivals[slot] = arrivals === fan ? 0 : arrivals;
      if (arrivals < fan) return;
    }
    this.completed?.(flow);
  }

  #slot(flow: number, number: number): number {
    const { capacity } = this.#options;
    return flow * capacity + (number & (capacity - 1));
  }

  #parts(flow: number): Pick<Flow, "origin" | "middle" | "ends"> {
    const { carrier, stanza, textLength, originIds } = this.#options;
    const beforeNumber = `${this.#marker}${flow}:`;
    const ends = Array.from({ length: MOST_DIGITS + 1 }, (_, digits) => {
      const rest = textLength - beforeNumber.length - digits - 1;
      if (rest < 0) throw new RangeError(`a text of ${textLength} octets is too short`);
      return `:${FILLING.repeat(Math.ceil(rest / FILLING.length)).slice(0, rest)}</${carrier}></${stanza}>`;
    });
    const text = `<${carrier}>${beforeNumber}`;
    if (originIds !== true) return { origin: undefined, middle: `-${flow}'>${text}`, ends };
    return {
      origin: `-${flow}'><origin-id xmlns='urn:xmpp:sid:0' id='${this.#run}-${flow}-`,
      middle: `'/>${text}`,
      ends,
    };
  }
}

const readNumber = (text: string, start: number, end: number): number => {
  let number = 0;
  for (let at = start; at < end; at++) number = number * 10 + text.charCodeAt(at) - ZERO;
  return number;
};
