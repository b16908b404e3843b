import { expect, test } from "vitest";
import { StanzaError } from "./errors.ts";
import { VersionQuery } from "./xep0092-version.ts";
import { parseElement } from "./xml/read.ts";

test.each([
  ["", undefined],
  ["<name>Verona</name><version>1.0</version>", { name: "Verona", version: "1.0", os: undefined }],
  ["<name>Verona</name><version>1.0</version><os>Stone</os>", { name: "Verona", version: "1.0", os: "Stone" }],
])("XEP-0092 §2: %s", (children, value) => {
  const query = parseElement(`<query xmlns='jabber:iq:version'>${children}</query>`);
  expect(VersionQuery.parse(query)).toEqual(value);
  expect(VersionQuery.build(value)).toEqual(query);
});

test.each(["<name>Verona</name>", "<version>1.0</version>", "<os>Stone</os>"])(
  "XEP-0092 §2: %s is not enough",
  (children) => {
    expect(() => VersionQuery.parse(parseElement(`<query xmlns='jabber:iq:version'>${children}</query>`))).toThrow(
      StanzaError,
    );
  },
);
