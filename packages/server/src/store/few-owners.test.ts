import { expect, test } from "vitest";
import { FewOwners } from "./few-owners.ts";
import { memoryStore } from "./memory.ts";
import type { Store } from "./store.ts";

test("until the disk has answered, anybody may have something; then whoever it named, and whoever got something since", async () => {
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  const owners = new FewOwners(promise);
  owners.add("b@example.org");
  expect(["a", "b", "c"].map((name) => owners.lacks(`${name}@example.org`))).toEqual([false, false, false]);
  resolve(["a@example.org"]);
  await promise;
  expect(["a", "b", "c"].map((name) => owners.lacks(`${name}@example.org`))).toEqual([false, false, true]);
});

test("where nobody has anything, everybody lacks it", async () => {
  const none = Promise.resolve([]);
  const owners = new FewOwners(none);
  await none;
  expect(owners.lacks("a@example.org")).toBe(true);
});

test("a disk that does not answer leaves everybody possible", async () => {
  const failed = Promise.reject(new Error("closed"));
  const owners = new FewOwners(failed);
  await failed.catch(() => {});
  expect(owners.lacks("a@example.org")).toBe(false);
});

const put = (store: Store, books: ReturnType<Store["collection"]>, owner: string): void => {
  const unit = store.begin();
  unit.add(books.put(owner, "one", 1));
  unit.commit();
};

test("a collection of few is read like any other: before and after the disk has answered, open units included", async () => {
  const store = memoryStore();
  const books = store.collection<unknown>("books", "few");
  put(store, books, "early@example.org");
  expect((await books.all("early@example.org")).size).toBe(1);
  await store.flush();
  expect(await books.get("early@example.org", "one")).toBe(1);
  expect((await books.all("nobody@example.org")).size).toBe(0);
  put(store, books, "late@example.org");
  expect(await books.get("late@example.org", "one")).toBe(1);
  const unit = store.begin();
  unit.add(books.clear("late@example.org"));
  expect((await books.all("late@example.org")).size).toBe(0);
  unit.commit();
  await store.flush();
  expect((await books.all("late@example.org")).size).toBe(0);
  await store.close();
  expect(() => books.all("nobody@example.org")).toThrow("closed");
});
