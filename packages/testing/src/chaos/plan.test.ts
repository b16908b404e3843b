import { expect, test } from "vitest";
import { FAULT_POINTS } from "../../../server/src/faults.ts";
import { Random } from "../fuzz/random.ts";
import { planOf } from "./plan.ts";

test("of 200 kills there are 50 at each fault point and 50 at any moment", () => {
  const plan = planOf(200, new Random(1));
  for (const at of [...FAULT_POINTS, "any moment"]) expect(plan.filter((kill) => kill.at === at)).toHaveLength(50);
});

test("a seed decides all of it", () => {
  expect(planOf(40, new Random(9))).toEqual(planOf(40, new Random(9)));
  expect(planOf(40, new Random(9))).not.toEqual(planOf(40, new Random(10)));
});

test("all of them can be at one point", () => {
  expect(new Set(planOf(9, new Random(1), "after the write").map(({ at }) => at))).toEqual(
    new Set(["after the write"]),
  );
});

test("few kills are still of different kinds, in an order that is not always the same", () => {
  const orders = [1, 2, 3, 4, 5].map((seed) => planOf(4, new Random(seed)).map(({ at }) => at));
  for (const order of orders) expect(new Set(order).size).toBe(4);
  expect(new Set(orders.map((order) => order.join())).size).toBeGreaterThan(1);
});
