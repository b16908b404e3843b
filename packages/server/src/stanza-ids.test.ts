import { describe, expect, test } from "vitest";
import { StanzaIds } from "./stanza-ids.ts";
import type { Store } from "./store/store.ts";

const KEY = Uint8Array.from({ length: 16 }, (_, at) => at * 7);
const MOST = Number.MAX_SAFE_INTEGER;

describe("stanza-ids", () => {
  const ids = new StanzaIds(KEY);

  test("XEP-0359 §3: an id leads back to its message, and to nothing else", () => {
    for (const row of [0, 1, 2, 255, 256, 257, 65_535, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 3, MOST - 1, MOST]) {
      for (const side of ["sent", "received"] as const) expect(ids.rowOf(ids.idOf(row, side))).toEqual({ row, side });
    }
  });

  test("XEP-0359 §3: unique, and the same whenever it is asked for, in whatever order", () => {
    const rows = [...Array.from({ length: 1_000 }, (_, at) => at + 1), 5_000, 3, 4_999, 5_300, 1, 900_000, 5_001];
    const seen = new Map<string, string>();
    for (const row of rows) {
      for (const side of ["sent", "received"] as const) {
        const id = ids.idOf(row, side);
        expect(seen.get(id) ?? `${row} ${side}`).toBe(`${row} ${side}`);
        expect(new StanzaIds(KEY).idOf(row, side)).toBe(id);
        seen.set(id, `${row} ${side}`);
      }
    }
    expect(seen.size).toBe(2 * new Set(rows).size);
  });

  test("XEP-0359 §6: says nothing: neighbours have nothing in common, and another server's are others", () => {
    const [one, two] = [ids.idOf(1, "sent"), ids.idOf(2, "sent")];
    expect([one, two].every((id) => /^[\w-]{22}$/.test(id))).toBe(true);
    const common = [...one].filter((character, at) => two[at] === character);
    expect(common.length).toBeLessThan(6);
    expect(new StanzaIds(new Uint8Array(16)).idOf(1, "sent")).not.toBe(one);
  });

  describe("what was not given by this server is nobody's", () => {
    const given = ids.idOf(77, "received");
    const last = given.at(-1) as string;
    const neighbour = String.fromCharCode(last.charCodeAt(0) + 1);
    test.each([
      "",
      "77",
      "A".repeat(22),
      `${given} `,
      ` ${given}`,
      `${given}\n`,
      given.slice(1),
      `${given}=`,
      `${given}==`,
      `${given.slice(0, -1)}${neighbour}`,
      `x${given.slice(1)}`,
      given.toLowerCase() === given ? given.toUpperCase() : given.toLowerCase(),
      new StanzaIds(new Uint8Array(16)).idOf(77, "received"),
      "ünïcödé-ünïcödé-ünïcöd",
      "de305d54-75b4-431b-adb2-eb6b9e546013",
      "x".repeat(100_000),
    ])("%s", (id) => {
      expect(ids.rowOf(id)).toBeUndefined();
    });
    test("nor is any other text of the same length", () => {
      let state = 12_345;
      const random = (): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return state;
      };
      for (let round = 0; round < 5_000; round++) {
        const octets = Buffer.from(Array.from({ length: 16 }, () => random() >>> 24));
        expect(ids.rowOf(octets.toString("base64url"))).toBeUndefined();
      }
    });
  });

  test("the key is kept: ids stay as they are when the server starts again", async () => {
    const values = new Map<string, unknown>();
    const [first, second] = [storeOf(values, "committed"), storeOf(values, "committed")];
    const id = (await StanzaIds.open(first)).idOf(4_711, "received");
    expect((await StanzaIds.open(second)).idOf(4_711, "received")).toBe(id);
    expect((await StanzaIds.open(storeOf(new Map(), "committed"))).idOf(4_711, "received")).not.toBe(id);
    expect(values.size).toBe(1);
  });

  test("no id is given with a key that could not be kept", async () => {
    await expect(StanzaIds.open(storeOf(new Map(), "failed"))).rejects.toThrow("could not be stored");
  });
});

/** The little of a store that is needed, with its values outside of it. */
const storeOf = (values: Map<string, unknown>, outcome: "committed" | "failed") =>
  ({
    collection: () => ({
      get: (owner: string, key: string) => values.get(`${owner} ${key}`),
      put: (owner: string, key: string, value: unknown) => ({ owner, key, value }),
    }),
    begin: () => ({
      add: ({ owner, key, value }: { owner: string; key: string; value: unknown }) =>
        values.set(`${owner} ${key}`, value),
      commit: () => ({ onSettled: (listener: (committed: boolean) => void) => listener(outcome === "committed") }),
    }),
  }) as unknown as Store;
