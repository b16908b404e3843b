import { beforeEach, describe, expect, test } from "vitest";
import { Account } from "./account.ts";
import { Findings } from "./findings.ts";
import { type Kind, Ledger, type Said } from "./ledger.ts";
import { Witness } from "./witness.ts";

let now = 0;
let ledger: Ledger;
let findings: Findings;
let bob: Account;
let phone: Witness;

beforeEach(() => {
  now = 1_000;
  ledger = new Ledger(() => now);
  findings = new Findings(() => now);
  bob = new Account("bob");
  phone = new Witness(ledger, findings, bob, "phone");
});

const said = (kind: Kind = "kept"): Said => {
  const one = ledger.say(ledger.lane("alice", "phone", "bob"), kind);
  one.sendings = 1;
  return one;
};
const violations = (): readonly string[] => findings.violations.map(({ violation }) => violation);

describe("copies", () => {
  test("the same message twice on one stream is one too many", () => {
    const one = said();
    phone.saw(one, "live", "id");
    phone.saw(one, "carbon", "id");
    expect(violations()).toEqual(["needless copy"]);
  });

  test("on another stream it is counted, since the server cannot know", () => {
    const one = said();
    phone.saw(one, "live", "id");
    phone.began();
    phone.saw(one, "from offline storage", "id");
    expect([violations(), findings.copies["after binding anew"]]).toEqual([[], 1]);
    phone.saw(one, "from offline storage", "id");
    expect(violations()).toEqual(["needless copy"]);
  });

  test("of what was on its way to another device that was lost it is counted", () => {
    const one = said();
    phone.saw(one, "carbon", "id");
    bob.losing("desk", now + 5);
    phone.saw(one, "live", "id");
    expect([violations(), findings.copies["from another device"]]).toEqual([[], 1]);
    bob.keeps("desk", now + 9);
    now += 20;
    const two = said();
    phone.saw(two, "carbon", "id 2");
    phone.saw(two, "live", "id 2");
    expect(violations()).toEqual(["needless copy"]);
  });

  test("what nobody keeps may come as often as it was sent", () => {
    const one = said("no-store");
    one.sendings = 2;
    phone.saw(one, "live", undefined);
    phone.saw(one, "live", undefined);
    expect([violations(), findings.copies["sent again"]]).toEqual([[], 1]);
    phone.saw(one, "live", undefined);
    expect(violations()).toEqual(["needless copy"]);
  });
});

describe("order", () => {
  test.each(["kept", "no-store", "presence", "iq"] as const)("what overtakes %s is noticed", (kind) => {
    const [one, two] = [said(kind), said("no-store")];
    phone.saw(two, "live", undefined);
    phone.saw(one, "live", kind === "kept" ? "id" : undefined);
    expect(violations()).toEqual(["out of order"]);
  });

  test("lanes have nothing to do with each other", () => {
    const one = said();
    const other = ledger.say(ledger.lane("alice", "laptop", "bob"), "kept");
    phone.saw(other, "live", "id 2");
    phone.saw(one, "live", "id");
    expect(violations()).toEqual([]);
  });

  test.each([
    ["it was kept for somebody who was away", (_: Said, two: Said) => phone.saw(two, "from offline storage", "id 2")],
    ["it was sent again", (one: Said) => void one.sendings++],
    ["a device has come or gone since", () => bob.changes(now)],
    ["it comes on another stream", () => phone.began()],
  ])("nothing is concluded where %s", (_, happens) => {
    const [one, two] = [said(), said()];
    phone.saw(two, "live", "id 2");
    happens(one, two);
    phone.saw(one, "live", "id");
    expect(violations().filter((violation) => violation === "out of order")).toEqual(
      _ === "it was kept for somebody who was away" ? ["out of order"] : [],
    );
  });
});
