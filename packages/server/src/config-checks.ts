/** What no single option can tell: options that do not go together. */
import type { Path, Problem } from "./config-problems.ts";
import { shown } from "./config-problems.ts";
import type { ParsedConfig, ParsedListener } from "./config-schema.ts";

export interface Conflict extends Problem {
  /** All options that it is about. */
  readonly involves: readonly Path[];
}

export const DEFAULT_PORTS: Readonly<Record<ParsedListener["kind"], number>> = {
  c2s: 5222,
  "c2s-tls": 5223,
  component: 5347,
};

export const conflictsIn = (config: ParsedConfig): readonly Conflict[] => [
  ...hostConflicts(config),
  ...keyConflicts(config, []),
  ...[...config.hosts].flatMap(([domain, host]) => keyConflicts(host, ["hosts", domain])),
  ...administratorConflicts(config),
  ...componentConflicts(config),
  ...portConflicts(config.listeners ?? []),
  ...lengthConflicts(config),
];

const conflict = (path: Path, text: string, ...others: readonly Path[]): Conflict => ({
  path,
  text,
  involves: [path, ...others],
});

const hostConflicts = ({ hosts }: ParsedConfig): readonly Conflict[] =>
  hosts.size > 0 ? [] : [conflict(["hosts"], 'found no domain; allowed: one or more, such as { "example.org": {} }')];

/** A certificate and its key come together. */
const keyConflicts = (
  { certificate, key }: { readonly certificate?: string | undefined; readonly key?: string | undefined },
  at: Path,
) => {
  if ((certificate === undefined) === (key === undefined)) return [];
  const [missing, given] = certificate === undefined ? ["certificate", "key"] : ["key", "certificate"];
  return [
    conflict([...at, missing], `found nothing; allowed: the name of a file, since "${given}" is given`, [...at, given]),
  ];
};

const administratorConflicts = ({ hosts, administrators }: ParsedConfig): readonly Conflict[] => {
  const served = (jid: string): boolean =>
    [...hosts.keys()].some((domain) => domain === jid.slice(jid.indexOf("@") + 1));
  const foreign = (jids: readonly string[], path: Path): readonly Conflict[] =>
    jids.flatMap((jid, at) =>
      served(jid)
        ? []
        : [
            conflict(
              [...path, at],
              `found ${shown(jid)}; allowed: an account at one of the hosts (${[...hosts.keys()].join(", ")})`,
              ["hosts"],
            ),
          ],
    );
  return [
    ...foreign(administrators, ["administrators"]),
    ...[...hosts].flatMap(([domain, host]) => foreign(host.administrators, ["hosts", domain, "administrators"])),
  ];
};

const SHORTEST_SECRET = 8;

const componentConflicts = ({ hosts, components, listeners }: ParsedConfig): readonly Conflict[] => {
  const found: Conflict[] = [];
  for (const [domain, { secret }] of components) {
    if (hosts.has(domain))
      found.push(conflict(["components", domain], "found the domain of a host; allowed: a domain of its own"));
    if (secret.length < SHORTEST_SECRET)
      found.push(
        conflict(
          ["components", domain, "secret"],
          `found one of ${secret.length} characters; allowed: ${SHORTEST_SECRET} or more`,
        ),
      );
  }
  const isReachable = listeners === undefined || listeners.some(({ kind }) => kind === "component");
  if (components.size > 0 && !isReachable)
    found.push(
      conflict(
        ["listeners"],
        'found none for components; allowed: one of kind "component" as well, since there are components',
        ["components"],
      ),
    );
  return found;
};

/** No two at one port and address; whoever has a port at all addresses has it at each of them. */
const portConflicts = (listeners: readonly ParsedListener[]): readonly Conflict[] => {
  const taken: { readonly port: number; readonly host: string; readonly at: number }[] = [];
  return listeners.flatMap(({ kind, port = DEFAULT_PORTS[kind], address = [EVERYWHERE] }, at) =>
    address.flatMap((host) => {
      const other = taken.find((one) => one.port === port && isSamePlace(one.host, host));
      taken.push({ port, host, at });
      if (other === undefined || port === 0) return [];
      const where = other.host === EVERYWHERE && host !== EVERYWHERE ? " at all addresses" : "";
      const text = `found ${port}; allowed: a port of its own, since listeners[${other.at}] has this one${where}`;
      return [conflict(["listeners", at, "port"], text, ["listeners", other.at], ["listeners", at])];
    }),
  );
};
const EVERYWHERE = "*";
const isSamePlace = (one: string, other: string): boolean =>
  one === other || one === EVERYWHERE || other === EVERYWHERE;

const lengthConflicts = ({ passwords: { minimumLength, maximumLength } }: ParsedConfig): readonly Conflict[] =>
  minimumLength <= maximumLength
    ? []
    : [
        conflict(
          ["passwords", "minimumLength"],
          `found ${minimumLength}; allowed: no more than passwords.maximumLength, ${maximumLength}`,
          ["passwords", "maximumLength"],
        ),
      ];
