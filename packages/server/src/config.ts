/**
 * The configuration: what a person writes in `kith.config.ts`, checked and completed. `config-schema.ts` has every option
 * with its default; here is how a configuration is read.
 */
import { dirname, resolve } from "node:path";
import type { BareJid, ContactAddresses, DomainJid } from "@kith/protocol";
import { type Conflict, conflictsIn, DEFAULT_PORTS } from "./config-checks.ts";
import { type Environment, type Overridden, sourceOf, type Written, withEnvironment } from "./config-environment.ts";
import { findConfigFile, importConfig } from "./config-file.ts";
import type { KithConfig } from "./config-options.ts";
import { ConfigError, type Path, type Problem, problemLines, problemsOf } from "./config-problems.ts";
import { type ParsedConfig, type ParsedHost, type ParsedListener, schema } from "./config-schema.ts";

export type { KithConfig } from "./config-options.ts";
export { ConfigError } from "./config-problems.ts";

/**
 * Types and checks a configuration as it is written; the default export of `kith.config.ts`.
 * @example
 * export default defineConfig({
 *   hosts: { "example.org": { certificate: "fullchain.pem", key: "privkey.pem" } },
 *   administrators: ["romeo@example.org"],
 * });
 */
export const defineConfig = (config: KithConfig): KithConfig => config;

/** PEM files, with absolute names. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface HostConfig extends Pick<ParsedHost, "anonymous" | "plain"> {
  readonly domain: DomainJid;
  readonly files: CertificateFiles | undefined;
  readonly registration: ParsedConfig["registration"]["mode"];
  /** Those of all hosts included. */
  readonly administrators: ReadonlySet<BareJid>;
  readonly contacts: ContactAddresses;
}

export interface ListenerConfig {
  readonly kind: ParsedListener["kind"];
  /** 0: any that is free. */
  readonly port: number;
  /** IP addresses; none: all addresses of this machine. */
  readonly addresses: readonly string[];
}

/** A configuration as the server uses it: complete; file names are absolute, times in milliseconds, sizes in bytes. */
export interface Config
  extends Omit<ParsedConfig, "hosts" | "listeners" | "certificate" | "key" | "administrators" | "contacts"> {
  /** The file it was read from; `undefined` where there is none. */
  readonly file: string | undefined;
  readonly hosts: ReadonlyMap<DomainJid, HostConfig>;
  readonly listeners: readonly ListenerConfig[];
  /** For hosts without files of their own; `undefined`: the server makes a certificate. */
  readonly files: CertificateFiles | undefined;
}

export interface Source {
  /** The file that was asked for; `undefined`: `kith.config.ts` where there is one. */
  readonly file?: string | undefined;
  /** Where to look for it. */
  readonly directory: string;
  readonly environment: Environment;
}

/** Reads the configuration, afresh each time. Rejects with ConfigError. */
export const loadConfig = async ({ file, directory, environment }: Source): Promise<Config> => {
  const found = findConfigFile(file ?? (environment.KITH_CONFIG || undefined), directory);
  const written = found === undefined ? {} : await importConfig(found);
  return readConfig(written, { file: found, directory: found === undefined ? directory : dirname(found), environment });
};

export interface Origin {
  readonly file: string | undefined;
  /** What file names are relative to. */
  readonly directory: string;
  readonly environment?: Environment;
}

/** Checks a configuration and completes it. Throws ConfigError with all problems at once. */
export const readConfig = (written: unknown, { file, directory, environment = {} }: Origin): Config => {
  if (!isRecord(written))
    throw new ConfigError(file, ["it has to export an object: export default defineConfig({ … })"]);
  const overridden = withEnvironment(written, environment);
  const parsed = schema.safeParse(overridden.written);
  const { problems, rest } = parsed.success
    ? { problems: conflictsIn(parsed.data), rest: parsed.data }
    : allProblems(overridden.written, parsed.error);
  const config = rest && complete(rest, { file, directory });
  if (config !== undefined && problems.length === 0) return config;
  throw new ConfigError(file, problemLines(problems.map((problem) => withSource(problem, overridden))), config);
};

const withSource = (problem: Problem, overridden: Overridden): Problem => {
  const variable = sourceOf(overridden, problem.path);
  return variable === undefined ? problem : { ...problem, variable };
};

type SchemaError = Parameters<typeof problemsOf>[0];

interface Found {
  readonly problems: readonly Problem[];
  /** The configuration without what cannot be read. */
  readonly rest: ParsedConfig | undefined;
}

/** What the schema has found, and what does not go together among the rest. */
const allProblems = (written: Written, error: SchemaError): Found => {
  const found = problemsOf(error, written, knownKeys);
  const rest = withoutAll(
    written,
    found.map(({ path }) => path),
  );
  // What an option is about is in doubt where it, something around it or something directly in it could not be read.
  const isInDoubt = (path: Path): boolean =>
    found.some(
      (problem) =>
        isWithin(path, problem.path) ||
        (isWithin(problem.path.slice(0, -1), path) && problem.path.length === path.length + 1),
    );
  const conflicts =
    rest === undefined ? [] : conflictsIn(rest).filter(({ involves }: Conflict) => !involves.some(isInDoubt));
  return { problems: [...found, ...conflicts], rest };
};

/** What is left without these; where they were needed, without what needed them. */
const withoutAll = (written: unknown, paths: readonly Path[]): ParsedConfig | undefined => {
  const left = paths.reduce(without, written);
  const parsed = schema.safeParse(left);
  if (parsed.success) return parsed.data;
  const needed = problemsOf(parsed.error, left, knownKeys).map(({ path }) => wholeAround(path));
  return needed.some((path) => path.length === 0) ? undefined : withoutAll(left, needed);
};

/** Of something in a list it is the list: without one of its items the others would go by wrong numbers. */
const wholeAround = (path: Path): Path => {
  const listed = path.findIndex((part) => typeof part === "number");
  return path.slice(0, listed < 0 ? -1 : listed);
};

const isWithin = (inner: Path, outer: Path): boolean => outer.every((part, at) => part === inner[at]);

const without = (whole: unknown, [part, ...rest]: Path): unknown => {
  if (part === undefined) return undefined;
  if (Array.isArray(whole))
    return whole.flatMap((item, at) =>
      at === part && rest.length === 0 ? [] : [at === part ? without(item, rest) : item],
    );
  if (!isRecord(whole)) return whole;
  const { [part as string]: value, ...others } = whole;
  return rest.length === 0 ? others : { ...others, [part]: without(value, rest) };
};

/** The options at a path of the schema, by asking it about an option that cannot be. */
const knownKeys = (path: Path): readonly string[] => keysAt(schema, path);

const keysAt = (at: unknown, path: Path): readonly string[] => {
  const inner = at as { readonly shape?: Record<string, unknown>; readonly def?: Record<string, unknown> };
  const [part, ...rest] = path;
  if (inner.shape !== undefined)
    return part === undefined ? Object.keys(inner.shape) : keysAt(inner.shape[String(part)], rest);
  const { innerType, element, valueType, in: before, type } = inner.def ?? {};
  if (type === "array") return keysAt(element, rest);
  if (type === "record") return keysAt(valueType, rest);
  const next = innerType ?? before;
  return next === undefined ? [] : keysAt(next, path);
};

const isRecord = (value: unknown): value is Written =>
  typeof value === "object" && value !== null && !Array.isArray(value);

// ── What depends on other options ──────────────────────────────────────────────────────────────────────────────────

const complete = (parsed: ParsedConfig, { file, directory }: Pick<Origin, "file" | "directory">): Config => {
  const { hosts, listeners, certificate, key, administrators, contacts, storage, clientAuthorities, ...rest } = parsed;
  const absolute = (name: string): string => resolve(directory, name);
  const filesOf = (files: {
    readonly certificate?: string | undefined;
    readonly key?: string | undefined;
  }): CertificateFiles | undefined =>
    files.certificate === undefined || files.key === undefined
      ? undefined
      : { certificate: absolute(files.certificate), key: absolute(files.key) };
  const hostOf = (domain: DomainJid, host: ParsedHost): HostConfig => ({
    domain,
    files: filesOf(host),
    registration: host.registration ?? parsed.registration.mode,
    anonymous: host.anonymous,
    plain: host.plain,
    administrators: new Set([...administrators, ...host.administrators]),
    contacts: given(host.contacts ?? contacts),
  });
  return {
    ...rest,
    file,
    hosts: new Map([...hosts].map(([domain, host]) => [domain, hostOf(domain, host)])),
    listeners: (listeners ?? defaultListeners(parsed)).map(listenerOf),
    files: filesOf({ certificate, key }),
    clientAuthorities: clientAuthorities === undefined ? undefined : absolute(clientAuthorities),
    storage: { ...storage, directory: absolute(storage.directory) },
  };
};

const given = (contacts: ParsedConfig["contacts"]): ContactAddresses =>
  Object.fromEntries(Object.entries(contacts).filter(([, addresses]) => addresses !== undefined));

const defaultListeners = ({ components }: ParsedConfig): readonly ParsedListener[] => [
  { kind: "c2s" },
  { kind: "c2s-tls" },
  ...(components.size > 0 ? [{ kind: "component" } as const] : []),
];

const THIS_MACHINE = ["127.0.0.1"];
const ALL_ADDRESSES: readonly string[] = [];

const listenerOf = ({ kind, port, address }: ParsedListener): ListenerConfig => ({
  kind,
  port: port ?? DEFAULT_PORTS[kind],
  addresses: address ?? (kind === "component" ? THIS_MACHINE : ALL_ADDRESSES),
});
