import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

/** Work that ends when it is told to, and the order in which it began. */
class Bench {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();
  work(name: string): () => Promise<string> {
    return () => {
      this.begun.push(name);
      return new Promise((resolve) => this.#ends.set(name, () => resolve(name)));
    };
  }
  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("RFC 6120 §13.12: so much is done at a time, and the rest by turns: who asks for a lot waits for their own", async () => {
  const turns = new Turns(2);
  const bench = new Bench();
  const done = [
    ["mallory", "m1"],
    ["mallory", "m2"],
    ["mallory", "m3"],
    ["mallory", "m4"],
    ["mallory", "m5"],
    ["romeo", "r1"],
    ["juliet", "j1"],
    ["romeo", "r2"],
  ].map(([whom = "", name = ""]) => turns.run(whom, bench.work(name)));
  expect(bench.begun).toEqual(["m1", "m2"]);
  for (const name of ["m2", "m1", "m3", "r1", "j1", "m4", "r2", "m5"]) await bench.end(name);
  expect(bench.begun).toEqual(["m1", "m2", "m3", "r1", "j1", "m4", "r2", "m5"]);
  expect(await Promise.all(done)).toEqual(["m1", "m2", "m3", "m4", "m5", "r1", "j1", "r2"]);
});

test("work that fails takes no place away, and fails for whoever asked for it alone", async () => {
  const turns = new Turns(1);
  const failing = turns.run("mallory", () => Promise.reject(new Error("no")));
  const throwing = turns.run("mallory", () => {
    throw new Error("not even that");
  });
  const good = turns.run("romeo", () => Promise.resolve("yes"));
  await expect(failing).rejects.toThrow("no");
  await expect(throwing).rejects.toThrow("not even that");
  expect(await good).toBe("yes");
});
