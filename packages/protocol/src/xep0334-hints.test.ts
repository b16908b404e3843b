import { expect, test } from "vitest";
import { message } from "./stanza.ts";
import { buildHint, hasHint } from "./xep0334-hints.ts";

test("XEP-0334 §4: a hint is a child of the message", () => {
  const hinted = message({ type: "chat" }, [buildHint("no-store")]);
  expect(hasHint(hinted, "no-store")).toBe(true);
  expect(hasHint(hinted, "store")).toBe(false);
});

test("XEP-0334 §5: in an error it means nothing", () => {
  expect(hasHint(message({ type: "error" }, [buildHint("store")]), "store")).toBe(false);
});
