import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { VARIABLES } from "./config-environment.ts";
import { schema } from "./config-schema.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/configuration.md"), "utf8");

/** The names of all options, by asking what would be allowed in place of one that cannot be. */
const allowedAt = (written: object): readonly string[] => {
  try {
    readConfig(written, { file: undefined, directory: "/" });
  } catch (error) {
    return /allowed: (.*)/.exec((error as Error).message)?.[1]?.split(", ") ?? [];
  }
  return [];
};

test("docs/configuration.md has every option", () => {
  const top = Object.keys(schema.shape);
  const sections = [
    "registration",
    "invitations",
    "passwords",
    "accounts",
    "limits",
    "timeouts",
    "storage",
    "scram",
    "log",
  ];
  const keys = [
    ...top.filter((key) => !sections.includes(key)),
    ...sections.flatMap((section) => allowedAt({ [section]: { "~": 1 } }).map((key) => `${section}.${key}`)),
    ...allowedAt({ hosts: { "example.org": { "~": 1 } } }).map((key) => `hosts[…].${key}`),
    ...allowedAt({ listeners: [{ kind: "c2s", "~": 1 }] }).map((key) => `listeners[…].${key}`),
  ];
  expect(keys.length).toBeGreaterThan(60);
  expect(keys.filter((key) => !page.includes(`\`${key}\``))).toEqual([]);
});

test("docs/configuration.md has every environment variable", () => {
  expect(VARIABLES.filter(({ name }) => !page.includes(`\`${name}\``))).toEqual([]);
});
