/**
 * The attackers, in a process of their own. Told what to do a line at a time (`Order`), they say how it goes once a
 * second (`Progress`).
 */
import { createInterface } from "node:readline";
import { KIND_NAMES, KINDS, type Kind, STEPS_PER_SECOND } from "./deeds.ts";
import { type Target, Villain } from "./villain.ts";

export type Order =
  | {
      readonly do: "attack";
      readonly target: Target;
      /** By turns, in equal parts. */
      readonly kinds: readonly Kind[];
      /** Where connections come from, by turns. */
      readonly addresses: readonly string[];
      /** Connections that one address holds at most; its oldest goes when it wants another one. */
      readonly perAddress: number;
      readonly connectsPerSecond: number;
    }
  | { readonly do: "stop" };

/** What there has been since the attack began. */
export interface Progress {
  readonly connects: Readonly<Record<Kind, number>>;
  /** Connections that the server, or what lies between, has ended. */
  readonly ended: number;
  readonly held: number;
  readonly seconds: number;
}

const STEP_MS = 1_000 / STEPS_PER_SECOND;

export class Attack {
  readonly #order: Extract<Order, { do: "attack" }>;
  /** By address, the oldest first. */
  readonly #held = new Map<string, Set<Villain>>();
  readonly #connects = Object.fromEntries(KIND_NAMES.map((kind) => [kind, 0])) as Record<Kind, number>;
  readonly #begun = performance.now();
  readonly #stepping: NodeJS.Timeout;
  #count = 0;
  #ended = 0;
  #isOver = false;

  constructor(order: Extract<Order, { do: "attack" }>) {
    this.#order = order;
    this.#stepping = setInterval(() => this.#step(), STEP_MS);
  }

  get progress(): Progress {
    const held = [...this.#held.values()].reduce((sum, { size }) => sum + size, 0);
    return { connects: { ...this.#connects }, ended: this.#ended, held, seconds: this.#seconds };
  }

  stop(): void {
    clearInterval(this.#stepping);
    this.#isOver = true;
    for (const villains of this.#held.values()) for (const villain of [...villains]) villain.destroy();
  }

  get #seconds(): number {
    return (performance.now() - this.#begun) / 1_000;
  }

  #step(): void {
    const due = this.#seconds * this.#order.connectsPerSecond;
    while (this.#count < due) this.#connect(this.#count++);
    for (const villains of this.#held.values()) for (const villain of villains) villain.step();
  }

  /** As many of each kind, and of each kind all deeds by turns. */
  #connect(number: number): void {
    const { addresses, kinds, perAddress, target } = this.#order;
    const kind = kinds[number % kinds.length] ?? "slow handshakes";
    const turn = Math.floor(number / kinds.length);
    const deed = KINDS[kind][turn % KINDS[kind].length];
    // Not in step with the deeds: from every address there is everything.
    const address = addresses[(turn + Math.floor(turn / addresses.length)) % addresses.length];
    if (deed === undefined || address === undefined) return;
    const villains = this.#held.get(address) ?? new Set();
    this.#held.set(address, villains);
    const [oldest] = villains;
    if (oldest !== undefined && villains.size >= perAddress) {
      villains.delete(oldest);
      oldest.destroy();
    }
    const port = deed.port === "starttls" ? target.port : target.tlsPort;
    const villain = new Villain(address, target, port, (gone) => {
      if (villains.delete(gone) && !this.#isOver) this.#ended++;
    });
    villains.add(villain);
    villain.play(deed.script(villain, turn));
    this.#connects[kind]++;
  }
}

const serve = async (): Promise<void> => {
  let attack: Attack | undefined;
  const report = (): void => {
    if (attack !== undefined) process.stdout.write(`${JSON.stringify(attack.progress)}\n`);
  };
  const reporting = setInterval(report, 1_000);
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line) as Order;
    attack?.stop();
    attack = order.do === "attack" ? new Attack(order) : undefined;
  }
  clearInterval(reporting);
  attack?.stop();
};

if (import.meta.main) await serve();
