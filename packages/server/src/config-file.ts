/** Finds and runs `kith.config.ts`. What goes wrong with it is told in a sentence, with file and line. */
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigError } from "./config-problems.ts";

export const CONFIG_FILE = "kith.config.ts";

/** The file that was asked for, or the usual one if it is there; absolute. Throws ConfigError where the one asked for is not there. */
export const findConfigFile = (asked: string | undefined, directory: string): string | undefined => {
  const file = resolve(directory, asked ?? CONFIG_FILE);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return file;
  if (asked === undefined && !existsSync(file)) return undefined;
  throw new ConfigError(file, [existsSync(file) ? "it is not a file" : "there is no such file"]);
};

let reads = 0;
/** Bun keeps modules by the names of their files. */
const { cache } = createRequire(import.meta.url);

/** What the file exports by default. Runs it again each time. Rejects with ConfigError. */
export const importConfig = async (file: string): Promise<unknown> => {
  const url = pathToFileURL(file);
  // A module is run once for each URL, and this one may have been edited.
  url.searchParams.set("read", String(++reads));
  delete cache[file];
  try {
    const { default: written } = (await import(url.href)) as { readonly default?: unknown };
    return await written;
  } catch (error) {
    throw new ConfigError(file, [sentence(error, file)]);
  }
};

/** What Bun's errors about source text carry. */
interface Positioned {
  readonly message?: string;
  readonly position?: { readonly file?: string; readonly line?: number } | null;
}

const sentence = (error: unknown, file: string): string => {
  // Bun collects several syntax errors in one; the first is the one that counts.
  const first: unknown = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  const { message = String(first) } = first as Positioned;
  const at = positionOf(first, file);
  const where = at === undefined ? "" : `${at.file === file ? "" : `${at.file}, `}line ${at.line}: `;
  return `${where}${message}${hint(message)}`;
};

const hint = (message: string): string =>
  /@kith\/server/.test(message) && /find (?:package|module)/i.test(message)
    ? ' (install it beside this file, or export a plain object: "export default { … }")'
    : "";

/** The first place that an error's stack, or Bun's own record, names outside of the runtime. */
const positionOf = (error: unknown, file: string): { readonly file: string; readonly line: number } | undefined => {
  const { position } = error as Positioned;
  if (position?.line !== undefined) return { file: position.file ?? file, line: position.line };
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  for (const line of stack.split("\n")) {
    const [, path, number] =
      /^(?:.*?\(|\s*at (?:async )?)?(?:file:\/\/)?(\/[^?()]*?|[A-Za-z]:[^?()]*?)(?:\?[^:]*)?:(\d+)(?::\d+)?\)?$/.exec(
        line,
      ) ?? [];
    if (path !== undefined && number !== undefined)
      return path === import.meta.filename ? undefined : { file: path, line: Number(number) };
  }
  return undefined;
};
