import { describe, expect, test } from "vitest";
import { type Entry, History } from "./history.ts";

const entry = (stanzaId: string): Entry => ({ stanzaId, id: `said ${stanzaId}` });
const ids = (history: History): readonly string[] => history.entries.map(({ stanzaId }) => stanzaId);

describe("a device's history", () => {
  test("grows by what comes live, each message once", () => {
    const history = new History();
    for (const id of ["a", "b", "a", "c"]) history.shown(entry(id));
    expect([ids(history), history.cursor]).toEqual([["a", "b", "c"], "c"]);
  });

  test("XEP-0313 §5: what was missed comes before what came live while it was looked for", () => {
    const history = new History();
    history.shown(entry("a"));
    history.beginCatchingUp();
    history.shown(entry("d"));
    expect(history.cursor).toBe("a");
    for (const id of ["b", "c"]) history.found(entry(id));
    expect([ids(history), history.cursor, history.isCatchingUp]).toEqual([["a", "b", "c"], "c", true]);
    history.caughtUp();
    history.shown(entry("e"));
    expect([ids(history), history.cursor, history.isCatchingUp]).toEqual([["a", "b", "c", "d", "e"], "e", false]);
  });

  test("what came live and was found as well is there once, where the archive has it", () => {
    const history = new History();
    history.beginCatchingUp();
    for (const id of ["b", "b", "c"]) history.shown(entry(id));
    for (const id of ["a", "b"]) history.found(entry(id));
    history.caughtUp();
    expect(ids(history)).toEqual(["a", "b", "c"]);
  });

  test("an attempt that broke off leaves no gap: what came live in it is looked for again", () => {
    const history = new History();
    history.shown(entry("a"));
    history.beginCatchingUp();
    history.found(entry("b"));
    history.shown(entry("e"));
    history.beginCatchingUp();
    expect(history.cursor).toBe("b");
    for (const id of ["c", "d", "e"]) history.found(entry(id));
    history.caughtUp();
    expect(ids(history)).toEqual(["a", "b", "c", "d", "e"]);
  });
});
