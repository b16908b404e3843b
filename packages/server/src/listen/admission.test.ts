import { expect, test } from "vitest";
import { Admission, type AdmissionLimits, type Stranger } from "./admission.ts";

const LIMITS: AdmissionLimits = { strangersPerAddress: 3, strangers: 6, connectsPerMinute: undefined };

class Somebody implements Stranger {
  readonly address: string;
  isDestroyed = false;
  constructor(address: string) {
    this.address = address;
  }
  destroy(): void {
    this.isDestroyed = true;
  }
}
const admitting = (admission: Admission, address: string): [Somebody, boolean] => {
  const somebody = new Somebody(address);
  return [somebody, admission.admit(somebody)];
};

test("RFC 6120 §13.12: an address gets so many connections, and another when one has gone", () => {
  const admission = new Admission(LIMITS, () => 0);
  const [first] = admitting(admission, "192.0.2.1");
  expect([
    admitting(admission, "192.0.2.1")[1],
    admitting(admission, "192.0.2.1")[1],
    admitting(admission, "192.0.2.1")[1],
  ]).toEqual([true, true, false]);
  expect(admitting(admission, "192.0.2.2")[1]).toBe(true);
  admission.leave(first);
  admission.leave(first);
  expect(admission.count).toBe(3);
  expect(admitting(admission, "192.0.2.1")[1]).toBe(true);
  expect(first.isDestroyed).toBe(false);
});

test("RFC 6120 §13.12: a network of 64 bits counts as one address", () => {
  const admission = new Admission(LIMITS, () => 0);
  const admitted = [1, 2, 3, 4].map((at) => admitting(admission, `2001:db8::${at}`)[1]);
  expect(admitted).toEqual([true, true, true, false]);
  expect(admitting(admission, "2001:db8:0:1::1")[1]).toBe(true);
});

test("RFC 6120 §13.12: a crowd crowds out itself: the oldest of the address that has most goes", () => {
  const admission = new Admission(LIMITS, () => 0);
  const [oldest] = admitting(admission, "192.0.2.1");
  const [crowd] = admitting(admission, "192.0.2.2");
  const others = ["192.0.2.2", "192.0.2.2", "192.0.2.3", "192.0.2.4"].map(
    (address) => admitting(admission, address)[0],
  );
  const [newcomer, isIn] = admitting(admission, "192.0.2.5");
  expect(isIn).toBe(true);
  expect(crowd.isDestroyed).toBe(true);
  expect([oldest, newcomer, ...others].some(({ isDestroyed }) => isDestroyed)).toBe(false);
  expect(admission.count).toBe(6);
});

test("RFC 6120 §13.12: where everybody has one, the oldest of all goes", () => {
  const admission = new Admission(LIMITS, () => 0);
  const all = [1, 2, 3, 4, 5, 6, 7].map((at) => admitting(admission, `192.0.2.${at}`)[0]);
  expect(all.map(({ isDestroyed }) => isDestroyed)).toEqual([true, false, false, false, false, false, false]);
});

test("RFC 6120 §13.12: an honest client among very many dishonest ones stays", () => {
  const admission = new Admission({ strangersPerAddress: 50, strangers: 1_000, connectsPerMinute: undefined }, () => 0);
  const [honest] = admitting(admission, "198.51.100.1");
  for (let at = 0; at < 10_000; at++) admitting(admission, `192.0.2.${at % 200}`);
  expect(honest.isDestroyed).toBe(false);
  expect(admission.count).toBe(1_000);
});

test("RFC 6120 §13.12: so many new connections a minute from one address", () => {
  let now = 0;
  const admission = new Admission(
    { strangersPerAddress: undefined, strangers: undefined, connectsPerMinute: 2 },
    () => now,
  );
  const attempt = (address: string): boolean => admitting(admission, address)[1];
  expect([attempt("192.0.2.1"), attempt("192.0.2.1"), attempt("192.0.2.1")]).toEqual([true, true, false]);
  expect(attempt("192.0.2.2")).toBe(true);
  now = 30_000;
  expect([attempt("192.0.2.1"), attempt("192.0.2.1")]).toEqual([true, false]);
  now = 3_600_000;
  expect([attempt("192.0.2.1"), attempt("192.0.2.1"), attempt("192.0.2.1")]).toEqual([true, true, false]);
});

test("what is remembered of addresses has a bound", () => {
  const admission = new Admission(
    { strangersPerAddress: undefined, strangers: undefined, connectsPerMinute: 1 },
    () => 0,
  );
  for (let at = 0; at < 10_002; at++)
    admission.leave(admitting(admission, `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`)[0]);
  expect(admitting(admission, "10.0.0.0")[1]).toBe(true);
  expect(admitting(admission, "10.0.39.17")[1]).toBe(false);
  expect(admission.count).toBe(1);
});

test("without limits everybody is admitted", () => {
  const admission = new Admission(
    { strangersPerAddress: undefined, strangers: undefined, connectsPerMinute: undefined },
    () => 0,
  );
  for (let at = 0; at < 1_000; at++) expect(admitting(admission, "192.0.2.1")[1]).toBe(true);
});
