import { eachFabric, type Open, type Party, type Scene } from "@kith/testing";
import { describe, expect, test } from "vitest";
import type { Module } from "../module.ts";

// RFC 6121 §8: every stanza kind and type, to every kind of address, in every state of the account. What is expected is
// written here cell by cell; where the RFC leaves a choice the letter is ours (docs/delivery.md).

/** D the resource named · M the most available · A all non-negative · O kept for later · E error to the sender · S silence */
type Letter = "D" | "M" | "A" | "O" | "E" | "S";
type Row = Readonly<Record<"normal" | "chat" | "groupchat" | "headline" | "error", Letter>>;

const row = (letters: string): Row => {
  const [normal, chat, groupchat, headline, error] = letters.split(" ") as Letter[];
  return { normal, chat, groupchat, headline, error } as Row;
};

/** Juliet's resources by state; `undefined` priority: connected, but no presence sent. */
const STATES = {
  "no active resource": {},
  "connected, not available": { balcony: undefined },
  "one negative priority": { balcony: -1 },
  "one non-negative priority": { balcony: 0 },
  "several non-negative priorities": { balcony: 1, chamber: 5, garden: 0, tomb: -3 },
} as const satisfies Record<string, Record<string, number | undefined>>;
type State = keyof typeof STATES;

//                                                                normal chat groupchat headline error
const MESSAGES: readonly (readonly [State, string, Row])[] = [
  ["no active resource", "juliet@example.org", row("O O E S S")],
  ["no active resource", "juliet@example.org/nowhere", row("E O E S S")],
  ["connected, not available", "juliet@example.org", row("O O E S S")],
  ["connected, not available", "juliet@example.org/balcony", row("D D D D D")],
  ["connected, not available", "juliet@example.org/nowhere", row("E O E S S")],
  ["one negative priority", "juliet@example.org", row("O O E S S")],
  ["one negative priority", "juliet@example.org/balcony", row("D D D D D")],
  ["one negative priority", "juliet@example.org/nowhere", row("E O E S S")],
  ["one non-negative priority", "juliet@example.org", row("M M E A S")],
  ["one non-negative priority", "juliet@example.org/balcony", row("D D D D D")],
  ["one non-negative priority", "juliet@example.org/nowhere", row("E M E S S")],
  ["several non-negative priorities", "juliet@example.org", row("M M E A S")],
  ["several non-negative priorities", "juliet@example.org/garden", row("D D D D D")],
  ["several non-negative priorities", "juliet@example.org/tomb", row("D D D D D")],
  ["several non-negative priorities", "juliet@example.org/nowhere", row("E M E S S")],
];

const keeper = (kept: string[]): Module => ({
  name: "keeper",
  xeps: [],
  undelivered: (message) => {
    kept.push(message.type);
    return [];
  },
});

interface Stage {
  readonly scene: Scene;
  readonly romeo: Party;
  readonly resources: Readonly<Record<string, Party>>;
  readonly kept: string[];
}
const stage = async (open: Open, state: State): Promise<Stage> => {
  const kept: string[] = [];
  const scene = await open({
    modules: () => [keeper(kept)],
    accounts: ["romeo@example.org", "juliet@example.org"],
  });
  const resources: Record<string, Party> = {};
  for (const [resource, priority] of Object.entries(STATES[state])) {
    const party = await scene.login(`juliet@example.org/${resource}`);
    if (priority !== undefined) await party.sends(`<presence><priority>${priority}</priority></presence>`);
    party.received();
    resources[resource] = party;
  }
  return { scene, resources, kept, romeo: await scene.login("romeo@example.org/orchard") };
};

/** Who got something, by resource; "sender" is Romeo, "kept" the store. */
const takers = ({ resources, romeo, kept }: Stage): string[] => [
  ...Object.entries(resources).flatMap(([name, party]) => party.received().map(() => name)),
  ...romeo.received().map(() => "sender"),
  ...kept.map(() => "kept"),
];

const expected = (letter: Letter, state: State, to: string): readonly string[] => {
  const nonNegative = Object.entries(STATES[state]).filter(([, priority]) => priority !== undefined && priority >= 0);
  const ranked = nonNegative.toSorted(([, a], [, b]) => Number(b) - Number(a)).map(([name]) => name);
  switch (letter) {
    case "D":
      return [to.slice(to.indexOf("/") + 1)];
    case "M":
      return ranked.slice(0, 1);
    case "A":
      return nonNegative.map(([name]) => name);
    case "O":
      return ["kept"];
    case "E":
      return ["sender"];
    case "S":
      return [];
  }
};

eachFabric("RFC 6121 §8.5", (open) => {
  describe("messages (§8.5.4, table 1)", () => {
    for (const [state, to, letters] of MESSAGES) {
      for (const [type, letter] of Object.entries(letters)) {
        test(`${state}: ${type} to ${to} → ${letter}`, async () => {
          const staged = await stage(open, state);
          await staged.romeo.sends(`<message to='${to}' type='${type}' id='m'><body>Soft!</body></message>`);
          expect(takers(staged)).toEqual(expected(letter, state, to));
          expect(staged.scene.defects).toEqual([]);
        });
      }
    }
  });

  describe("no such account (§8.5.1)", () => {
    const nobody = ["nobody@example.org", "nobody@example.org/nowhere"];
    const cases = <T>(cells: readonly T[]): readonly (readonly [string, T])[] =>
      nobody.flatMap((to) => cells.map((cell) => [to, cell] as const));

    test.each(cases(["normal", "chat", "groupchat"]))(
      "to %s, message of type %s → service-unavailable",
      async (to, type) => {
        const { romeo } = await stage(open, "no active resource");
        await romeo.sends(`<message to='${to}' type='${type}' id='m'><body>Soft!</body></message>`);
        romeo.receives(
          `<message from='${to}' to='romeo@example.org/orchard' type='error' id='m'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
        );
      },
    );
    test.each(cases(["headline", "error"]))("to %s, message of type %s → silence", async (to, type) => {
      const { romeo } = await stage(open, "no active resource");
      await romeo.sends(`<message to='${to}' type='${type}' id='m'><body>Soft!</body></message>`);
      romeo.receivesNothing();
    });
    const types = ["unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error"];
    test.each(cases(["", ...types.map((type) => ` type='${type}'`)]))(
      "to %s, <presence%s> → silence",
      async (to, type) => {
        const { romeo } = await stage(open, "no active resource");
        await romeo.sends(`<presence to='${to}'${type}/>`);
        romeo.receivesNothing();
      },
    );
    test.each(cases(["get", "set"]))("to %s, IQ %s → service-unavailable", async (to, type) => {
      const { romeo } = await stage(open, "no active resource");
      await romeo.sends(`<iq to='${to}' type='${type}' id='q'><query xmlns='urn:example:anything'/></iq>`);
      romeo.receives(unavailable("q", to));
    });
    test.each(cases(["result", "error"]))("to %s, IQ %s → silence", async (to, type) => {
      const { romeo } = await stage(open, "no active resource");
      await romeo.sends(`<iq to='${to}' type='${type}' id='q'><query xmlns='urn:example:anything'/></iq>`);
      romeo.receivesNothing();
    });
  });

  describe("presence to an account (§8.5.2.1.2, §8.5.2.2.2, §8.5.3.1, §8.5.3.2.2)", () => {
    const cells: readonly (readonly [State, string, readonly string[]])[] = [
      ["no active resource", "juliet@example.org", []],
      ["no active resource", "juliet@example.org/nowhere", []],
      ["connected, not available", "juliet@example.org", []],
      ["connected, not available", "juliet@example.org/balcony", ["balcony"]],
      ["one negative priority", "juliet@example.org", ["balcony"]],
      ["several non-negative priorities", "juliet@example.org", ["balcony", "chamber", "garden", "tomb"]],
      ["several non-negative priorities", "juliet@example.org/garden", ["garden"]],
      ["several non-negative priorities", "juliet@example.org/nowhere", []],
    ];
    for (const [state, to, names] of cells) {
      for (const type of ["", " type='unavailable'"]) {
        test(`${state}: <presence${type}> to ${to} → ${names.join(", ") || "silence"}`, async () => {
          const staged = await stage(open, state);
          await staged.romeo.sends(`<presence to='${to}'${type}/>`);
          expect(takers(staged)).toEqual(names);
        });
      }
    }
  });

  describe("IQs to an account (§8.5.2.1.3, §8.5.2.2.3, §8.5.3)", () => {
    const cells: readonly (readonly [State, string, "get" | "set" | "result" | "error", Letter])[] = [
      ...(["no active resource", "several non-negative priorities"] as const).flatMap((state) => [
        [state, "juliet@example.org", "get", "E"] as const,
        [state, "juliet@example.org", "set", "E"] as const,
        [state, "juliet@example.org", "result", "S"] as const,
        [state, "juliet@example.org", "error", "S"] as const,
        [state, "juliet@example.org/nowhere", "get", "E"] as const,
        [state, "juliet@example.org/nowhere", "set", "E"] as const,
        [state, "juliet@example.org/nowhere", "result", "S"] as const,
        [state, "juliet@example.org/nowhere", "error", "S"] as const,
      ]),
      ...(["connected, not available", "one negative priority", "several non-negative priorities"] as const).flatMap(
        (state) =>
          (["get", "set", "result", "error"] as const).map(
            (type) => [state, "juliet@example.org/balcony", type, "D"] as const,
          ),
      ),
    ];
    for (const [state, to, type, letter] of cells) {
      test(`${state}: ${type} to ${to} → ${letter}`, async () => {
        const staged = await stage(open, state);
        await staged.romeo.sends(`<iq to='${to}' type='${type}' id='q'><query xmlns='urn:example:anything'/></iq>`);
        expect(takers(staged)).toEqual(expected(letter, state, to));
      });
    }
  });

  describe("the server itself (RFC 6120 §10.5.1, §10.5.2) and nobody (§10.3)", () => {
    for (const to of ["example.org", "example.org/announce"]) {
      test(`a message to ${to} is refused, an error ignored`, async () => {
        const { romeo } = await stage(open, "no active resource");
        await romeo.sends(`<message to='${to}' id='m'><body>Soft!</body></message>`);
        romeo.receives(
          `<message from='${to}' to='romeo@example.org/orchard' type='error' id='m'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
        );
        await romeo.sends(`<message to='${to}' type='error'/>`);
        romeo.receivesNothing();
      });
      test(`presence of any type to ${to} is taken in silence`, async () => {
        const { romeo } = await stage(open, "no active resource");
        for (const type of [
          "unavailable",
          "subscribe",
          "subscribed",
          "unsubscribe",
          "unsubscribed",
          "probe",
          "error",
        ]) {
          await romeo.sends(`<presence to='${to}' type='${type}'/>`);
        }
        await romeo.sends(`<presence to='${to}'/>`);
        romeo.receivesNothing();
      });
      test(`a request to ${to} that nobody answers gets service-unavailable`, async () => {
        const { romeo } = await stage(open, "no active resource");
        await romeo.sends(`<iq to='${to}' type='get' id='q'><query xmlns='urn:example:anything'/></iq>`);
        romeo.receives(unavailable("q", to));
      });
    }
    test("RFC 6120 §10.3.1: a message without 'to' is one to the sender's bare JID", async () => {
      const { scene } = await stage(open, "no active resource");
      const romeo = await scene.online("romeo@example.org/phone");
      await romeo.sends("<message id='note'><body>Remember the vault.</body></message>");
      romeo.receives(
        "<message from='romeo@example.org/phone' to='romeo@example.org' id='note'><body>Remember the vault.</body></message>",
      );
    });
    test("RFC 6120 §10.3.3: an IQ without 'to' that nobody understands gets service-unavailable, a result nothing", async () => {
      const { romeo } = await stage(open, "no active resource");
      await romeo.sends("<iq type='set' id='q'><query xmlns='urn:example:anything'/></iq>");
      romeo.receives(
        "<iq to='romeo@example.org/orchard' type='error' id='q'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
      );
      await romeo.sends("<iq type='result' id='q'/>");
      romeo.receivesNothing();
    });
  });

  describe("other domains (RFC 6120 §10.4.3)", () => {
    test("one that is not served is not found; no error answers an error", async () => {
      const { romeo } = await stage(open, "no active resource");
      await romeo.sends(
        "<message to='benvolio@montague.example' type='chat' id='m'><body>Part, fools!</body></message>",
      );
      romeo.receives(
        "<message from='benvolio@montague.example' to='romeo@example.org/orchard' type='error' id='m'><error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
      );
      await romeo.sends("<message to='benvolio@montague.example' type='error' id='m'/>");
      romeo.receivesNothing();
    });
  });
});

const unavailable = (id: string, from: string): string =>
  `<iq from='${from}' to='romeo@example.org/orchard' type='error' id='${id}'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`;
