import {
  type BareJid,
  type Bytes,
  type Eventually,
  parseRaw,
  readStanza,
  type Stanza,
  writeStanza,
} from "@kith/protocol";
import type {
  Address,
  AvailableResource,
  Binding,
  Ending,
  Fabric,
  Frame,
  Holder,
  Outcome,
  RowId,
  Ticket,
} from "@kith/server";
import { byAvailability, outcomeOf } from "@kith/server";

const keyOf = (address: Address): string =>
  address.kind === "account" ? `account ${address.bare}` : `domain ${address.domain}`;

const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A frame as it would be on a wire between two machines. */
const overTheWire = (frame: Frame): Frame => {
  const written = JSON.parse(JSON.stringify({ ...frame, stanza: writeStanza(frame.stanza) })) as Omit<
    Frame,
    "stanza"
  > & { stanza: Bytes };
  return { ...written, stanza: readStanza(parseRaw(written.stanza)) as Stanza };
};

/**
 * Joins the fabrics of several routers in one process, as a cluster would: every frame is written down, read back and
 * delivered in a later turn, after its commit. Shows up modules that secretly rely on living in one process.
 */
export class SplitHub {
  readonly #holders = new Map<string, Set<Holder>>();
  readonly #queues = new Map<string, Promise<unknown>>();
  #open = 0;

  get isIdle(): boolean {
    return this.#open === 0;
  }

  bind(address: Address, holder: Holder): Binding {
    const key = keyOf(address);
    const holders = this.#holders.get(key) ?? new Set();
    if (address.kind === "domain" && holders.size > 0) throw new Error(`${key} is bound already`);
    this.#holders.set(key, holders.add(holder));
    return { release: () => holders.delete(holder) };
  }

  deliver(address: Address, frame: Frame, after: Ticket | undefined): Promise<Outcome> {
    const key = keyOf(address);
    const written = overTheWire(frame);
    return this.#inOrder(key, async () => {
      if (!(await committed(after))) return DROPPED;
      let live = 0;
      let held = 0;
      for (const holder of this.#of(key)) {
        const outcome = await holder.receive(written, undefined);
        if (outcome.is !== "accepted") continue;
        live += outcome.live;
        held += outcome.held;
      }
      return outcomeOf(live, held);
    });
  }

  async available(account: BareJid): Promise<readonly AvailableResource[]> {
    await this.#counted(turnOfTheLoop());
    return this.#of(`account ${account}`)
      .flatMap((holder) => holder.available())
      .sort(byAvailability);
  }

  async underWay(account: BareJid): Promise<ReadonlySet<RowId>> {
    await this.#counted(turnOfTheLoop());
    const rows = new Set<RowId>();
    for (const holder of this.#of(`account ${account}`)) holder.underWay(rows);
    return rows;
  }

  end(account: BareJid, ending: Ending): Promise<void> {
    return this.#inOrder(`end ${account}`, async () => {
      await Promise.all(this.#of(`account ${account}`).map((holder) => holder.end(ending)));
    });
  }

  #of(key: string): readonly Holder[] {
    return [...(this.#holders.get(key) ?? [])];
  }

  #inOrder<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(key) ?? Promise.resolve();
    const mine = before.then(turnOfTheLoop).then(task);
    this.#queues.set(
      key,
      mine.catch(() => undefined),
    );
    return this.#counted(mine);
  }

  #counted<T>(task: Promise<T>): Promise<T> {
    this.#open++;
    return task.finally(() => {
      this.#open--;
    });
  }
}

/** What became of a frame whose commit failed: nothing is sent, and nothing is to be made up for either. */
const DROPPED: Outcome = { is: "accepted", live: 0, held: 0 };

const committed = (ticket: Ticket | undefined): Promise<boolean> =>
  ticket === undefined ? Promise.resolve(true) : new Promise((resolve) => ticket.onSettled(resolve));

/** One router's end of the hub. */
export class SplitFabric implements Fabric {
  readonly #hub: SplitHub;
  constructor(hub: SplitHub) {
    this.#hub = hub;
  }
  bind(address: Address, holder: Holder): Binding {
    return this.#hub.bind(address, holder);
  }
  cast(address: Address, frame: Frame, after?: Ticket): void {
    void this.#hub.deliver(address, frame, after);
  }
  deliver(address: Address, frame: Frame, after?: Ticket): Eventually<Outcome> {
    return this.#hub.deliver(address, frame, after);
  }
  available(account: BareJid): Eventually<readonly AvailableResource[]> {
    return this.#hub.available(account);
  }
  underWay(account: BareJid): Promise<ReadonlySet<RowId>> {
    return this.#hub.underWay(account);
  }
  end(account: BareJid, ending: Ending): Eventually<void> {
    return this.#hub.end(account, ending);
  }
}
