import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readElement } from "./read.ts";
import { elementText, mutated, mutation } from "./test-documents.ts";
import { everyNth, infoset, plain, scan, utf8, verdict } from "./test-support.ts";

/** What saxes says, with what RFC 6120 §11.1 forbids and Unicode that is none counted as refused. */
const saxesAccepts = (bytes: Uint8Array): boolean => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (text.startsWith("\ufeff")) return false;
    infoset(text);
    return !/<!--|<!DOCTYPE|<\?/.test(text.replace(/^<\?xml\s/, "").replace(/<!\[CDATA\[[\s\S]*?\]\]>/g, ""));
  } catch {
    return false;
  }
};

/** Many runs, on a machine that may be busy. */
const PATIENCE = { timeout: 60_000 };

describe("the scanner and saxes", () => {
  test("RFC 6120 §11.3: agree which documents are well-formed", PATIENCE, () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(elementText, fc.array(mutation, { maxLength: 2 }), (text, mutations) => {
        const bytes = mutated(utf8(text), mutations);
        const ours = verdict(bytes) === "accepted";
        if (ours) accepted++;
        else refused++;
        expect(ours).toBe(saxesAccepts(bytes));
      }),
      { numRuns: 4000 },
    );
    // The generator must keep producing both.
    expect(Math.min(accepted, refused)).toBeGreaterThan(400);
  });

  test("XML §2.11, §3.3.3, §4.6: read the same from a document", PATIENCE, () => {
    fc.assert(
      fc.property(elementText, (text) => {
        fc.pre(saxesAccepts(utf8(text)));
        const { elements } = scan(text, [], { framing: "document" });
        const [raw] = elements;
        expect(raw).toBeDefined();
        if (raw === undefined) return;
        // On a stream of jabber:client that namespace is "", which is compared elsewhere.
        fc.pre(!text.includes("jabber:"));
        expect(plain(readElement(raw))).toEqual(plain(infoset(text)));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the scanner and the chunks it is fed", () => {
  test("one byte at a time and any splits give what the whole gives", PATIENCE, () => {
    fc.assert(
      fc.property(
        elementText,
        fc.array(mutation, { maxLength: 1 }),
        fc.array(fc.nat(200), { maxLength: 5 }),
        (text, mutations, cuts) => {
          const input = mutated(utf8(text), mutations);
          const whole = scan(input, [], { framing: "document" });
          const ends = cuts.map((cut) => cut % (input.length + 1)).sort((one, other) => one - other);
          for (const chosen of [ends, everyNth(input.length, 1)]) {
            const split = scan(input, chosen, { framing: "document" });
            expect(split.error).toBe(whole.error);
            expect(split.elements).toEqual(whole.elements);
          }
        },
      ),
      { numRuns: 1500 },
    );
  });
});
