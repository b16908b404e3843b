import { describe, expect, test } from "vitest";
import { readOptions, UsageError } from "./options.ts";
import { SCENARIO_NAMES, scenarioOf } from "./scenarios.ts";

const namesOf = (...args: readonly string[]) => readOptions(args)?.contenders.map(({ name }) => name);

describe("the command line", () => {
  test("without anything: all scenarios, five runs, Kith on Node", () => {
    expect(readOptions([])).toMatchObject({
      scenarios: SCENARIO_NAMES,
      runs: 5,
      warmup: 3,
      duration: 10,
      connections: 10_000,
      hold: 30,
      serverCore: 0,
      generatorCore: 1,
      markdown: false,
    });
    expect(namesOf()).toEqual(["kith-node"]);
  });

  test("says who runs, in the order in which they take turns", () => {
    expect(namesOf("--runtime", "node", "--runtime", "bun", "--peer", "prosody", "--peer=ejabberd")).toEqual([
      "kith-node",
      "kith-bun",
      "prosody",
      "ejabberd",
    ]);
    expect(namesOf("--no-kith", "--peer", "prosody")).toEqual(["prosody"]);
  });

  test("names scenarios", () => {
    expect(readOptions(["login", "chat-w1"])?.scenarios).toEqual(["login", "chat-w1"]);
  });

  test("only help is asked for", () => {
    expect(readOptions(["--help"])).toBeUndefined();
  });

  test.each([
    [["chat"], 'there is no scenario "chat"'],
    [["--peer", "openfire"], '--peer is prosody, prosody-sqlite, ejabberd, ejabberd-sqlite, not "openfire"'],
    [["--runtime", "deno"], '--runtime is node or bun, not "deno"'],
    [["--no-kith"], "nobody is left to run"],
    [["--runs", "0"], '--runs is a whole number from 1 to 100, not "0"'],
    [["--runs", "1.5"], "--runs is a whole number"],
    [["--duration", ""], "--duration is a whole number"],
    [["--connections", "1e9"], "--connections is a whole number from 100 to 15000"],
    [["--frobnicate"], "--frobnicate"],
  ])("%j is refused", (args, message) => {
    expect(() => readOptions(args)).toThrow(UsageError);
    expect(() => readOptions(args)).toThrow(message);
  });
});

describe("scenarios", () => {
  const sizes = { connections: 10_000, hold: 30 };

  test("each has a title of its own, and accounts for all it logs in", () => {
    const scenarios = SCENARIO_NAMES.map((name) => scenarioOf(name, sizes));
    expect(scenarios.map(({ name }) => name)).toEqual(SCENARIO_NAMES);
    expect(new Set(scenarios.map(({ title }) => title)).size).toBe(SCENARIO_NAMES.length);
    for (const { setup, task } of scenarios)
      expect(setup[0]).toMatchObject({ do: "register", prefix: task.prefix, count: usersOf(task) });
  });

  test("idle sessions of another number are others", () => {
    const [few, many] = [scenarioOf("idle", { ...sizes, connections: 100 }), scenarioOf("idle", sizes)];
    expect(few.title).not.toBe(many.title);
    expect(few.task.prefix).not.toBe(many.task.prefix);
  });
});

const usersOf = (task: ReturnType<typeof scenarioOf>["task"]): number => {
  switch (task.do) {
    case "chat":
    case "pages":
      return 2 * task.pairs;
    case "idle":
      return task.connections;
    case "presence":
    case "login":
      return task.users;
  }
};
