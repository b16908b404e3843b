import { expect, test } from "vitest";
import { MemoryMessages } from "./memory-messages.ts";
import { type Disk, type HandedUnit, OverlayStore } from "./overlay.ts";
import type { Ticket } from "./store.ts";

/** An empty disk that counts what is read, and settles when told. */
class CountingDisk implements Disk {
  readonly lastRow = 41;
  readonly messages = new MemoryMessages();
  readonly units: HandedUnit[] = [];
  reads = 0;
  value = "1";
  items() {
    this.reads++;
    return [["k", this.value]] as const;
  }
  hasAccount() {
    this.reads++;
    return true;
  }
  account = () => undefined;
  removedAt = () => undefined;
  spooled = () => [];
  allSpooled = async () => [];
  countSpooled = () => 0;
  bytesSpooled = () => 0;
  owners: Disk["owners"] = async (_, complete) => complete([]);
  accounts: Disk["accounts"] = async (_, complete) => complete([]);
  hurry = () => undefined;
  close = async () => undefined;
  write(unit: HandedUnit): void {
    this.units.push(unit);
  }
  settle(): void {
    for (const unit of this.units.splice(0)) unit.settle(true);
  }
}

const opened = (cacheOwners?: number) => {
  const disk = new CountingDisk();
  const onDefect = (error: unknown): never => {
    throw error;
  };
  const store = new OverlayStore(disk, cacheOwners === undefined ? { onDefect } : { onDefect, cacheOwners });
  const books = store.collection<unknown>("books");
  const put = (owner: string, value: unknown = 1): Ticket => {
    const unit = store.begin();
    unit.add(books.put(owner, "k", value));
    return unit.commit();
  };
  return { disk, store, books, put };
};

test("what was read is not read again, however it is written to", () => {
  const { disk, books, put } = opened();
  for (let round = 0; round < 3; round++) {
    void books.get("romeo", "k");
    void books.all("romeo");
    put("romeo", round);
    disk.settle();
    expect(books.get("romeo", "k")).toBe(round);
  }
  expect(disk.reads).toBe(1);
});

test("at most so many owners are kept, those seen last", () => {
  const { disk, books } = opened(10);
  for (let owner = 0; owner < 100; owner++) void books.get(String(owner), "k");
  disk.reads = 0;
  for (const owner of [99, 98, 97, 96]) void books.get(String(owner), "k");
  expect(disk.reads).toBe(0);
  for (let owner = 0; owner < 90; owner++) void books.get(String(owner), "k");
  expect(disk.reads).toBe(90);
});

test("owners in use stay, whoever else comes by", () => {
  const { disk, books } = opened(10);
  void books.get("romeo", "k");
  disk.reads = 0;
  for (let other = 0; other < 100; other++) {
    void books.get(String(other), "k");
    void books.get("romeo", "k");
  }
  expect(disk.reads).toBe(100);
});

test("owners that keep much push others out sooner", () => {
  const { disk, books } = opened();
  disk.value = JSON.stringify("x".repeat(4_000_000));
  for (let owner = 0; owner < 20; owner++) void books.get(String(owner), "k");
  disk.reads = 0;
  void books.get("0", "k");
  expect(disk.reads).toBe(1);
  void books.get("19", "k");
  expect(disk.reads).toBe(1);
});

test("what is written weighs as much as what was read", () => {
  const { disk, books, put } = opened();
  for (let owner = 0; owner < 20; owner++) {
    void books.get(String(owner), "k");
    put(String(owner), "x".repeat(4_000_000));
    disk.settle();
  }
  disk.reads = 0;
  void books.get("0", "k");
  expect(disk.reads).toBe(1);
});

test("an owner with open changes is held as long as they are open, and no longer", async () => {
  const { disk, books, put } = opened(1);
  const owners = Array.from({ length: 50 }, (_, at) => `owner${at}`);
  for (const owner of owners) put(owner, owner);
  for (const owner of owners) expect(books.get(owner, "k")).toBe(owner);
  disk.reads = 0;
  expect((await books.owners()).length).toBe(50);
  expect(disk.reads).toBe(0);
  disk.settle();
  expect(await books.owners()).toEqual([]);
  for (const owner of owners) expect(books.get(owner, "k")).toBe(1);
  expect(disk.reads).toBe(50);
});

test("whether an account exists is asked once", () => {
  const { disk, store } = opened();
  for (let round = 0; round < 3; round++) expect(store.accounts.exists("romeo@example.org" as never)).toBe(true);
  expect(disk.reads).toBe(1);
});

test("rows are numbered on from the highest there ever was", () => {
  const { store } = opened();
  expect(store.spool.keep({ account: "romeo@example.org" as never }, "<a/>" as never, 1).row).toBe(42);
});
