/** A client's end of stream management (XEP-0198): it acknowledges, and asks for acknowledgement. It could resume, as clients can, but never has to. */
import { ReceivedCount, SentQueue } from "@kith/protocol";
import type { Connection } from "./connection.ts";
import { attributeOf } from "./splitter.ts";

/** Whatever stanzas are sent through, one at a time. */
export interface Sender {
  send(stanza: string): void;
}

type Element = (text: string, start: number, end: number) => void;

const NS = "urn:xmpp:sm:3";
const ASK = `<r xmlns='${NS}'/>`;
const LETTER_A = 0x61;
const LETTER_R = 0x72;

export class Managed implements Sender {
  readonly #connection: Connection;
  readonly #every: number;
  readonly #sent = new SentQueue<undefined>();
  readonly #received = new ReceivedCount();
  /** Acknowledgements of more than was sent, or without a number. */
  wrong = 0;

  private constructor(connection: Connection, every: number) {
    this.#connection = connection;
    this.#every = every;
  }

  /** Settles when the server has enabled it; stanzas count from then on. Asks for an acknowledgement after every so many. */
  static enable(connection: Connection, every: number): Promise<Managed> {
    return new Promise((resolve, reject) => {
      const { ended } = connection.receiver;
      connection.receiver = {
        element: (text, start, end) => {
          const answer = text.slice(start, end);
          if (answer.startsWith("<enabled")) resolve(new Managed(connection, every));
          else reject(new Error(`stream management was not enabled: ${answer}`));
        },
        ended,
      };
      connection.send(`<enable xmlns='${NS}' resume='true'/>`);
    });
  }

  /** Stanzas that the server has yet to acknowledge. */
  get unacknowledged(): number {
    return this.#sent.length;
  }

  send(stanza: string): void {
    const number = this.#sent.append(undefined);
    this.#connection.send(number % this.#every === 0 ? stanza + ASK : stanza);
  }

  ask(): void {
    this.#connection.send(ASK);
  }

  acknowledge(): void {
    this.#connection.send(`<a xmlns='${NS}' h='${this.#received.h}'/>`);
  }

  /** What hears the connection's elements: it counts stanzas, which alone go on to the function. */
  hearing(element: Element): Element {
    return (text, start, end) => {
      const second = text.charCodeAt(start + 2);
      // Of all elements only these two have names of one letter.
      if (isNameLetter(second)) {
        this.#received.count();
        element(text, start, end);
        return;
      }
      const code = text.charCodeAt(start + 1);
      if (code === LETTER_R) this.acknowledge();
      else if (code === LETTER_A) this.#acknowledged(text.slice(start, end));
    };
  }

  #acknowledged(element: string): void {
    const h = attributeOf(element, "h");
    if (h === undefined || this.#sent.acknowledge(Number(h)) === "too-high") this.wrong++;
  }
}

const FIRST_LETTER = 0x61;
const LAST_LETTER = 0x7a;
const isNameLetter = (code: number): boolean => code >= FIRST_LETTER && code <= LAST_LETTER;
