/** Pages of an archive (XEP-0313), read again and again while messages are being written. */
import { randomInt } from "node:crypto";
import { setTimeout as after } from "node:timers/promises";
import { type Figures, PAGE_PLACES, type PagePlace } from "../figures.ts";
import { assemble, userName } from "./crowd.ts";
import { drive, type Load } from "./drive.ts";
import { Histogram } from "./histogram.ts";
import { type Client, logIn } from "./login.ts";
import { type Bench, chatFlows } from "./measure-tasks.ts";
import { Meter } from "./meter.ts";
import { attributeOf, textOfChild } from "./splitter.ts";

/** Pairs who chat; meanwhile another client of the first of them reads pages of their archive, one after the other. */
export interface PagesTask {
  readonly do: "pages";
  readonly prefix: string;
  readonly pairs: number;
  readonly load: Load;
  /** Octets of each body. */
  readonly bodyLength: number;
  /** Messages of a page. */
  readonly pageSize: number;
}

const AT_ONCE = 50;
const SETTLING_MS = 1_000;

export const pages = async (task: PagesTask, bench: Bench): Promise<Figures> => {
  const { server, phases } = bench;
  const crowd = await assemble({ server, prefix: task.prefix, count: 2 * task.pairs, atOnce: AT_ONCE });
  const reader = await Reader.open(await logIn(server, userName(task.prefix, 0), "reader"), task.pageSize);
  await after(SETTLING_MS);
  const flows = chatFlows(crowd, { ...task, originIds: true }, phases);
  let isOver = false;
  const reading = readAll(reader, () => (isOver ? "over" : flows.isMeasuring ? "measuring" : "warming up"));
  const driving = drive(flows, task.load, phases, new Meter(bench.process));
  // Whichever fails first is what went wrong.
  await Promise.race([driving, reading]);
  // What the server spends is spent on messages as well: there is no telling what a page cost.
  const { serverMicros: _, ...driven } = await driving;
  isOver = true;
  const read = await reading;
  const { broken } = crowd;
  reader.close();
  await crowd.leave();
  return { ...driven, ...read, perSecond: (read.units ?? 0) / (driven.seconds ?? 1), broken };
};

/** Reads pages, each place in turn, until it is over; keeps how long each took while it is measured. */
const readAll = async (reader: Reader, phase: () => "warming up" | "measuring" | "over"): Promise<Figures> => {
  const all = new Histogram();
  const places = { first: new Histogram(), middle: new Histogram(), last: new Histogram() };
  for (let number = 0; phase() !== "over"; number++) {
    const place = PAGE_PLACES[number % PAGE_PLACES.length] ?? "first";
    const isMeasured = phase() === "measuring";
    const begun = performance.now();
    await reader.page(place);
    if (!isMeasured) continue;
    const ms = performance.now() - begun;
    all.add(ms);
    places[place].add(ms);
  }
  return {
    units: all.count,
    p50Ms: all.quantile(0.5),
    p99Ms: all.quantile(0.99),
    maxMs: all.max,
    ...Object.fromEntries(
      PAGE_PLACES.flatMap((place) => [
        [`${place}P50Ms`, places[place].quantile(0.5)],
        [`${place}P99Ms`, places[place].quantile(0.99)],
      ]),
    ),
  };
};

/** The pages in the middle begin at one of so many places, so that the same is not read every time. */
const MIDDLES = 20;

/** A client that reads its archive. Rejects where a page is not as long as it was asked for. */
export class Reader {
  readonly #client: Client;
  readonly #size: number;
  /** Ids of messages in the middle. */
  readonly #middles: string[] = [];
  #queries = 0;
  #answer:
    | { readonly id: string; readonly resolve: (fin: string) => void; readonly reject: (error: Error) => void }
    | undefined;
  #messages = 0;

  /** Settles when it knows messages in the middle. */
  static async open(client: Client, size: number): Promise<Reader> {
    const reader = new Reader(client, size);
    await reader.#findMiddles();
    return reader;
  }

  private constructor(client: Client, size: number) {
    this.#client = client;
    this.#size = size;
    client.connection.receiver = {
      element: (text, start, end) => this.#take(text, start, end),
      ended: (error) => this.#answer?.reject(error ?? new Error("the archive's reader was closed")),
    };
  }

  page(place: PagePlace): Promise<string> {
    return this.#query(
      place === "first" ? "" : place === "last" ? "<before/>" : `<after>${this.#someMiddle()}</after>`,
    );
  }

  close(): void {
    this.#client.connection.close();
  }

  #someMiddle(): string {
    return this.#middles[randomInt(this.#middles.length)] ?? "";
  }

  /** By time, between the first message and the last. */
  async #findMiddles(): Promise<void> {
    const [first, last] = [await this.#stampOf("first"), await this.#stampOf("last")];
    for (let at = 0; at < MIDDLES; at++) {
      const stamp = first + (last - first) * (0.4 + (0.2 * at) / MIDDLES);
      const fin = await this.#query("", `<field var='start'><value>${new Date(stamp).toISOString()}</value></field>`);
      this.#middles.push(textOfChild(fin, "last") ?? "");
    }
  }

  async #stampOf(place: "first" | "last"): Promise<number> {
    await this.page(place);
    return this.#stamp;
  }
  #stamp = 0;

  /** Settles with the result when it has come after all messages of the page. */
  #query(position: string, fields = ""): Promise<string> {
    const id = `page${this.#queries++}`;
    this.#messages = 0;
    const form =
      fields === ""
        ? ""
        : `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>${fields}</x>`;
    return new Promise((resolve, reject) => {
      this.#answer = { id, resolve, reject };
      this.#client.connection.send(
        `<iq type='set' id='${id}'><query xmlns='urn:xmpp:mam:2' queryid='${id}'>${form}` +
          `<set xmlns='http://jabber.org/protocol/rsm'><max>${this.#size}</max>${position}</set></query></iq>`,
      );
    });
  }

  #take(text: string, start: number, end: number): void {
    if (text.startsWith("<message", start)) {
      this.#messages++;
      if (this.#middles.length === 0) this.#stamp = stampIn(text.slice(start, end)) ?? this.#stamp;
    } else if (text.startsWith("<iq", start)) this.#answered(text.slice(start, end));
  }

  #answered(iq: string): void {
    const answer = this.#answer;
    if (answer === undefined || attributeOf(iq, "id") !== answer.id) return;
    this.#answer = undefined;
    if (attributeOf(iq, "type") === "result" && this.#messages === this.#size) answer.resolve(iq);
    else answer.reject(new Error(`a page had ${this.#messages} messages, then came ${iq}`));
  }
}

/** When an archived message was received, in milliseconds since 1970. */
const stampIn = (message: string): number | undefined => {
  const [, stamp] = /<delay [^>]*stamp=['"]([^'"]+)['"]/.exec(message) ?? [];
  return stamp === undefined ? undefined : Date.parse(stamp);
};
