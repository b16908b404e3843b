import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { DomainJid } from "@kith/protocol";
import ipaddr from "ipaddr.js";
import type { CertificateFiles, Config } from "../config.ts";
import { ConfigError } from "../config.ts";
import { asciiHost } from "../listen/development-certificate.ts";
import { EXIT } from "./exit-codes.ts";
import { line } from "./io.ts";
import type { Running } from "./running.ts";

/** `kith check`: says everything that is wrong with the configuration and the files it names. */
export const check = async (running: Running): Promise<void> => {
  const config = await running.config().catch((error: unknown) => Promise.reject(withCertificates(error)));
  const problems = certificateProblems(config);
  if (problems.length > 0) throw new ConfigError(config.file, problems);
  const { io } = running;
  for (const warning of warningsOf(config)) line(io.err, `Note: ${warning}`);
  line(io.err, `${config.file ?? "The default configuration"} is all right: ${[...config.hosts.keys()].join(", ")}.`);
  running.ends(EXIT.ok);
};

/** Problems of the files that a configuration names are told together with its own. */
const withCertificates = (error: unknown): unknown =>
  error instanceof ConfigError && error.rest !== undefined
    ? new ConfigError(error.rest.file, [...error.lines, ...certificateProblems(error.rest)])
    : error;

const places = (
  config: Config,
): readonly (readonly [key: string, files: CertificateFiles, domains: readonly DomainJid[]])[] => {
  const own = [...config.hosts.values()].flatMap(({ domain, files }) =>
    files === undefined ? [] : [[`hosts["${domain}"].`, files, [domain]] as const],
  );
  if (config.files === undefined) return own;
  const others = [...config.hosts.values()].filter(({ files }) => files === undefined).map(({ domain }) => domain);
  return [["", config.files, others], ...own];
};

const certificateProblems = (config: Config): readonly string[] => [
  ...places(config).flatMap(([key, { certificate, key: privateKey }]) => pairProblems(key, certificate, privateKey)),
  ...(config.clientAuthorities === undefined
    ? []
    : readable("clientAuthorities", config.clientAuthorities, certificateIn).problems),
];

const pairProblems = (key: string, certificate: string, privateKey: string): readonly string[] => {
  const first = readable(`${key}certificate`, certificate, certificateIn);
  const second = readable(`${key}key`, privateKey, createPrivateKey);
  const problems = [...first.problems, ...second.problems];
  if (first.found === undefined || second.found === undefined || first.found.checkPrivateKey(second.found))
    return problems;
  return [
    ...problems,
    `${key}key: found the key of another certificate; allowed: the one that belongs to ${certificate}`,
  ];
};

const certificateIn = (pem: Buffer): X509Certificate => new X509Certificate(pem);

interface Readable<T> {
  readonly found: T | undefined;
  readonly problems: readonly string[];
}

const readable = <T>(key: string, file: string, read: (content: Buffer) => T): Readable<T> => {
  try {
    return { found: read(readFileSync(file)), problems: [] };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isAboutFile = code !== undefined && /^E[A-Z]+$/.test(code) && code !== "ERR";
    const why = isAboutFile ? `which cannot be read (${code})` : "which has something else in it";
    return { found: undefined, problems: [`${key}: found "${file}", ${why}; allowed: a PEM file`] };
  }
};

const isFor = (certificate: X509Certificate, domain: DomainJid): boolean => {
  const host = asciiHost(domain);
  return (ipaddr.isValid(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined;
};

const warningsOf = (config: Config): readonly string[] =>
  places(config).flatMap(([, { certificate }, domains]) => {
    const { found } = readable("", certificate, certificateIn);
    if (found === undefined) return [];
    const isOver = Date.parse(found.validTo) < Date.now();
    return [
      ...(isOver ? [`${certificate} was valid until ${found.validTo}.`] : []),
      ...domains.filter((domain) => !isFor(found, domain)).map((domain) => `${certificate} is not for ${domain}.`),
    ];
  });
