import type { Bytes } from "@kith/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Ticket } from "../store/store.ts";
import type { Wire } from "./door.ts";
import { Gate } from "./gate.ts";
import { Outbox } from "./outbox.ts";

/** A commit that ends when the test says so. */
class ManualTicket implements Ticket {
  state: Ticket["state"] = "open";
  readonly #listeners: ((committed: boolean) => void)[] = [];
  onSettled(listener: (committed: boolean) => void): void {
    if (this.state === "open") this.#listeners.push(listener);
    else listener(this.state === "committed");
  }
  settle(committed: boolean): void {
    this.state = committed ? "committed" : "failed";
    for (const listener of this.#listeners.splice(0)) listener(committed);
  }
}

describe("Gate", () => {
  const open = (): { gate: Gate<string>; passed: string[] } => {
    const passed: string[] = [];
    return { passed, gate: new Gate((item) => passed.push(item)) };
  };

  test("RFC 6120 §10.1: what has no commit does not overtake what waits for one", () => {
    const { gate, passed } = open();
    const ticket = new ManualTicket();
    gate.enter("stored", ticket);
    gate.enter("plain", undefined);
    expect(passed).toEqual([]);
    ticket.settle(true);
    expect(passed).toEqual(["stored", "plain"]);
    expect(gate.isOpen).toBe(true);
  });

  test("an item whose commit failed is dropped, and lets the next one through", () => {
    const { gate, passed } = open();
    const [first, second] = [new ManualTicket(), new ManualTicket()];
    gate.enter("lost", first);
    gate.enter("kept", second);
    first.settle(false);
    expect(passed).toEqual([]);
    second.settle(true);
    expect(passed).toEqual(["kept"]);
  });

  test("a commit that has failed already drops its item at once", () => {
    const { gate, passed } = open();
    const ticket = new ManualTicket();
    ticket.settle(false);
    gate.enter("lost", ticket);
    gate.enter("plain", undefined);
    expect(passed).toEqual(["plain"]);
  });

  test("what enters while items are let through queues behind them", () => {
    const passed: string[] = [];
    const gate: Gate<string> = new Gate((item) => {
      passed.push(item);
      if (item === "a") gate.enter("from a", undefined);
    });
    const ticket = new ManualTicket();
    gate.enter("a", ticket);
    gate.enter("b", undefined);
    ticket.settle(true);
    expect(passed).toEqual(["a", "b", "from a"]);
  });

  test("whatever settles when, what passes is in the order it came, less what failed", () => {
    const step = fc.record({ ticket: fc.nat(4), stored: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
        fc.nat(4),
        (steps, order, failing) => {
          const { gate, passed } = open();
          const tickets = [0, 1, 2, 3, 4].map(() => new ManualTicket());
          for (const [at, { ticket, stored }] of steps.entries())
            gate.enter(String(at), stored ? tickets[ticket] : undefined);
          for (const at of order) tickets[at]?.settle(at !== failing);
          expect(passed).toEqual(
            steps.flatMap(({ ticket, stored }, at) => (stored && ticket === failing ? [] : [String(at)])),
          );
        },
      ),
    );
  });
});

describe("Outbox", () => {
  const bytes = (text: string): Bytes => text as Bytes;
  const open = (): { outbox: Outbox; sent: string[]; settled: number[][]; flush: () => void } => {
    const sent: string[] = [];
    const settled: number[][] = [];
    const waiting: (() => void)[] = [];
    const wire: Wire = {
      backlog: 0,
      close: () => undefined,
      send: (data) => sent.push(data),
      whenFlushed: (done) => waiting.push(done),
    };
    return {
      outbox: new Outbox(wire, (rows) => settled.push([...rows])),
      sent,
      settled,
      flush: () => {
        for (const done of waiting.splice(0)) done();
      },
    };
  };

  test("stored rows are settled together, once the kernel has them", () => {
    const { outbox, sent, settled, flush } = open();
    outbox.append(bytes("<a/>"), undefined, 7);
    outbox.append(bytes("<b/>"), undefined, 8);
    outbox.append(bytes("<c/>"), undefined, undefined);
    expect(sent).toEqual(["<a/>", "<b/>", "<c/>"]);
    expect(settled).toEqual([]);
    flush();
    expect(settled).toEqual([[7, 8]]);
  });

  test("a row behind an open commit is not settled before it is sent", () => {
    const { outbox, sent, settled, flush } = open();
    const ticket = new ManualTicket();
    outbox.append(bytes("<a/>"), ticket, 7);
    flush();
    expect([sent, settled]).toEqual([[], []]);
    ticket.settle(true);
    flush();
    expect([sent, settled]).toEqual([["<a/>"], [[7]]]);
  });
});
