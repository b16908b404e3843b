import { type Bytes, message } from "@kith/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Ticket } from "../store/store.ts";
import type { Wire } from "./door.ts";
import { Gate } from "./gate.ts";
import type { Sent } from "./management.ts";
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

const underWay = (outbox: Outbox): number[] => {
  const rows = new Set<number>();
  outbox.underWay(rows);
  return [...rows];
};

describe("Outbox", () => {
  const bytes = (text: string): Bytes => text as Bytes;
  const open = (): { outbox: Outbox; sent: string[]; wire: { backlog: number } } => {
    const sent: string[] = [];
    const wire = { backlog: 0, close: () => undefined, send: (data: Bytes) => void sent.push(data) };
    return { outbox: new Outbox(wire), sent, wire };
  };

  test("RFC 6120 §4.6: stored rows have arrived once the client is heard after the kernel has taken them", () => {
    const { outbox, sent, wire } = open();
    outbox.append(bytes("<a/>"), undefined, 7);
    outbox.append(bytes("<b/>"), undefined, 8);
    outbox.append(bytes("<c/>"), undefined, undefined);
    expect(sent).toEqual(["<a/>", "<b/>", "<c/>"]);
    wire.backlog = 12;
    expect([outbox.proven(), underWay(outbox)]).toEqual([[], [7, 8]]);
    wire.backlog = 0;
    expect([outbox.proven(), outbox.proven(), underWay(outbox)]).toEqual([[7, 8], [], []]);
  });

  test("a row behind an open commit cannot have arrived before it is sent", () => {
    const { outbox, sent } = open();
    const ticket = new ManualTicket();
    outbox.append(bytes("<a/>"), ticket, 7);
    expect([sent, outbox.proven()]).toEqual([[], []]);
    ticket.settle(true);
    expect([sent, outbox.proven()]).toEqual([["<a/>"], [7]]);
  });

  const counted = (text: string): Sent => ({
    stanza: message({}),
    bytes: bytes(text),
    mayLeave: false,
    row: undefined,
    settles: undefined,
    isCarbon: false,
    isGivenBack: true,
    arrived: undefined,
  });

  test("XEP-0198 §5: what has no connection waits, and goes out in order over the next", () => {
    const { outbox, sent, wire } = open();
    const ticket = new ManualTicket();
    const [a, b, c] = [counted("<a/>"), counted("<b/>"), counted("<c/>")];
    outbox.appendCounted(a, undefined);
    outbox.detach();
    outbox.appendCounted(b, undefined);
    outbox.appendCounted(c, ticket);
    outbox.attach(wire as Wire, [a, b, c]);
    expect(sent).toEqual(["<a/>", "<a/>", "<b/>"]);
    ticket.settle(true);
    expect(sent.slice(3)).toEqual(["<c/>"]);
  });

  test("XEP-0198 §4: one whose commit failed has a number, which something takes that means nothing", () => {
    const { outbox, sent } = open();
    const ticket = new ManualTicket();
    outbox.appendCounted(counted("<a/>"), ticket);
    outbox.appendCounted(counted("<b/>"), undefined);
    ticket.settle(false);
    expect(sent).toEqual(["<iq type='result' id='nothing'/>", "<b/>"]);
  });

  test("XEP-0198 §4: after ten stanzas the client is asked how many it has handled", () => {
    const { outbox, sent } = open();
    for (let at = 0; at < 21; at++) outbox.appendCounted(counted(`<m${at}/>`), undefined);
    expect(sent.flatMap((text, at) => (text.startsWith("<r ") ? [at] : []))).toEqual([10, 21]);
  });
});
