/** - "kept": a message that archives keep - "no-store": one that nobody keeps - "presence", "iq": what goes between them */
export type Kind = "kept" | "no-store" | "presence" | "iq";

/** Who says something to whom: a device to an account. What is said on a lane is numbered from 1. */
export interface Lane {
  readonly name: string;
  /** Bare localparts. */
  readonly sender: string;
  readonly device: string;
  readonly recipient: string;
}

/** Something that was said. */
export interface Said {
  readonly id: string;
  readonly lane: Lane;
  readonly number: number;
  readonly kind: Kind;
  /** In milliseconds since the run began: when it was first sent. */
  readonly at: number;
  /** Does it bear an id of its sender's by which the server knows it again (XEP-0359 §2.2)? */
  readonly isRecognisable: boolean;
  /** How often it has been sent. */
  sendings: number;
  /** Has it been sent on more than one stream? */
  isSentAnew: boolean;
  isAcknowledged: boolean;
  isRefused: boolean;
  /** What happened to it, in order. */
  readonly trace: string[];
}

/** Something that happened to a device, or to the server. */
export interface Happening {
  /** In milliseconds since the run began. */
  readonly at: number;
  /** "account/device", or "server". */
  readonly who: string;
  readonly what: string;
}

/** Everything that was said in a run, and what became of it. */
export class Ledger {
  readonly #said = new Map<string, Said>();
  readonly #lanes = new Map<string, Lane>();
  readonly #numbers = new Map<string, number>();
  readonly #now: () => number;
  readonly #happenings: Happening[] = [];
  /** Of which life of the server this is. */
  life = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get now(): number {
    return this.#now();
  }

  get all(): Iterable<Said> {
    return this.#said.values();
  }

  lane(sender: string, device: string, recipient: string): Lane {
    const name = `${sender}/${device}:${recipient}`;
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const lane = { name, sender, device, recipient };
    this.#lanes.set(name, lane);
    return lane;
  }

  /** Something new, with the next number of its lane. */
  say(lane: Lane, kind: Kind, isRecognisable = true): Said {
    const number = (this.#numbers.get(lane.name) ?? 0) + 1;
    this.#numbers.set(lane.name, number);
    const said: Said = {
      id: `${lane.name}#${number}`,
      lane,
      number,
      kind,
      at: this.#now(),
      isRecognisable,
      sendings: 0,
      isSentAnew: false,
      isAcknowledged: false,
      isRefused: false,
      trace: [],
    };
    this.#said.set(said.id, said);
    return said;
  }

  find(id: string): Said | undefined {
    return this.#said.get(id);
  }

  note(said: Said, what: string): void {
    said.trace.push(`${seconds(this.#now())}, life ${this.life}: ${what}`);
  }

  happens(who: string, what: string): void {
    this.#happenings.push({ at: this.#now(), who, what });
  }

  /** What happened to the server and to these accounts' devices between two moments. */
  between(from: number, to: number, accounts: readonly string[]): readonly string[] {
    const concerns = (who: string): boolean => who === "server" || accounts.includes(who.slice(0, who.indexOf("/")));
    return this.#happenings
      .filter(({ at, who }) => at >= from && at <= to && concerns(who))
      .map(({ at, who, what }) => `${seconds(at)}: ${who} ${what}`);
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)} s`;
