/** What is wrong with a configuration, in sentences: the key, what was found and what is allowed. */
import type { z } from "zod";
import type { Config } from "./config.ts";

export type Path = readonly PropertyKey[];

export interface Problem {
  readonly path: Path;
  /** A sentence without the key. */
  readonly text: string;
  /** The environment variable that the value came from, if it did. */
  readonly variable?: string;
}

/** A configuration that cannot be used. The message has every problem there is, one a line. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** One for each problem. */
  readonly lines: readonly string[];
  /** What is left of it without what cannot be read, for whoever wants to find what else is wrong. */
  readonly rest: Config | undefined;
  constructor(file: string | undefined, lines: readonly string[], rest?: Config) {
    super([`${file ?? "The configuration"} cannot be used:`, ...lines.map((line) => `  ${line}`)].join("\n"));
    this.lines = lines;
    this.rest = rest;
  }
}

/** Every problem, one a line; the key first. */
export const problemLines = (problems: readonly Problem[]): readonly string[] =>
  problems.map(({ path, text, variable }) => {
    const key = keyOf(path);
    const where = variable === undefined ? key : `${variable} (${key})`;
    return where === "" ? text : `${where}: ${text}`;
  });

/** `hosts["example.org"].registration`, as it would be written in TypeScript. */
export const keyOf = (path: Path): string =>
  path
    .map((part, at) => {
      if (typeof part === "number") return `[${part}]`;
      const name = String(part);
      if (/^[A-Za-z_$][\w$]*$/.test(name)) return at === 0 ? name : `.${name}`;
      return `[${JSON.stringify(name)}]`;
    })
    .join("");

/** A value as it is shown; nothing of one that is to stay secret. */
export const shown = (value: unknown, path: Path = []): string => {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" || typeof value === "function") return `a value of type ${typeof value}`;
  if (path.some((part) => SECRET.test(String(part)))) return `a value of type ${typeof value}`;
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
};
const SECRET = /secret|forbidden/i;
const LONGEST = 80;

/** The value at a path of what was given; `undefined` where there is none. */
export const valueAt = (given: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, part) => {
    const isThere = typeof value === "object" && value !== null && Object.hasOwn(value, part);
    return isThere ? (value as Record<PropertyKey, unknown>)[part] : undefined;
  }, given);

/** The problems that the schema has found. `knownKeys`: the options there are in an object at a path. */
export const problemsOf = (
  error: z.ZodError,
  given: unknown,
  knownKeys: (path: Path) => readonly string[],
): readonly Problem[] =>
  error.issues.flatMap((issue): readonly Problem[] => {
    const path = asWritten(issue.path, given);
    const found = shown(valueAt(given, path), path);
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => ({ path: [...path, key], text: unknownKey(key, knownKeys(path)) }));
      case "invalid_key":
        return [
          { path, text: allowedText(shown(String(path.at(-1))), `${issue.issues[0]?.message ?? "another name"}`) },
        ];
      case "invalid_type":
        return [{ path, text: allowedText(found, typeNames[issue.expected] ?? `a value of type ${issue.expected}`) }];
      default:
        return [{ path, text: allowedText(found, issue.message) }];
    }
  });

const allowedText = (found: string, allowed: string): string => `found ${found}; allowed: ${allowed}`;

/** One value where a list may stand too is not the first of a list. */
const asWritten = (path: Path, given: unknown): Path => {
  const parent = path.slice(0, -1);
  const isOfList = typeof path.at(-1) !== "number" || Array.isArray(valueAt(given, parent));
  return isOfList ? path : parent;
};

const typeNames: Readonly<Record<string, string>> = {
  array: "a list, [ … ]",
  object: "an object, { … }",
  record: "an object, { … }",
};

const unknownKey = (key: string, known: readonly string[]): string => {
  const near = known.filter(
    (name) => distance(name.toLowerCase(), key.toLowerCase()) <= Math.max(1, Math.floor(name.length / 3)),
  );
  const closest = near.sort((a, b) => distance(a, key) - distance(b, key))[0];
  const hint = closest === undefined ? `allowed: ${known.join(", ")}` : `did you mean "${closest}"?`;
  return `there is no such option; ${hint}`;
};

/** Levenshtein: how many letters have to change. */
const distance = (a: string, b: string): number => {
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substituted = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, substituted));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
};
