import { expect, test } from "vitest";
import { neighboursOf } from "./setup-tasks.ts";

test("neighbours in a ring: half on either side, and everybody is their neighbours' neighbour", () => {
  const ring = { count: 9, contacts: 4 };
  expect(neighboursOf(0, ring).toSorted()).toEqual([1, 2, 7, 8]);
  for (let number = 0; number < ring.count; number++) {
    const neighbours = neighboursOf(number, ring);
    expect(new Set(neighbours).size).toBe(4);
    for (const neighbour of neighbours) expect(neighboursOf(neighbour, ring)).toContain(number);
  }
});
