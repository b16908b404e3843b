/** Single values from the environment, for containers: each replaces what the file says. */
import type { Path } from "./config-problems.ts";

export type Environment = Readonly<Record<string, string | undefined>>;
/** A configuration as it is written; nothing is known of it yet. */
export type Written = Readonly<Record<string, unknown>>;

export interface Variable {
  readonly name: `KITH_${string}`;
  /** What it replaces, as a key of the configuration. */
  readonly key: string;
  readonly example: string;
  readonly assign: (value: string, written: Written) => readonly Assignment[];
}
interface Assignment {
  readonly path: Path;
  readonly value: unknown;
}

const single = (name: Variable["name"], key: string, example: string): Variable => ({
  name,
  key,
  example,
  assign: (value) => [{ path: key.split("."), value }],
});
const list = (name: Variable["name"], key: string, example: string): Variable => ({
  name,
  key,
  example,
  assign: (value) => [{ path: key.split("."), value: itemsOf(value) }],
});
/** One option of every listener of these kinds; one is added where there is none. */
const ofListeners = (name: Variable["name"], option: string, kinds: readonly string[], example: string): Variable => ({
  name,
  key: `${option} of listeners of kind ${kinds.map((kind) => `"${kind}"`).join(" and ")}`,
  example,
  assign: (value, { listeners }) => {
    const written: readonly unknown[] = Array.isArray(listeners) ? listeners : [];
    const matching = written.flatMap((listener, at) => (kinds.includes(kindOf(listener)) ? [at] : []));
    const added: readonly Assignment[] =
      matching.length > 0 ? [] : [{ path: ["listeners", written.length], value: { kind: kinds[0] } }];
    const places = matching.length > 0 ? matching : [written.length];
    return [
      ...added,
      ...places.map((at) => ({
        path: ["listeners", at, option],
        value: option === "address" ? itemsOf(value) : value,
      })),
    ];
  },
});

const itemsOf = (text: string): readonly string[] =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

const kindOf = (listener: unknown): string => (isRecord(listener) ? String(listener.kind) : "");

/** Every variable there is, in the order of docs/configuration.md. `KITH_CONFIG` names the file and is not among them. */
export const VARIABLES: readonly Variable[] = [
  {
    name: "KITH_HOSTS",
    key: "hosts",
    example: "example.org,example.com",
    // Hosts that the file has options for keep them.
    assign: (value, { hosts }) => [
      {
        path: ["hosts"],
        value: Object.fromEntries(itemsOf(value).map((domain) => [domain, (isRecord(hosts) && hosts[domain]) || {}])),
      },
    ],
  },
  list("KITH_ADMINISTRATORS", "administrators", "romeo@example.org"),
  single("KITH_CERTIFICATE", "certificate", "/etc/kith/fullchain.pem"),
  single("KITH_KEY", "key", "/etc/kith/privkey.pem"),
  ofListeners("KITH_C2S_PORT", "port", ["c2s"], "15222"),
  ofListeners("KITH_C2S_TLS_PORT", "port", ["c2s-tls"], "443"),
  ofListeners("KITH_COMPONENT_PORT", "port", ["component"], "15347"),
  ofListeners("KITH_ADDRESS", "address", ["c2s", "c2s-tls"], "127.0.0.1,::1"),
  ofListeners("KITH_COMPONENT_ADDRESS", "address", ["component"], "10.0.0.5"),
  single("KITH_PLAINTEXT_FROM_LOOPBACK", "plaintextFromLoopback", "true"),
  single("KITH_REGISTRATION", "registration.mode", "open"),
  single("KITH_SCRAM_ITERATIONS", "scram.iterations", "100000"),
  single("KITH_DATA_DIRECTORY", "storage.directory", "/var/lib/kith"),
  single("KITH_SYNCHRONOUS", "storage.synchronous", "NORMAL"),
  single("KITH_LOG_LEVEL", "log.level", "debug"),
  single("KITH_LOG_FORMAT", "log.format", "json"),
];

const CLIENT_LISTENERS = [{ kind: "c2s" }, { kind: "c2s-tls" }] as const;

export interface Overridden {
  readonly written: Written;
  /** Where values came from the environment. */
  readonly sources: readonly { readonly path: Path; readonly variable: string }[];
}

/** The configuration with what the environment says put in place. An empty variable counts as not set. */
export const withEnvironment = (file: Written, environment: Environment): Overridden => {
  const set = VARIABLES.filter(({ name }) => (environment[name] ?? "") !== "");
  const isAboutListeners = set.some(({ key }) => key.includes("listeners"));
  let written: Written =
    isAboutListeners && file.listeners === undefined ? { ...file, listeners: CLIENT_LISTENERS } : file;
  const sources: { path: Path; variable: string }[] = [];
  for (const { name, assign } of set) {
    for (const { path, value } of assign(environment[name] ?? "", written)) {
      written = withValueAt(written, path, value) as Written;
      sources.push({ path, variable: name });
    }
  }
  return { written, sources };
};

/** The same value with another one at a path. What stands in the way (a text where an object should be) is left for the schema to find. */
const withValueAt = (whole: unknown, path: Path, value: unknown): unknown => {
  const [part, ...rest] = path;
  if (part === undefined) return value;
  if (Array.isArray(whole)) return withItem(whole, Number(part), rest, value);
  if (whole !== undefined && !isRecord(whole)) return whole;
  const record = whole ?? {};
  return { ...record, [part]: withValueAt(record[String(part)], rest, value) };
};

const withItem = (items: readonly unknown[], at: number, rest: Path, value: unknown): readonly unknown[] => {
  const changed = [...items];
  changed[at] = withValueAt(items[at], rest, value);
  return changed;
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The variable that the value at a path came from, if one did. */
export const sourceOf = ({ sources }: Overridden, path: Path): string | undefined =>
  sources.findLast((source) => source.path.every((part, at) => part === path[at]))?.variable;
