import type { BareJid, Bytes, DomainJid, ScramKeys } from "@kith/protocol";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Account, Collection, Store, Target, Ticket, Unit, Write } from "./store.ts";
import { Model, type Step, steps } from "./store-model.suite.ts";

/** A store, and a hand on its writer. */
export interface Opened {
  readonly store: Store;
  /** Keeps every commit from settling until the answer is called. */
  hold(): () => void;
  /** Commits a unit in such a way that it fails. */
  commitFailing(unit: Unit): Ticket;
}

/** What every store keeps to. `open` gives an empty one each time; the suite closes it. `runs`: of the model. */
export const storeSuite = (name: string, open: () => Promise<Opened>, runs: number): void => {
  describe(name, () => {
    let opened: Opened;
    let store: Store;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => store.close());

    const unit = (...writes: readonly Write[]): Unit => {
      const begun = store.begin();
      for (const write of writes) begun.add(write);
      return begun;
    };
    const commit = (...writes: readonly Write[]): Promise<boolean> => settled(unit(...writes).commit());
    const fail = (...writes: readonly Write[]): Promise<boolean> => settled(opened.commitFailing(unit(...writes)));
    /** Makes the next reads of these owners come from the disk. */
    const forget = async (...owners: readonly string[]): Promise<void> => {
      await fail(...owners.map((owner): Write => ({ op: "put", collection: "none", owner, key: "k", value: 1 })));
    };

    describe("collections", () => {
      let books: Collection<unknown>;
      beforeEach(() => {
        books = store.collection("books");
      });

      test("of an owner never heard of are empty", async () => {
        expect(await books.get("romeo@example.org", "a")).toBeUndefined();
        expect(await books.all("romeo@example.org")).toEqual(new Map());
        expect(await books.owners()).toEqual([]);
      });

      test("what is added to a unit is read at once, committed or not", async () => {
        const begun = unit(books.put("romeo", "a", { title: "A" }), books.put("romeo", "b", 2));
        expect(await books.get("romeo", "a")).toEqual({ title: "A" });
        expect(await books.all("romeo")).toEqual(
          new Map<string, unknown>([
            ["a", { title: "A" }],
            ["b", 2],
          ]),
        );
        begun.add(books.delete("romeo", "a"));
        expect(await books.all("romeo")).toEqual(new Map([["b", 2]]));
        begun.add(books.clear("romeo"));
        expect(await books.all("romeo")).toEqual(new Map());
        begun.add(books.put("romeo", "c", null));
        expect(await settled(begun.commit())).toBe(true);
        expect(await books.all("romeo")).toEqual(new Map([["c", null]]));
        await forget("romeo");
        expect(await books.all("romeo")).toEqual(new Map([["c", null]]));
      });

      test("an owner that was not read before its unit was added sees what is on disk and the unit", async () => {
        await commit(books.put("romeo", "a", 1), books.put("romeo", "b", 1));
        await forget("romeo");
        const release = opened.hold();
        const ticket = unit(books.put("romeo", "b", 2), books.put("romeo", "c", 2)).commit();
        const begun = unit(books.delete("romeo", "a"));
        expect(await books.all("romeo")).toEqual(
          new Map([
            ["b", 2],
            ["c", 2],
          ]),
        );
        release();
        await settled(ticket);
        await settled(begun.commit());
        expect(await books.all("romeo")).toEqual(
          new Map([
            ["b", 2],
            ["c", 2],
          ]),
        );
      });

      test("collections and owners do not see each other", async () => {
        const films = store.collection<number>("films");
        await commit(books.put("romeo", "a", 1), films.put("romeo", "a", 2), books.put("juliet", "a", 3));
        expect(await films.get("romeo", "a")).toBe(2);
        await commit(books.clear("romeo"));
        expect(await books.get("romeo", "a")).toBeUndefined();
        expect(await films.get("romeo", "a")).toBe(2);
        expect(await books.get("juliet", "a")).toBe(3);
      });

      test("an answer does not change afterwards", async () => {
        await commit(books.put("romeo", "a", 1), books.put("romeo", "b", 1));
        const before = await books.all("romeo");
        const begun = unit(books.put("romeo", "c", 1), books.delete("romeo", "a"));
        expect([...before.keys()]).toEqual(["a", "b"]);
        const after = await books.all("romeo");
        expect(new Set(after.keys())).toEqual(new Set(["b", "c"]));
        begun.add(books.clear("romeo"));
        expect(after.size).toBe(2);
        await settled(opened.commitFailing(begun));
        expect(after.size).toBe(2);
        expect(await books.all("romeo")).toEqual(before);
      });

      test("a value is taken as it is when it is added", async () => {
        const value = { list: [1] };
        const begun = unit(books.put("romeo", "a", value));
        value.list.push(2);
        expect(await books.get("romeo", "a")).toEqual({ list: [1] });
        await settled(begun.commit());
        await forget("romeo");
        expect(await books.get("romeo", "a")).toEqual({ list: [1] });
      });

      test("a value reads the same before and after it has been on disk", async () => {
        const value = {
          deep: [{ x: null }, [], {}, -0.5, 1e300, true, "\ud800 \0 \u2028"],
          "": "empty",
          gone: undefined,
        };
        await commit(books.put("romeo", "a", value));
        const before = await books.get("romeo", "a");
        expect(before).toStrictEqual(JSON.parse(JSON.stringify(value)));
        await forget("romeo");
        expect(await books.get("romeo", "a")).toStrictEqual(before);
      });

      test("what is not JSON data is refused", async () => {
        const circle: unknown[] = [];
        circle.push(circle);
        const begun = unit(books.put("romeo", "a", 1));
        for (const value of [undefined, () => 1, Symbol("a"), 1n, circle])
          expect(() => begun.add(books.put("romeo", "b", value))).toThrow(TypeError);
        expect(await settled(begun.commit())).toBe(true);
        expect([...(await books.all("romeo")).keys()]).toEqual(["a"]);
      });

      test("hostile names and values come back as they were", async () => {
        await commit(books.put("plain", "k", 1));
        for (const [label, text] of Object.entries(HOSTILE)) {
          await commit(books.put(text, text, text), books.put(`${text}2`, "k", { [text]: [text] }));
          await forget(text, `${text}2`);
          expect(await books.all(text), label).toStrictEqual(new Map([[text, text]]));
          expect(await books.get(text, text), label).toBe(text);
          expect(await books.get(text, "constructor2"), label).toBeUndefined();
          expect(JSON.stringify(await books.get(`${text}2`, "k")), label).toBe(JSON.stringify({ [text]: [text] }));
          expect(new Set(await books.owners()), label).toEqual(new Set([text, `${text}2`, "plain"]));
          await commit(books.delete(text, text), books.clear(`${text}2`));
          await forget(text, `${text}2`);
          expect((await books.all(text)).size + (await books.all(`${text}2`)).size, label).toBe(0);
          expect(await books.owners(), label).toEqual(["plain"]);
        }
      });

      test("keys that differ in case, accents or trailing blanks are different", async () => {
        const keys = ["a", "A", "a ", " a", "á", "a\u0301", "a\0", "a\0b", ""];
        await commit(...keys.map((key, at) => books.put("romeo", key, at)));
        await forget("romeo");
        expect(await books.all("romeo")).toEqual(new Map(keys.map((key, at) => [key, at])));
      });

      test("half a surrogate pair is no name", () => {
        const begun = store.begin();
        expect(() => begun.add(books.put("romeo", "\ud83d", 1))).toThrow(TypeError);
        expect(() => begun.add(books.delete("romeo", "\ude00"))).toThrow(TypeError);
        expect(() => begun.add(books.put("\ud83d", "k", 1))).toThrow(TypeError);
        expect(() => begun.add(books.clear("\ud83d"))).toThrow(TypeError);
        expect(begun.isEmpty).toBe(true);
      });

      test("a collection may have any name", async () => {
        for (const name of ["__proto__", "constructor", "toString", "", "it's; drop table item --"]) {
          const odd = store.collection<number>(name);
          expect(odd.name).toBe(name);
          await commit(odd.put("__proto__", "__proto__", 1), odd.put("romeo", "constructor", 2));
          await forget("__proto__", "romeo");
          expect(await odd.all("__proto__"), name).toEqual(new Map([["__proto__", 1]]));
          expect(await odd.get("romeo", "toString"), name).toBeUndefined();
          expect(await odd.owners(), name).toEqual(["__proto__", "romeo"]);
          expect(await books.owners(), name).toEqual([]);
        }
      });

      test("a name belongs to one module", () => {
        expect(() => store.collection("books")).toThrow('"books"');
        store.collection("constructor");
        expect(() => store.collection("constructor")).toThrow('"constructor"');
      });

      test("owners are those with something, in order, uncommitted units included", async () => {
        await commit(books.put("b", "k", 1), books.put("a", "k", 1), books.put("d", "k1", 1), books.put("d", "k2", 1));
        expect(await books.owners()).toEqual(["a", "b", "d"]);
        const release = opened.hold();
        const ticket = unit(books.delete("a", "k"), books.put("c", "k", 1), books.delete("d", "k1")).commit();
        const begun = unit(books.put("\u{1F600}", "k", 1), books.put("\uE000", "k", 1), books.put("b", "k", 2));
        const asked = books.owners();
        release();
        expect(await asked).toEqual(["b", "c", "d", "\u{1F600}", "\uE000"]);
        await settled(ticket);
        await settled(opened.commitFailing(begun));
        expect(await books.owners()).toEqual(["b", "c", "d"]);
      });

      test("many owners, each with its own items", async () => {
        const owners = Array.from({ length: 300 }, (_, at) => `user${at}@example.org`);
        await Promise.all(owners.map((owner, at) => commit(books.put(owner, "k", at), books.put(owner, `k${at}`, 0))));
        await forget(...owners);
        for (const [at, owner] of owners.entries())
          expect(await books.all(owner)).toEqual(
            new Map([
              ["k", at],
              [`k${at}`, 0],
            ]),
          );
        expect(await books.owners()).toEqual(owners.toSorted());
      });
    });

    describe("units", () => {
      let books: Collection<unknown>;
      beforeEach(() => {
        books = store.collection("books");
      });

      test("settle in a later turn, and their tickets tell", async () => {
        const ticket = unit(books.put("romeo", "a", 1)).commit();
        expect(ticket.state).toBe("open");
        expect(await settled(ticket)).toBe(true);
        expect(ticket.state).toBe("committed");
        const failed = opened.commitFailing(unit(books.put("romeo", "b", 1)));
        expect(failed.state).toBe("open");
        expect(await settled(failed)).toBe(false);
        expect(failed.state).toBe("failed");
      });

      test("listeners are called once, in the order they were added; at once if the ticket has settled", async () => {
        const ticket = unit(books.put("romeo", "a", 1)).commit();
        const called: string[] = [];
        ticket.onSettled((committed) => {
          called.push(`first ${committed} ${ticket.state}`);
          ticket.onSettled(() => called.push("from within"));
        });
        ticket.onSettled(() => called.push("second"));
        ticket.onSettled(() => called.push("third"));
        expect(called).toEqual([]);
        await store.flush();
        expect(called).toEqual(["first true committed", "from within", "second", "third"]);
        ticket.onSettled((committed) => called.push(`late ${committed}`));
        expect(called.at(-1)).toBe("late true");
      });

      test("tickets settle in commit order, failed ones in their place", async () => {
        const order: string[] = [];
        const tell = (label: string, ticket: Ticket): void => ticket.onSettled((yes) => order.push(`${label} ${yes}`));
        const units = Array.from({ length: 30 }, (_, at) => unit(books.put(`owner${at % 7}`, `k${at}`, at)));
        for (const [at, begun] of units.entries())
          tell(String(at), at % 10 === 3 ? opened.commitFailing(begun) : begun.commit());
        await store.flush();
        expect(order).toEqual(units.map((_, at) => `${at} ${at % 10 !== 3}`));
      });

      test("know whether they are empty; an empty one commits too", async () => {
        const begun = store.begin();
        expect(begun.isEmpty).toBe(true);
        begun.add(books.put("romeo", "a", 1));
        expect(begun.isEmpty).toBe(false);
        await settled(begun.commit());
        expect(await settled(store.begin().commit())).toBe(true);
      });

      test("are committed at most once, and take nothing afterwards", async () => {
        const begun = unit(books.put("romeo", "a", 1));
        const ticket = begun.commit();
        expect(() => begun.commit()).toThrow("at most once");
        expect(() => begun.add(books.put("romeo", "b", 1))).toThrow("committed");
        await settled(ticket);
        expect(() => begun.commit()).toThrow("at most once");
        expect([...(await books.all("romeo")).keys()]).toEqual(["a"]);
      });

      test("are all or nothing", async () => {
        const target: Target = { account: jid("romeo@example.org") };
        await commit(store.accounts.put(account("juliet@example.org")), books.put("juliet@example.org", "a", 1));
        const { write } = store.spool.keep(target, bytes("<message/>"), 1);
        const failing = unit(
          books.put("romeo@example.org", "a", 1),
          books.put("juliet@example.org", "a", 2),
          store.accounts.put(account("romeo@example.org")),
          store.accounts.remove(jid("juliet@example.org"), 5),
          write,
        );
        expect(await store.accounts.exists(jid("romeo@example.org"))).toBe(true);
        expect(await store.accounts.exists(jid("juliet@example.org"))).toBe(false);
        expect(await books.get("juliet@example.org", "a")).toBeUndefined();
        expect(await store.spool.count(target)).toBe(1);
        expect(await settled(opened.commitFailing(failing))).toBe(false);
        expect(await store.accounts.exists(jid("romeo@example.org"))).toBe(false);
        expect(await store.accounts.get(jid("juliet@example.org"))).toEqual(account("juliet@example.org"));
        expect(await store.accounts.removedAt(jid("juliet@example.org"))).toBeUndefined();
        expect(await books.get("romeo@example.org", "a")).toBeUndefined();
        expect(await books.get("juliet@example.org", "a")).toBe(1);
        expect(await store.spool.count(target)).toBe(0);
      });

      test("one that fails takes nothing from those around it", async () => {
        await commit(books.put("romeo", "a", 0), books.put("romeo", "b", 0));
        const release = opened.hold();
        const tickets = [
          unit(books.put("romeo", "a", 1)).commit(),
          opened.commitFailing(
            unit(books.put("romeo", "a", 2), books.put("romeo", "b", 2), books.put("romeo", "c", 2)),
          ),
          unit(books.put("romeo", "c", 3)).commit(),
        ];
        const begun = unit(books.put("romeo", "d", 4));
        expect(await books.all("romeo")).toEqual(
          new Map([
            ["a", 2],
            ["b", 2],
            ["c", 3],
            ["d", 4],
          ]),
        );
        release();
        expect(await Promise.all(tickets.map(settled))).toEqual([true, false, true]);
        expect(await books.all("romeo")).toEqual(
          new Map([
            ["a", 1],
            ["b", 0],
            ["c", 3],
            ["d", 4],
          ]),
        );
        await settled(begun.commit());
        expect(await books.all("romeo")).toEqual(
          new Map([
            ["a", 1],
            ["b", 0],
            ["c", 3],
            ["d", 4],
          ]),
        );
      });

      test("the store goes on after a failure", async () => {
        for (let round = 0; round < 5; round++) {
          expect(await fail(books.put("romeo", "a", round))).toBe(false);
          expect(await commit(books.put("romeo", "b", round))).toBe(true);
        }
        expect(await books.all("romeo")).toEqual(new Map([["b", 4]]));
      });

      test("the unit committed last decides, whichever was begun last", async () => {
        const early = unit(books.put("romeo", "a", "early"));
        const late = unit(books.put("romeo", "a", "late"), books.put("romeo", "b", "late"));
        expect(await books.get("romeo", "a")).toBe("late");
        const tickets = [late.commit(), early.commit()];
        expect(await books.get("romeo", "a")).toBe("early");
        expect(await Promise.all(tickets.map(settled))).toEqual([true, true]);
        expect(await books.all("romeo")).toEqual(
          new Map([
            ["a", "early"],
            ["b", "late"],
          ]),
        );
        await forget("romeo");
        expect(await books.all("romeo")).toEqual(
          new Map([
            ["a", "early"],
            ["b", "late"],
          ]),
        );
      });

      test("a write may be added to more than one unit", async () => {
        const write = books.put("romeo", "a", 1);
        const first = unit(write, write);
        const second = unit(write);
        expect(await settled(opened.commitFailing(first))).toBe(false);
        expect(await books.get("romeo", "a")).toBe(1);
        expect(await settled(second.commit())).toBe(true);
        expect(await books.get("romeo", "a")).toBe(1);
      });

      test("a listener may read and commit", async () => {
        const read: unknown[] = [];
        const { promise, resolve } = Promise.withResolvers<boolean>();
        unit(books.put("romeo", "a", 1))
          .commit()
          .onSettled(async () => {
            read.push(books.get("romeo", "a"));
            const next = unit(books.put("romeo", "a", 2));
            read.push(books.get("romeo", "a"));
            next.commit().onSettled(resolve);
          });
        expect(await promise).toBe(true);
        expect(await Promise.all(read)).toEqual([1, 2]);
      });
    });

    describe("accounts", () => {
      const romeo = account("romeo@example.org");

      test("are there once put, with their keys", async () => {
        const { accounts } = store;
        expect(await accounts.exists(romeo.jid)).toBe(false);
        expect(await accounts.get(romeo.jid)).toBeUndefined();
        expect(await accounts.removedAt(romeo.jid)).toBeUndefined();
        const begun = unit(accounts.put(romeo));
        expect(await accounts.exists(romeo.jid)).toBe(true);
        expect(await accounts.get(romeo.jid)).toEqual(romeo);
        await settled(begun.commit());
        await forget(romeo.jid);
        expect(await accounts.exists(romeo.jid)).toBe(true);
        expect(await accounts.get(romeo.jid)).toEqual(romeo);
      });

      test("put again, replace what was there", async () => {
        await commit(store.accounts.put(romeo));
        const { "SHA-1": sha1 } = account("romeo@example.org", 7).keys;
        const changed = { ...romeo, created: 99, keys: { "SHA-1": sha1 } as Account["keys"] };
        await commit(store.accounts.put(changed));
        await forget(romeo.jid);
        expect(await store.accounts.get(romeo.jid)).toEqual(changed);
        await commit(store.accounts.put({ ...romeo, keys: {} as Account["keys"] }));
        expect(await store.accounts.get(romeo.jid)).toEqual({ ...romeo, keys: {} });
      });

      test("a failed change of keys leaves the old ones", async () => {
        await commit(store.accounts.put(romeo));
        await fail(store.accounts.put(account("romeo@example.org", 7)));
        expect(await store.accounts.get(romeo.jid)).toEqual(romeo);
      });

      test("are listed in the order of their addresses, by domain or all", async () => {
        const { accounts } = store;
        const addresses = [
          "b@example.org",
          "a@example.org",
          "a@example.net",
          "a@sub.example.org",
          "\u{1F600}@example.org",
        ];
        await commit(...addresses.map((address) => accounts.put(account(address))));
        expect(await accounts.list()).toEqual(addresses.toSorted());
        expect(await accounts.list("example.org" as DomainJid)).toEqual([
          "a@example.org",
          "b@example.org",
          "\u{1F600}@example.org",
        ]);
        expect(await accounts.list("xample.org" as DomainJid)).toEqual([]);
        const release = opened.hold();
        const ticket = unit(accounts.remove(jid("a@example.org"), 1), accounts.put(account("c@example.org"))).commit();
        const begun = unit(accounts.put(account("c@example.net")), accounts.remove(jid("b@example.org"), 1));
        const asked = [accounts.list("example.org" as DomainJid), accounts.list("example.net" as DomainJid)];
        release();
        expect(await Promise.all(asked)).toEqual([
          ["c@example.org", "\u{1F600}@example.org"],
          ["a@example.net", "c@example.net"],
        ]);
        await settled(ticket);
        await settled(opened.commitFailing(begun));
        expect(await accounts.list("example.org" as DomainJid)).toEqual([
          "b@example.org",
          "c@example.org",
          "\u{1F600}@example.org",
        ]);
      });

      test("removed, leave nothing but the memory of their address", async () => {
        const books = store.collection<number>("books");
        const films = store.collection<number>("films");
        const [own, other] = [{ account: romeo.jid }, { account: jid("juliet@example.org") }];
        const domain = { domain: "romeo@example.org" as DomainJid };
        const rows = [own, other, domain].map((target) => store.spool.keep(target, bytes("<message/>"), 1));
        await commit(
          store.accounts.put(romeo),
          store.accounts.put(account("juliet@example.org")),
          ...[books, films].flatMap((kept) =>
            ["romeo@example.org", "juliet@example.org"].map((who) => kept.put(who, "k", 1)),
          ),
          ...rows.map(({ write }) => write),
        );
        const gone = async (): Promise<void> => {
          expect(await store.accounts.exists(romeo.jid)).toBe(false);
          expect(await store.accounts.get(romeo.jid)).toBeUndefined();
          expect(await store.accounts.removedAt(romeo.jid)).toBe(1234);
          for (const kept of [books, films]) {
            expect((await kept.all("romeo@example.org")).size).toBe(0);
            expect((await kept.all("juliet@example.org")).size).toBe(1);
          }
          expect(await store.spool.count(own)).toBe(0);
          expect(await store.spool.pending(own)).toEqual([]);
          expect(await store.spool.count(other)).toBe(1);
          expect(await store.spool.count(domain)).toBe(1);
        };
        const begun = unit(store.accounts.remove(romeo.jid, 1234));
        await gone();
        await settled(begun.commit());
        await gone();
        await forget("romeo@example.org", "juliet@example.org");
        await gone();
        expect(await books.owners()).toEqual(["juliet@example.org"]);
        expect(await store.accounts.list()).toEqual(["juliet@example.org"]);
      });

      test("made anew after removal, have nothing of the old one, and the address keeps its past", async () => {
        const books = store.collection<number>("books");
        await commit(store.accounts.put(romeo), books.put("romeo@example.org", "old", 1));
        await commit(
          store.accounts.remove(romeo.jid, 5),
          store.accounts.put(account("romeo@example.org", 9)),
          books.put("romeo@example.org", "new", 2),
        );
        for (const _ of ["from memory", "from disk"]) {
          expect(await store.accounts.get(romeo.jid)).toEqual(account("romeo@example.org", 9));
          expect(await store.accounts.removedAt(romeo.jid)).toBe(5);
          expect(await books.all("romeo@example.org")).toEqual(new Map([["new", 2]]));
          await forget("romeo@example.org");
        }
        await commit(store.accounts.remove(romeo.jid, 8));
        expect(await store.accounts.removedAt(romeo.jid)).toBe(8);
      });

      test("that were temporary leave no trace, and the address keeps the past it had", async () => {
        const books = store.collection<number>("books");
        const guest = jid("guest@example.org");
        await commit(books.put(guest, "read", 1), store.accounts.remove(romeo.jid, 8));
        const begun = unit(store.accounts.remove(guest, undefined), store.accounts.remove(romeo.jid, undefined));
        const traceless = async (): Promise<void> => {
          expect((await books.all(guest)).size).toBe(0);
          expect(await store.accounts.removedAt(guest)).toBeUndefined();
          expect(await store.accounts.removedAt(romeo.jid)).toBe(8);
        };
        await traceless();
        await settled(begun.commit());
        await traceless();
        await forget("guest@example.org", "romeo@example.org");
        await traceless();
      });
    });

    describe("the spool", () => {
      const target: Target = { account: jid("romeo@example.org") };
      const keep = (to: Target, text: string, stamp = 1) => store.spool.keep(to, bytes(text), stamp);

      test("numbers rows upwards, over all targets", () => {
        const rows = [target, { domain: "a" as DomainJid }, target].map((to) => keep(to, "<message/>").row);
        expect(rows).toEqual(rows.toSorted((a, b) => a - b));
        expect(new Set(rows).size).toBe(3);
        expect(rows.every((row) => Number.isSafeInteger(row) && row > 0)).toBe(true);
      });

      test("gives what is pending oldest first, before and after it is on disk", async () => {
        const kept = ["<a/>", "<b/>", "<c/>"].map((text, at) => keep(target, text, 1000 + at));
        const stored = kept.map(({ row }, at) => ({ row, stanza: ["<a/>", "<b/>", "<c/>"][at], stamp: 1000 + at }));
        const begun = unit(...kept.map(({ write }) => write));
        expect(await store.spool.pending(target)).toEqual(stored);
        expect(await store.spool.count(target)).toBe(3);
        await settled(begun.commit());
        expect(await store.spool.pending(target)).toEqual(stored);
        expect(await store.spool.count(target)).toBe(3);
      });

      test("orders by row, also where units are committed in another order", async () => {
        const [a, b] = [keep(target, "<a/>"), keep(target, "<b/>")];
        const tickets = [unit(b.write).commit(), unit(a.write).commit()];
        expect((await store.spool.pending(target)).map(({ row }) => row)).toEqual([a.row, b.row]);
        await Promise.all(tickets.map(settled));
        expect((await store.spool.pending(target)).map(({ row }) => row)).toEqual([a.row, b.row]);
      });

      test("is read in pages", async () => {
        const kept = Array.from({ length: 7 }, (_, at) => keep(target, `<m n='${at}'/>`));
        await commit(...kept.slice(0, 5).map(({ write }) => write));
        const rows = kept.map(({ row }) => row);
        const read = async (after?: number, limit?: number) =>
          (await store.spool.pending(target, after, limit)).map(({ row }) => row);
        unit(...kept.slice(5).map(({ write }) => write));
        expect(await read(undefined, 3)).toEqual(rows.slice(0, 3));
        expect(await read(rows[2], 3)).toEqual(rows.slice(3, 6));
        expect(await read(rows[5], 3)).toEqual(rows.slice(6));
        expect(await read(rows[6], 3)).toEqual([]);
        expect(await read(rows[3])).toEqual(rows.slice(4));
        expect(await read(undefined, 0)).toEqual([]);
      });

      test("knows how much is pending in bytes, what is being stored and settled included", async () => {
        const [a, b, c] = [keep(target, "<a/>"), keep(target, "<b>bb</b>"), keep(target, "<c/>")];
        expect(await store.spool.bytes(target)).toBe(0);
        await commit(a.write, b.write);
        expect(await store.spool.bytes(target)).toBe(4 + 9);
        const begun = unit(c.write, store.spool.settle(target, [a.row]));
        expect(await store.spool.bytes(target)).toBe(9 + 4);
        await settled(opened.commitFailing(begun));
        expect(await store.spool.bytes(target)).toBe(4 + 9);
        await commit(store.spool.settle(target, [a.row, b.row]));
        expect(await store.spool.bytes(target)).toBe(0);
      });

      test("a page is full although what it would have held is being settled", async () => {
        const kept = Array.from({ length: 6 }, (_, at) => keep(target, `<m n='${at}'/>`));
        await commit(...kept.map(({ write }) => write));
        const rows = kept.map(({ row }) => row);
        const begun = unit(store.spool.settle(target, rows.slice(0, 3)));
        expect((await store.spool.pending(target, 0, 2)).map(({ row }) => row)).toEqual(rows.slice(3, 5));
        expect(await store.spool.count(target)).toBe(3);
        await settled(opened.commitFailing(begun));
        expect((await store.spool.pending(target, 0, 2)).map(({ row }) => row)).toEqual(rows.slice(0, 2));
        expect(await store.spool.count(target)).toBe(6);
      });

      test("settles rows, known or not, of this target only", async () => {
        const other: Target = { account: jid("juliet@example.org") };
        const [a, b, c] = [keep(target, "<a/>"), keep(target, "<b/>"), keep(other, "<c/>")];
        await commit(a.write, b.write, c.write);
        await commit(store.spool.settle(target, [a.row, c.row, 999_999]));
        expect((await store.spool.pending(target)).map(({ row }) => row)).toEqual([b.row]);
        expect((await store.spool.pending(other)).map(({ row }) => row)).toEqual([c.row]);
        expect([await store.spool.count(target), await store.spool.count(other)]).toEqual([1, 1]);
        await commit(store.spool.settle(target, []));
        await commit(store.spool.settle(target, [b.row]));
        expect(await store.spool.count(target)).toBe(0);
      });

      test("what is kept and settled before it was committed never shows", async () => {
        const { row, write } = keep(target, "<a/>");
        const tickets = [unit(write).commit(), unit(store.spool.settle(target, [row])).commit()];
        expect(await store.spool.pending(target)).toEqual([]);
        expect(await store.spool.count(target)).toBe(0);
        await Promise.all(tickets.map(settled));
        expect(await store.spool.pending(target)).toEqual([]);
      });

      test("a stanza whose unit failed is not pending", async () => {
        const [a, b] = [keep(target, "<a/>"), keep(target, "<b/>")];
        expect(await fail(a.write)).toBe(false);
        await commit(b.write);
        expect((await store.spool.pending(target)).map(({ row }) => row)).toEqual([b.row]);
      });

      test("an account and a domain of the same name are two targets", async () => {
        const [account, domain]: Target[] = [{ account: jid("example.org") }, { domain: "example.org" as DomainJid }];
        const [a, b] = [keep(account as Target, "<a/>"), keep(domain as Target, "<b/>")];
        const check = async (): Promise<void> => {
          expect((await store.spool.pending(account as Target)).map(({ row }) => row)).toEqual([a.row]);
          expect((await store.spool.pending(domain as Target)).map(({ row }) => row)).toEqual([b.row]);
        };
        const ticket = unit(a.write, b.write).commit();
        await check();
        await settled(ticket);
        await check();
        await commit(store.accounts.remove(jid("example.org"), 1));
        expect(await store.spool.count(account as Target)).toBe(0);
        expect(await store.spool.count(domain as Target)).toBe(1);
      });

      test("what is kept after the account was removed is kept", async () => {
        const [a, b] = [keep(target, "<a/>"), keep(target, "<b/>")];
        await commit(a.write);
        const ticket = unit(store.accounts.remove(jid("romeo@example.org"), 1), b.write).commit();
        expect((await store.spool.pending(target)).map(({ row }) => row)).toEqual([b.row]);
        await settled(ticket);
        expect((await store.spool.pending(target)).map(({ row }) => row)).toEqual([b.row]);
      });

      test("bytes come back as they were", async () => {
        const texts = [
          "<body>\xc3\xa9\xf0\x9f\x98\x80</body>",
          String.fromCharCode(...Array(256).keys()),
          "",
          "x".repeat(1_000_000),
        ];
        await commit(...texts.map((text) => keep(target, text).write));
        expect((await store.spool.pending(target)).map(({ stanza }) => stanza)).toEqual(texts);
      });

      test("more than fits a page, read without a limit, with what is being committed", async () => {
        const kept = Array.from({ length: 600 }, (_, at) => keep(target, `<m n='${at}'/>`, at));
        const rows = kept.map(({ row }) => row);
        await commit(...kept.slice(0, 500).map(({ write }) => write));
        const release = opened.hold();
        const tickets = [
          unit(...kept.slice(500).map(({ write }) => write)).commit(),
          unit(store.spool.settle(target, rows.slice(0, 100))).commit(),
        ];
        const asked = store.spool.pending(target, rows[49]);
        expect(await store.spool.count(target)).toBe(500);
        release();
        expect((await asked).map(({ row }) => row)).toEqual(rows.slice(100));
        expect((await asked).map(({ stamp }) => stamp)).toEqual(rows.map((_, at) => at).slice(100));
        await Promise.all(tickets.map(settled));
        expect((await store.spool.pending(target)).length).toBe(500);
      });
    });

    describe("flush and close", () => {
      test("flush settles when everything committed so far has", async () => {
        const books = store.collection<number>("books");
        await store.flush();
        const release = opened.hold();
        const tickets = [1, 2, 3].map((n) => unit(books.put("romeo", "a", n)).commit());
        const failing = opened.commitFailing(unit(books.put("romeo", "b", 1)));
        const begun = unit(books.put("romeo", "c", 1));
        const flushed = store.flush();
        expect(tickets.map(({ state }) => state)).toEqual(["open", "open", "open"]);
        release();
        await flushed;
        expect([...tickets, failing].map(({ state }) => state)).toEqual([
          "committed",
          "committed",
          "committed",
          "failed",
        ]);
        expect(await settled(begun.commit())).toBe(true);
      });

      test("close lets what was committed come to its end, and nothing after it", async () => {
        const books = store.collection<number>("books");
        const begun = unit(books.put("romeo", "b", 1));
        const order: string[] = [];
        unit(books.put("romeo", "a", 1))
          .commit()
          .onSettled((committed) => order.push(`before ${committed}`));
        const closed = store.close();
        begun.commit().onSettled((committed) => order.push(`after ${committed}`));
        expect(store.close()).toBe(closed);
        await closed;
        await store.flush();
        expect(order).toEqual(["before true", "after false"]);
        expect(await settled(unit(books.put("romeo", "c", 1)).commit())).toBe(false);
      });

      test("a closed store answers nothing", async () => {
        const books = store.collection<number>("books");
        await commit(books.put("romeo", "a", 1));
        await store.close();
        const romeo = jid("romeo@example.org");
        expect(() => books.get("romeo", "a")).toThrow("closed");
        expect(() => books.all("romeo")).toThrow("closed");
        expect(() => store.accounts.exists(romeo)).toThrow("closed");
        expect(() => store.accounts.get(romeo)).toThrow("closed");
        expect(() => store.accounts.removedAt(romeo)).toThrow("closed");
        expect(() => store.spool.pending({ account: romeo })).toThrow("closed");
        expect(() => store.spool.count({ account: romeo })).toThrow("closed");
        await expect(books.owners()).rejects.toThrow("closed");
        await expect(store.accounts.list()).rejects.toThrow("closed");
      });
    });

    modelTest(open, runs);
  });
};

/** Reads against a plain model. */
export const modelTest = (open: () => Promise<Opened>, runs: number): void => {
  test("whatever is begun, added, committed and failed in whatever order, reads are what a plain model says", async () => {
    const opened = await open();
    const collections = Model.collections.map((collection) => opened.store.collection<unknown>(collection));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 60 }), async (taken: readonly Step[]) => {
        const model = new Model(opened, collections, `run${run++}`);
        for (const step of taken) await model.take(step);
        await model.end();
      }),
      { numRuns: runs },
    );
    await opened.store.close();
  });
};

export const settled = (ticket: Ticket): Promise<boolean> => new Promise((resolve) => ticket.onSettled(resolve));
export const jid = (text: string): BareJid => text as BareJid;
export const bytes = (text: string): Bytes => text as Bytes;

/** An account whose keys depend on `seed`. */
export const account = (address: string, seed = 1): Account => {
  const keys = (length: number): ScramKeys => ({
    salt: Uint8Array.from({ length: 16 }, (_, at) => at * seed),
    iterations: 10_000 + seed,
    storedKey: Uint8Array.from({ length }, (_, at) => 255 - at * seed),
    serverKey: Uint8Array.from({ length }, (_, at) => at ^ seed),
  });
  return {
    jid: jid(address),
    created: 1_700_000_000_000 + seed,
    keys: { "SHA-1": keys(20), "SHA-256": keys(32), "SHA-512": keys(64) },
  };
};

const HOSTILE = {
  NUL: "a\0b\0",
  quotes: `'"\`;--`,
  emoji: "\u{1F469}\u200D\u{1F680}",
  markup: "<a b='&amp;'>]]>",
  "line ends": "\r\n\t\u2028",
  "latin1 of UTF-8": "\xc3\xa9\xf0\x9f\x98\x80",
  percent: "%_*?[",
  "a megabyte": "\u00e9".repeat(500_000),
  proto: "__proto__",
  constructor: "constructor",
  nothing: "",
};
