import { describe, expect, test } from "vitest";
import { takesPart } from "./measure.ts";
import { readOptions, UsageError } from "./options.ts";
import { SCENARIO_NAMES, type ScenarioName, scenarioOf } from "./scenarios.ts";

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

  test("archives: what is said in them beforehand is said by those who are measured, and each kind has data of its own", () => {
    const scenarios = SCENARIO_NAMES.map((name) => scenarioOf(name, sizes));
    for (const { task, history, archive } of scenarios) {
      expect(history !== undefined).toBe(archive !== "off");
      if (history === undefined) continue;
      expect(history.fill).toMatchObject({ prefix: task.prefix, users: usersOf(task), count: 1_000_000 });
    }
    const named = (name: ScenarioName) => scenarioOf(name, sizes);
    expect(named("archive-w10").history).toEqual(named("sm-archive-w10").history);
    const names = (["archive-w10", "archive-text-w10", "mam-page"] as const).map((name) => named(name).history?.name);
    expect(new Set(names).size).toBe(3);
  });

  test("peers take part where they keep archives as the scenario says, and where none has to be there beforehand", () => {
    const peers = ["prosody", "prosody-sqlite", "ejabberd", "ejabberd-sqlite"];
    const { contenders = [] } = readOptions(peers.flatMap((peer) => ["--peer", peer])) ?? {};
    const who = (name: ScenarioName) =>
      contenders.filter((one) => takesPart(one, scenarioOf(name, sizes))).map(({ name }) => name);
    expect(who("chat-w10")).toEqual(["kith-node", "prosody", "ejabberd"]);
    expect(who("archive-w10")).toEqual(["kith-node", ...peers]);
    expect([who("archive-text-w10"), who("mam-page")]).toEqual([["kith-node"], ["kith-node"]]);
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
