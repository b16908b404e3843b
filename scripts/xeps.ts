/**
 * `npm run xeps` writes XEPS.md: what the modules of the server declare, and what belongs to streams and addresses and
 * so to no module. `--check` says whether XEPS.md is what would be written.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { accountModules } from "../packages/server/src/account-modules.ts";
import type { AccountService } from "../packages/server/src/accounts.ts";
import { readConfig } from "../packages/server/src/config.ts";
import { nodeCrypto } from "../packages/server/src/crypto.ts";
import { Invitations } from "../packages/server/src/invitations.ts";
import type { Module } from "../packages/server/src/module.ts";
import { describeModules } from "../packages/server/src/modules/index.ts";
import { clientAccess } from "../packages/server/src/modules/xep0494-client-access.ts";
import { memoryStore } from "../packages/server/src/store/memory.ts";
import titles from "./xep-titles.json" with { type: "json" };

type Xep = Module["xeps"][number];

const root = join(import.meta.dirname, "..");
const target = join(root, "XEPS.md");

/** What streams, listeners and addresses do, and in which files; no module owns it. */
const WITHOUT_MODULE: readonly (Xep & { readonly files?: readonly string[] })[] = [
  { xep: "RFC 6120", files: ["protocol/src/stream", "protocol/src/sasl", "protocol/src/xml", "server/src/session"] },
  { xep: "RFC 7622", files: ["protocol/src/jid.ts", "protocol/src/precis.ts", "protocol/src/idna.ts"] },
  { xep: "RFC 7590", files: ["server/src/listen/certificates.ts", "server/src/listen/tls.ts"] },
  { xep: "RFC 9266", files: ["protocol/src/sasl/channel-binding.ts", "server/src/listen/tls.ts"] },
  { xep: "XEP-0004", version: "2.13.2" },
  { xep: "XEP-0085", version: "2.1" },
  { xep: "XEP-0106", version: "1.1.1" },
  { xep: "XEP-0114", version: "1.6", files: ["server/src/session/component.ts"] },
  { xep: "XEP-0170", version: "1.0", files: ["server/src/session/negotiate.ts"] },
  { xep: "XEP-0175", version: "1.2", files: ["protocol/src/sasl/anonymous.ts"] },
  {
    xep: "XEP-0178",
    version: "1.2",
    note: "clients' certificates",
    files: ["protocol/src/sasl/external.ts", "server/src/listen/x509.ts"],
  },
  { xep: "XEP-0184", version: "1.4.0" },
  {
    xep: "XEP-0198",
    version: "1.6.3",
    note: "clients' streams",
    files: [
      "server/src/session/negotiate-sm.ts",
      "server/src/session/stream-manager.ts",
      "server/src/session/management.ts",
      "server/src/session/recovery.ts",
      "server/src/router/ended-streams.ts",
    ],
  },
  { xep: "XEP-0297", version: "1.0" },
  { xep: "XEP-0333", version: "1.0.0" },
  {
    xep: "XEP-0352",
    version: "1.0.0",
    files: ["server/src/session/inactivity.ts", "server/src/session/negotiate-csi.ts"],
  },
  { xep: "XEP-0368", version: "1.1.0", files: ["server/src/listen/tls.ts", "server/src/listen/listeners.ts"] },
  { xep: "XEP-0386", version: "1.1.0", files: ["server/src/session/negotiate-bind2.ts"] },
  {
    xep: "XEP-0388",
    version: "1.0.4",
    files: ["server/src/session/negotiate-sasl2.ts", "server/src/session/inline-feature.ts"],
  },
  { xep: "XEP-0440", version: "1.0.0", files: ["protocol/src/sasl/channel-binding.ts"] },
  { xep: "XEP-0474", version: "0.5.0" },
  {
    xep: "XEP-0480",
    version: "0.2.0",
    files: ["server/src/session/negotiate-upgrade.ts", "server/src/key-upgrades.ts"],
  },
  { xep: "XEP-0484", version: "0.2.0", files: ["protocol/src/sasl/ht.ts", "server/src/access-tokens.ts"] },
];

/**
 * What the code names and does not implement: older or neighbouring specifications, and those of which only a form, a
 * namespace or a piece of advice is used.
 */
const ONLY_NAMED: ReadonlySet<string> = new Set([
  "XEP-0016",
  "XEP-0027",
  "XEP-0066",
  "XEP-0068",
  "XEP-0086",
  "XEP-0122",
  "XEP-0147",
  "XEP-0163",
  "XEP-0182",
  "XEP-0205",
  "XEP-0221",
  "XEP-0224",
  "XEP-0353",
  "XEP-0372",
  "XEP-0373",
  "XEP-0374",
  "XEP-0380",
  "XEP-0384",
  "XEP-0438",
  "XEP-0444",
  "XEP-0482",
]);

/** What is being built, and no module offers yet: rooms. */
const UNDER_WAY: ReadonlySet<string> = new Set([
  "XEP-0045",
  "XEP-0249",
  "XEP-0317",
  "XEP-0410",
  "XEP-0421",
  "XEP-0425",
  "XEP-0486",
  "XEP-0500",
]);

/** Declared by several modules, a spec is complete only where every one of them says so. */
interface Row {
  readonly xep: string;
  readonly version: string;
  readonly notes: readonly string[];
}

const rowsOf = (declared: readonly Xep[]): readonly Row[] => {
  const rows = new Map<string, Row>();
  for (const { xep, version = "", note } of declared) {
    const known = rows.get(xep) ?? { xep, version, notes: [] };
    if (known.version !== version)
      throw new Error(`${xep} is declared in two versions: ${known.version} and ${version}`);
    rows.set(xep, { ...known, notes: note === undefined ? known.notes : [...known.notes, note] });
  }
  return [...rows.values()].sort((one, other) => (one.xep < other.xep ? -1 : 1));
};

const sources = globSync("packages/*/src/**/*.{ts,tsx}", { cwd: root })
  .filter((path) => !/\.test\.tsx?$|\.suite\.ts$|\/test-/.test(path) && !path.startsWith("packages/testing/"))
  .sort();

/** Files are named after their spec; some modules declare further ones. */
const filesOf = (xep: string): readonly string[] => {
  const name = xep.toLowerCase().replace(/[- ]/, "");
  const isNamedAfter = (path: string): boolean => basename(path).startsWith(`${name}-`);
  const declares = (path: string): boolean =>
    path.includes("/modules/") && readFileSync(join(root, path), "utf8").includes(`"${xep}"`);
  const named = WITHOUT_MODULE.find((one) => one.xep === xep)?.files ?? [];
  const missing = named.filter((path) => !existsSync(join(root, "packages", path)));
  if (missing.length > 0) throw new Error(`${xep} is said to be in ${missing.join(", ")}, which is not there`);
  const found = sources.filter((path) => isNamedAfter(path) || declares(path));
  return [...named.map((path) => `packages/${path}`), ...found];
};

/** Holds the lists that are kept by hand to the sources. Throws where one of them says something else. */
const checkLists = (rows: readonly Row[], modules: readonly Xep[]): void => {
  const declared = new Set(rows.map(({ xep }) => xep));
  const named = new Map(sources.flatMap((path) => namesIn(path).map((xep) => [xep, path] as const)));
  const problems = [
    ...WITHOUT_MODULE.filter(({ xep }) => xep !== "RFC 6120" && modules.some((one) => one.xep === xep)).map(
      ({ xep }) => `${xep} is declared by a module, and need not be listed in scripts/xeps.ts`,
    ),
    ...WITHOUT_MODULE.filter(({ xep }) => !named.has(xep)).map(({ xep }) => `${xep} is listed, but no source names it`),
    ...[...named]
      .filter(([xep]) => xep.startsWith("XEP-") && ![declared, ONLY_NAMED, UNDER_WAY].some((list) => list.has(xep)))
      .map(([xep, path]) => `${xep} is named in ${path}, but neither declared nor listed in scripts/xeps.ts`),
    ...[...ONLY_NAMED, ...UNDER_WAY]
      .filter((xep) => declared.has(xep))
      .map((xep) => `${xep} is implemented, not only named or under way`),
    ...[...ONLY_NAMED, ...UNDER_WAY]
      .filter((xep) => !named.has(xep))
      .map((xep) => `${xep} is listed as named, and no source names it`),
  ];
  if (problems.length > 0) throw new Error(problems.join("\n"));
};

const namesIn = (path: string): readonly string[] => [
  ...new Set(readFileSync(join(root, path), "utf8").match(/XEP-\d{4}|RFC \d{4}/g) ?? []),
  ...(/\/xep(\d{4})-/.exec(path)?.slice(1) ?? []).map((number) => `XEP-${number}`),
];

const titleOf = (xep: string): string => {
  const title = (titles as Record<string, string>)[xep];
  if (title === undefined) throw new Error(`scripts/xep-titles.json has no title for ${xep}`);
  return title;
};

const lineOf = ({ xep, version, notes }: Row): string => {
  const files = filesOf(xep).map((path) => `[${path.replace("packages/", "")}](${path})`);
  const status = notes.length === 0 ? "complete" : `partial: ${notes.join("; ")}`;
  return `| ${[xep, titleOf(xep), version, status, files.join(", ")].join(" | ")} |`;
};

const page = (declared: readonly Xep[]): string => `# Specifications

Written by \`npm run xeps\` from what the modules declare. The version is the one the code was written and tested against.

| Specification | Title | Version | Status | Where |
| --- | --- | --- | --- | --- |
${rowsOf(declared).map(lineOf).join("\n")}
`;

const current = (): string | undefined => {
  try {
    return readFileSync(target, "utf8");
  } catch {
    return undefined;
  }
};

/** Every module there is, of a server that does not run. */
const allModules = (): readonly Module[] => {
  const store = memoryStore();
  const rules = () => ({ expireMs: 0, perUser: 0, landingPage: undefined });
  const invitations = new Invitations({ store, crypto: nodeCrypto, now: Date.now, rules });
  const config = readConfig({}, { file: undefined, directory: root });
  // Nobody asks it for anything.
  const accounts = {} as AccountService;
  const register = {} as Parameters<typeof clientAccess>[0];
  return [
    ...describeModules(store),
    ...accountModules({ config, accounts, invitations, modules: () => [] }),
    clientAccess(register),
  ];
};

const byModules = allModules().flatMap(({ xeps }) => xeps);
checkLists(rowsOf([...byModules, ...WITHOUT_MODULE]), byModules);
const wanted = page([...byModules, ...WITHOUT_MODULE]);
if (!process.argv.includes("--check")) {
  writeFileSync(target, wanted);
} else if (current() !== wanted) {
  process.stderr.write("XEPS.md is not what the modules declare; run: npm run xeps\n");
  process.exitCode = 1;
}
