import { describe, expect, test } from "vitest";
import { Findings } from "./findings.ts";
import type { Entry } from "./history.ts";
import { type Kind, Ledger, type Said } from "./ledger.ts";
import { judge } from "./oracle.ts";

/** Alice's phone says things to Bob, who has two devices; Alice has a laptop too. Whoever is not told otherwise has seen everything. */
class Trial {
  readonly ledger = new Ledger(() => 0);
  readonly #entries: Entry[] = [];
  readonly archives = new Map<string, Entry[]>([
    ["alice", []],
    ["bob", []],
  ]);
  readonly histories = [
    { account: "alice", device: "phone", entries: [] as Entry[] },
    { account: "alice", device: "laptop", entries: [] as Entry[] },
    { account: "bob", device: "phone", entries: [] as Entry[] },
    { account: "bob", device: "desk", entries: [] as Entry[] },
  ];

  says(kind: Kind = "kept", isRecognisable = true): Said {
    const said = this.ledger.say(this.ledger.lane("alice", "phone", "bob"), kind, isRecognisable);
    said.isAcknowledged = true;
    said.sendings = 1;
    if (kind === "kept") this.#keep(said);
    return said;
  }

  #keep({ id }: Said): void {
    const entry = { id, stanzaId: `of ${id}` };
    this.#entries.push(entry);
    for (const archive of this.archives.values()) archive.push(entry);
    for (const { account, device, entries } of this.histories)
      if (account !== "alice" || device !== "phone") entries.push(entry);
  }

  archive(account: string): Entry[] {
    return this.archives.get(account) ?? [];
  }
  history(who: string): Entry[] {
    return this.histories.find(({ account, device }) => `${account}/${device}` === who)?.entries ?? [];
  }

  verdict(): readonly string[] {
    const findings = new Findings(() => 0);
    judge({ ledger: this.ledger, archives: this.archives, histories: this.histories }, findings);
    return findings.violations.map(({ violation, what, said }) => `${said?.number}: ${violation} ${what}`);
  }
}

const without = (entries: Entry[], { id }: Said): void => {
  entries.splice(
    entries.findIndex((entry) => entry.id === id),
    1,
  );
};
const swap = (entries: Entry[]): void => void entries.push(...entries.splice(0, 1));

describe("the oracle", () => {
  test("is content where everything is everywhere, once and in order", () => {
    const trial = new Trial();
    for (const kind of ["kept", "no-store", "presence", "kept", "iq", "kept"] as const) trial.says(kind);
    expect(trial.verdict()).toEqual([]);
  });

  test.each(["alice", "bob"])("finds what the archive of %s has lost", (account) => {
    const trial = new Trial();
    const [one] = [trial.says(), trial.says()];
    without(trial.archive(account), one);
    expect(trial.verdict()).toContain(`1: lost from an archive of ${account}`);
  });

  test.each(["alice/laptop", "bob/phone", "bob/desk"])("finds what %s was never shown", (who) => {
    const trial = new Trial();
    const [one] = [trial.says(), trial.says()];
    without(trial.history(who), one);
    expect(trial.verdict()).toEqual([`1: lost from a history of ${who}`]);
  });

  test("does not miss what was never acknowledged, or was refused", () => {
    const trial = new Trial();
    const [one, two] = [trial.says(), trial.says()];
    one.isAcknowledged = false;
    two.isRefused = true;
    for (const entries of [...trial.archives.values(), ...trial.histories.map((history) => history.entries)])
      entries.length = 0;
    expect(trial.verdict()).toEqual([]);
  });

  test("finds what is stored twice, acknowledged or not", () => {
    const trial = new Trial();
    const one = trial.says();
    one.isAcknowledged = false;
    trial.archive("bob").push({ id: one.id, stanzaId: "another" });
    expect(trial.verdict()).toEqual(["1: twice in an archive of bob"]);
  });

  test("finds what a device has under two ids", () => {
    const trial = new Trial();
    const one = trial.says();
    trial.archive("bob").push({ id: one.id, stanzaId: "another" });
    trial.history("bob/desk").push({ id: one.id, stanzaId: "another" });
    expect(trial.verdict()).toContain("1: twice in a history of bob/desk");
  });

  test("allows for what nobody could know again on another stream, and for nothing else", () => {
    const trial = new Trial();
    const one = trial.says("kept", false);
    trial.archive("bob").push({ id: one.id, stanzaId: "another" });
    expect(trial.verdict()).toEqual(["1: twice in an archive of bob"]);
    one.isSentAnew = true;
    expect(trial.verdict()).toEqual([]);
    const two = trial.says();
    two.isSentAnew = true;
    trial.archive("bob").push({ id: two.id, stanzaId: "yet another" });
    expect(trial.verdict()).toEqual(["2: twice in an archive of bob"]);
  });

  test("finds what was shown and is in no archive, under that id", () => {
    const trial = new Trial();
    const one = trial.says();
    without(trial.history("bob/phone"), one);
    trial.history("bob/phone").push({ id: one.id, stanzaId: "made up" });
    expect(trial.verdict()).toEqual(["1: shown but not archived at bob/phone, as made up"]);
  });

  test("finds an archive that is not in the order in which things were said", () => {
    const trial = new Trial();
    trial.says();
    trial.says();
    swap(trial.archive("bob"));
    expect(trial.verdict()).toContain("1: out of order in the archive of bob, behind alice/phone:bob#2");
  });

  test("XEP-0313 §3: finds a device that was shown something before what comes earlier in the archive", () => {
    const trial = new Trial();
    trial.says();
    trial.says();
    swap(trial.history("bob/phone"));
    expect(trial.verdict()).toEqual(["1: out of order bob/phone was shown it after alice/phone:bob#2"]);
  });
});
