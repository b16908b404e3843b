import { describe, expect, test } from "vitest";
import {
  partsOf,
  type Relation,
  receiveSubscription,
  type SubscriptionState,
  type SubscriptionType,
  sendSubscription,
  stateOf,
} from "./rfc6121-subscription.ts";

// The tables of RFC 6121 Appendix A, read off its pages row by row: existing state, is it routed (or delivered), new
// state ("=" for none, "pre-approval" as the RFC says), and for what comes in, the server's answer.
type Short = "N" | "NO" | "NI" | "NOI" | "T" | "TI" | "F" | "FO" | "B";
const LONG: Readonly<Record<Short, SubscriptionState>> = {
  N: "None",
  NO: "None + Pending Out",
  NI: "None + Pending In",
  NOI: "None + Pending Out+In",
  T: "To",
  TI: "To + Pending In",
  F: "From",
  FO: "From + Pending Out",
  B: "Both",
};
const SHORT = Object.keys(LONG) as Short[];

interface OutboundTable {
  readonly section: string;
  readonly type: SubscriptionType;
  readonly rows: readonly (readonly [was: Short, routed: "MUST" | "no", next: Short | "=" | "pre-approval"])[];
}
const OUTBOUND: readonly OutboundTable[] = [
  {
    section: "A.2.1",
    type: "subscribe",
    rows: [
      ["N", "MUST", "NO"],
      ["NO", "MUST", "="],
      ["NI", "MUST", "NOI"],
      ["NOI", "MUST", "="],
      ["T", "MUST", "="],
      ["TI", "MUST", "="],
      ["F", "MUST", "FO"],
      ["FO", "MUST", "="],
      ["B", "MUST", "="],
    ],
  },
  {
    section: "A.2.2",
    type: "unsubscribe",
    rows: [
      ["N", "MUST", "="],
      ["NO", "MUST", "N"],
      ["NI", "MUST", "="],
      ["NOI", "MUST", "NI"],
      ["T", "MUST", "N"],
      ["TI", "MUST", "NI"],
      ["F", "MUST", "="],
      ["FO", "MUST", "F"],
      ["B", "MUST", "F"],
    ],
  },
  {
    section: "A.2.3",
    type: "subscribed",
    rows: [
      ["N", "no", "pre-approval"],
      ["NO", "no", "pre-approval"],
      ["NI", "MUST", "F"],
      ["NOI", "MUST", "FO"],
      ["T", "no", "pre-approval"],
      ["TI", "MUST", "B"],
      ["F", "no", "="],
      ["FO", "no", "="],
      ["B", "no", "="],
    ],
  },
  {
    section: "A.2.4",
    type: "unsubscribed",
    rows: [
      ["N", "no", "="],
      ["NO", "no", "="],
      ["NI", "MUST", "N"],
      ["NOI", "MUST", "NO"],
      ["T", "no", "="],
      ["TI", "MUST", "T"],
      ["F", "MUST", "N"],
      ["FO", "MUST", "NO"],
      ["B", "MUST", "T"],
    ],
  },
];

interface InboundTable {
  readonly section: string;
  readonly type: SubscriptionType;
  readonly rows: readonly (readonly [
    was: Short,
    delivered: "MUST" | "no",
    next: Short | "=",
    reply?: SubscriptionType,
  ])[];
}
const INBOUND: readonly InboundTable[] = [
  {
    section: "A.3.1",
    type: "subscribe",
    rows: [
      ["N", "MUST", "NI"],
      ["NO", "MUST", "NOI"],
      ["NI", "no", "="],
      ["NOI", "no", "="],
      ["T", "MUST", "TI"],
      ["TI", "no", "="],
      ["F", "no", "=", "subscribed"],
      ["FO", "no", "=", "subscribed"],
      ["B", "no", "=", "subscribed"],
    ],
  },
  {
    section: "A.3.2",
    type: "unsubscribe",
    rows: [
      ["N", "no", "="],
      ["NO", "no", "="],
      ["NI", "MUST", "N", "unsubscribed"],
      ["NOI", "MUST", "NO", "unsubscribed"],
      ["T", "no", "="],
      ["TI", "MUST", "T", "unsubscribed"],
      ["F", "MUST", "N", "unsubscribed"],
      ["FO", "MUST", "NO", "unsubscribed"],
      ["B", "MUST", "T", "unsubscribed"],
    ],
  },
  {
    section: "A.3.3",
    type: "subscribed",
    rows: [
      ["N", "no", "="],
      ["NO", "MUST", "T"],
      ["NI", "no", "="],
      ["NOI", "MUST", "TI"],
      ["T", "no", "="],
      ["TI", "no", "="],
      ["F", "no", "="],
      ["FO", "MUST", "B"],
      ["B", "no", "="],
    ],
  },
  {
    section: "A.3.4",
    type: "unsubscribed",
    rows: [
      ["N", "no", "="],
      ["NO", "MUST", "N"],
      ["NI", "no", "="],
      ["NOI", "MUST", "NI"],
      ["T", "MUST", "N"],
      ["TI", "MUST", "NI"],
      ["F", "no", "="],
      ["FO", "MUST", "F"],
      ["B", "MUST", "F"],
    ],
  },
];

describe.each<OutboundTable>(OUTBOUND)("RFC 6121 $section: outbound $type", ({ section, type, rows }) => {
  test.each(rows.map((row) => [...row] as const))(`RFC 6121 ${section}: ${type} in state %s`, (was, routed, next) => {
    expect(sendSubscription(type, { state: LONG[was], approved: false })).toEqual({
      route: routed === "MUST",
      state: LONG[next === "=" || next === "pre-approval" ? was : next],
      approved: next === "pre-approval",
    });
  });
});

describe.each<InboundTable>(INBOUND)("RFC 6121 $section: inbound $type", ({ section, type, rows }) => {
  test.each(rows.map((row) => ({ row, was: row[0] })))(`RFC 6121 ${section}: ${type} in state $was`, ({ row }) => {
    const [was, delivered, next, reply] = row;
    expect(receiveSubscription(type, { state: LONG[was], approved: false })).toEqual({
      deliver: delivered === "MUST",
      state: LONG[next === "=" ? was : next],
      approved: false,
      reply,
    });
  });
});

test("RFC 6121 A: every table has a row for every state", () => {
  for (const { rows } of [...OUTBOUND, ...INBOUND]) expect(rows.map(([was]) => was)).toEqual(SHORT);
});

describe("RFC 6121 §3.4: pre-approval", () => {
  test.each(["N", "NO", "T"] as const)(
    "RFC 6121 §3.4.2: in state %s it is cancelled by unsubscribed, silently",
    (was) => {
      expect(sendSubscription("unsubscribed", { state: LONG[was], approved: true })).toEqual({
        route: false,
        state: LONG[was],
        approved: false,
      });
    },
  );
  test.each([
    ["N", "F"],
    ["NO", "FO"],
    ["T", "B"],
  ] as const)("RFC 6121 A.3.1 [1]: a request in state %s leads to %s, unseen and answered", (was, next) => {
    expect(receiveSubscription("subscribe", { state: LONG[was], approved: true })).toEqual({
      deliver: false,
      state: LONG[next],
      approved: false,
      reply: "subscribed",
    });
  });
  test.each(["subscribe", "unsubscribe"] as const)("RFC 6121 §3.4: it outlives the user's own %s", (type) => {
    expect(sendSubscription(type, { state: "None", approved: true }).approved).toBe(true);
  });
  test.each(["subscribed", "unsubscribed", "unsubscribe"] as const)(
    "RFC 6121 §4.3.2: it outlives an inbound %s",
    (type) => {
      for (const was of ["N", "NO", "T"] as const) {
        expect(receiveSubscription(type, { state: LONG[was], approved: true }).approved).toBe(true);
      }
    },
  );
});

describe("RFC 6121 A.1: states and their parts", () => {
  test.each([
    ["N", "none", false, false],
    ["NO", "none", true, false],
    ["NI", "none", false, true],
    ["NOI", "none", true, true],
    ["T", "to", false, false],
    ["TI", "to", false, true],
    ["F", "from", false, false],
    ["FO", "from", true, false],
    ["B", "both", false, false],
  ] as const)(
    "RFC 6121 A.1: %s is subscription=%s, ask %s, request waiting %s",
    (short, subscription, ask, pendingIn) => {
      expect(partsOf(LONG[short])).toEqual({ subscription, ask, pendingIn });
      expect(stateOf({ subscription, ask, pendingIn })).toBe(LONG[short]);
    },
  );
  test("RFC 6121 A.1: parts that contradict each other count for nothing", () => {
    expect(stateOf({ subscription: "to", ask: true, pendingIn: false })).toBe("To");
    expect(stateOf({ subscription: "from", ask: false, pendingIn: true })).toBe("From");
    expect(stateOf({ subscription: "both", ask: true, pendingIn: true })).toBe("Both");
  });
});

test("RFC 6121 A: whatever is sent, the other side's tables lead back to a state that fits", () => {
  // Two servers that lose nothing: what one takes for "to" the other takes for "from", and requests wait on both sides.
  const types = ["subscribe", "unsubscribe", "subscribed", "unsubscribed"] as const;
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const nothing: Relation = { state: "None", approved: false };
  const now: [Relation, Relation] = [nothing, nothing];
  const arrive = (at: 0 | 1, type: SubscriptionType): void => {
    const { reply, deliver: _, ...next } = receiveSubscription(type, now[at]);
    now[at] = next;
    if (reply !== undefined) arrive(at === 0 ? 1 : 0, reply);
  };
  for (let step = 0; step < 5_000; step++) {
    const at = random(2) as 0 | 1;
    const type = types[random(4)] ?? "subscribe";
    const { route, ...next } = sendSubscription(type, now[at]);
    now[at] = next;
    if (route) arrive(at === 0 ? 1 : 0, type);
    const [a, b] = now.map(({ state }) => partsOf(state));
    expect(a?.subscription === "to" || a?.subscription === "both").toBe(
      b?.subscription === "from" || b?.subscription === "both",
    );
    expect(b?.subscription === "to" || b?.subscription === "both").toBe(
      a?.subscription === "from" || a?.subscription === "both",
    );
    expect(a?.ask).toBe(b?.pendingIn);
    expect(b?.ask).toBe(a?.pendingIn);
  }
});
