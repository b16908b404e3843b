/** docs/configuration.md says of every option and every variable what the code says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { VARIABLES } from "./config-environment.ts";
import { schema } from "./config-schema.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/configuration.md"), "utf8");

/** What stands in the first two columns of a table's row. */
interface Row {
  readonly name: string;
  readonly second: string;
}
const rows: readonly Row[] = [...page.matchAll(/^\| `([^`]+)` \| (.*?) \|/gm)].map(([, name = "", second = ""]) => ({
  name,
  second,
}));
const variableRows = rows.filter(({ name }) => name.startsWith("KITH_"));
const optionRows = rows.filter(({ name }) => /^[a-z]/.test(name));

interface Node {
  readonly shape?: Readonly<Record<string, Node>>;
  readonly def?: Readonly<Record<string, unknown>>;
}

/** Every option in a schema, as the page writes it. */
const optionsIn = (node: Node, path: string): readonly string[] => {
  if (node.shape !== undefined)
    return Object.entries(node.shape).flatMap(([key, inner]) => optionsIn(inner, path === "" ? key : `${path}.${key}`));
  const { type, element, valueType, innerType, in: before } = (node.def ?? {}) as Readonly<Record<string, Node>>;
  if ((type as unknown) === "record") return [path, ...optionsIn(valueType ?? {}, `${path}[…]`)];
  if ((type as unknown) === "array") {
    const inner = optionsIn(element ?? {}, `${path}[…]`);
    return inner.length > 1 ? [path, ...inner] : [path];
  }
  const next = innerType ?? before;
  return next === undefined ? [path] : optionsIn(next, path);
};

/** Options inside a value that may be switched off are not seen in the schema; its default has them all. */
const optionsOfDefaults = (value: unknown, path: string): readonly string[] => {
  const isSection = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  if (!isSection) return path === "" ? [] : [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    optionsOfDefaults(inner, path === "" ? key : `${path}.${key}`),
  );
};

const options = new Set([...optionsIn(schema as unknown as Node, ""), ...optionsOfDefaults(schema.parse({}), "")]);

test("docs/configuration.md has every option there is", () => {
  expect(options.size).toBeGreaterThan(90);
  expect([...options].filter((option) => !page.includes(`\`${option}\``))).toEqual([]);
});

test("docs/configuration.md has no option that there is not", () => {
  const isPartOf = (name: string): boolean => [...options].some((option) => option.startsWith(`${name}.`));
  expect(optionRows.map(({ name }) => name).filter((name) => !options.has(name) && !isPartOf(name))).toEqual([]);
});

/** A configuration with one option; those of a host are given to the only one there is. */
const withOption = (name: string, value: unknown): object => {
  const path = name.replace("hosts[…]", "hosts.localhost").split(".");
  return path.reduceRight((inner, key) => ({ [key]: inner }), value) as object;
};

const withDefault = optionRows.filter(({ second, name }) => second.startsWith("`") && !name.startsWith("listeners[…]"));

test.each(withDefault)("docs/configuration.md has the default of $name", ({ name, second }) => {
  const origin = { file: undefined, directory: "/" };
  const written = JSON.parse(second.slice(1, -1)) as unknown;
  expect(readConfig(withOption(name, written), origin)).toEqual(readConfig({}, origin));
});

test("docs/configuration.md gives nearly every option a default that can be checked", () => {
  expect(withDefault.length).toBeGreaterThan(65);
});

const examples = [...page.matchAll(/^export default defineConfig\((\{\n[\s\S]*?^\})\);$/gm)].map(
  ([, object = ""]) => object,
);

test("the examples of docs/configuration.md are configurations", () => {
  expect(examples).toHaveLength(2);
  for (const object of examples) {
    const written: unknown = new Function(`return (${object});`)();
    expect(readConfig(written, { file: undefined, directory: "/" }).hosts.has("example.org" as never)).toBe(true);
  }
});

test("docs/configuration.md has every environment variable, with its example, and no other", () => {
  const written = variableRows.map(({ name, second }) => [name, second]);
  expect(written).toEqual([
    ["KITH_CONFIG", "`/etc/kith/kith.config.ts`"],
    ...VARIABLES.map(({ name, example }) => [name, `\`${example}\``]),
  ]);
});
