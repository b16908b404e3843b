import { describe, expect, test } from "vitest";
import { FAULT_POINTS, Faults, faults } from "./faults.ts";

describe("faults that only chaos tests order", () => {
  test("there are none unless they were ordered", () => expect(faults).toBeUndefined());

  test.each(FAULT_POINTS)("a kill %s happens at the passage that was ordered, and no other", (at) => {
    let kills = 0;
    const ordered = new Faults({ kill: { at, passage: 2 } }, () => kills++);
    ordered.passes(at);
    ordered.passes(at);
    expect(kills).toBe(0);
    ordered.arm();
    for (const other of FAULT_POINTS) if (other !== at) ordered.passes(other);
    ordered.passes(at);
    expect(kills).toBe(0);
    ordered.passes(at);
    expect(kills).toBe(1);
    ordered.passes(at);
    expect(kills).toBe(1);
  });

  test("a promise is broken without anything being killed", () => {
    const ordered = new Faults({ breaks: "gate off" }, () => expect.unreachable());
    ordered.arm();
    for (const point of FAULT_POINTS) ordered.passes(point);
    expect(ordered.breaks).toBe("gate off");
  });
});
