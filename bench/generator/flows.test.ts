import { expect, test } from "vitest";
import type { Connection } from "./connection.ts";
import { Flows, type FlowsOptions } from "./flows.ts";

const TEXT_LENGTH = 100;

/** Flows of clients that keep what they send. */
const open = (options: Partial<FlowsOptions> & { readonly senders: number }) => {
  const sent: string[] = [];
  const sender = { send: (text: string) => sent.push(text) } as unknown as Connection;
  const flows = new Flows({
    flows: Array.from({ length: options.senders }, (_, at) => ({
      sender,
      head: `<message to='u${at}@localhost' id='`,
    })),
    fan: 1,
    receivers: options.senders,
    stanza: "message",
    carrier: "body",
    textLength: TEXT_LENGTH,
    capacity: 4,
    ...options,
  });
  const arrive = (receiver: number, text: string): void => flows.arrived(receiver, text, 0, text.length);
  return { flows, sent, arrive };
};

const accounts = ({ sequences: { delivered, doubled, reordered }, damaged, errors, expected }: Flows) => ({
  lost: expected - delivered,
  doubled,
  reordered,
  damaged,
  errors,
});
const CLEAN = { lost: 0, doubled: 0, reordered: 0, damaged: 0, errors: 0 };

test("every text has the length asked for, and every stanza another id", () => {
  const { flows, sent } = open({ senders: 12 });
  for (let number = 0; number < 1_200; number++) flows.send(number % 12, 0);
  const texts = sent.map((stanza) => /<body>([^<]*)<\/body><\/message>$/.exec(stanza)?.[1]?.length);
  expect(new Set(texts)).toEqual(new Set([TEXT_LENGTH]));
  expect(new Set(sent.map((stanza) => /id='([^']*)'/.exec(stanza)?.[1])).size).toBe(1_200);
});

test("XEP-0359 §3.2: with origin-ids each stanza has one that no other has, of this run or another, and arrives as any", () => {
  const runs = [open({ senders: 3, originIds: true }), open({ senders: 3, originIds: true })];
  for (const { flows } of runs) for (let number = 0; number < 12; number++) flows.send(number % 3, 0);
  const ids = runs.flatMap(({ sent }) =>
    sent.map((stanza) => /<origin-id xmlns='urn:xmpp:sid:0' id='([^']+)'\/><body>/.exec(stanza)?.[1]),
  );
  expect([ids.includes(undefined), new Set(ids).size]).toEqual([false, 24]);
  for (const { flows, sent, arrive } of runs) {
    for (const stanza of sent) arrive(0, stanza);
    expect(accounts(flows)).toEqual(CLEAN);
  }
});

test("what arrives as it was sent is accounted for, and completes its flow", () => {
  const { flows, sent, arrive } = open({ senders: 2 });
  const completed: number[] = [];
  flows.completed = (flow) => completed.push(flow);
  for (const flow of [0, 1, 1]) flows.send(flow, 0);
  for (const stanza of sent) arrive(0, stanza);
  expect(accounts(flows)).toEqual(CLEAN);
  expect(completed).toEqual([0, 1, 1]);
});

test("what is missing, doubled or shortened is told apart", () => {
  const { flows, sent, arrive } = open({ senders: 1 });
  for (let number = 0; number < 4; number++) flows.send(0, 0);
  const [first = "", , third = "", fourth = ""] = sent;
  arrive(0, first);
  arrive(0, third);
  arrive(0, third);
  arrive(0, fourth.replace(" light ", " "));
  expect(accounts(flows)).toEqual({ ...CLEAN, lost: 2, doubled: 1, damaged: 1 });
});

test("what was never sent, other runs' stanzas and other elements are no deliveries", () => {
  const [{ flows, sent, arrive }, other] = [open({ senders: 1 }), open({ senders: 1 })];
  flows.send(0, 0);
  other.flows.send(0, 0);
  arrive(0, other.sent[0] ?? "");
  arrive(0, "<presence from='a@b'/>");
  expect(accounts(flows)).toEqual({ ...CLEAN, lost: 1 });
  arrive(0, (sent[0] ?? "").replace(":0:", ":5:").replace("0:but", "5:but"));
  expect(accounts(flows)).toMatchObject({ lost: 1, damaged: 1 });
});

test("a stanza that comes back as an error is an error, not a delivery", () => {
  const { flows, sent, arrive } = open({ senders: 1 });
  flows.send(0, 0);
  arrive(0, (sent[0] ?? "").replace("<message ", "<message type='error' "));
  expect(accounts(flows)).toEqual({ ...CLEAN, lost: 1, errors: 1 });
});

test("with several receivers a stanza is complete when all have got it, and each counts for itself", () => {
  const { flows, sent, arrive } = open({ senders: 2, fan: 3, receivers: 4 });
  const completed: number[] = [];
  flows.completed = (flow) => completed.push(flow);
  flows.send(1, 0);
  const [stanza = ""] = sent;
  arrive(0, stanza);
  arrive(0, stanza);
  arrive(2, stanza);
  expect(completed).toEqual([]);
  expect(accounts(flows)).toEqual({ ...CLEAN, lost: 1, doubled: 1 });
  arrive(3, stanza);
  expect(completed).toEqual([1]);
  expect(accounts(flows)).toEqual({ ...CLEAN, doubled: 1 });
});

test("only an element's own text counts, not what follows it in the same read", () => {
  const { flows, sent } = open({ senders: 1 });
  flows.send(0, 0);
  const before = "<presence from='a@b'/>";
  const text = before + (sent[0] ?? "");
  flows.arrived(0, text, 0, before.length);
  expect(accounts(flows)).toEqual({ ...CLEAN, lost: 1 });
  flows.arrived(0, text, before.length, text.length);
  expect(accounts(flows)).toEqual(CLEAN);
});

test("latency counts from when the stanza was due, and only while measuring", () => {
  const { flows, sent, arrive } = open({ senders: 1 });
  const due = performance.now() - 50;
  flows.send(0, due);
  flows.send(0, due);
  arrive(0, sent[0] ?? "");
  expect([flows.measured, flows.latencies.count]).toEqual([0, 0]);
  flows.isMeasuring = true;
  arrive(0, sent[1] ?? "");
  expect([flows.measured, flows.latencies.count]).toEqual([1, 1]);
  expect(flows.latencies.max).toBeGreaterThanOrEqual(50);
});

test("texts too short for what they must carry are refused", () => {
  expect(() => open({ senders: 1, textLength: 15 })).toThrow(RangeError);
});
