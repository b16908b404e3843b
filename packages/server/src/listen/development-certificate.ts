import { X509Certificate } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { domainToASCII } from "node:url";
import type { DomainJid } from "@kith/protocol";
import ipaddr from "ipaddr.js";
import { type Issued, issueCertificate } from "./x509.ts";

const DAY = 86_400_000;
const VALID_DAYS = 397;
/** So long before its end it is made anew. */
const RENEW_DAYS = 30;

/** A domainpart as certificates and DNS write it; an IPv6 address without its brackets. */
export const asciiHost = (domain: DomainJid): string => {
  if (domain.startsWith("[")) return domain.slice(1, -1);
  return ipaddr.IPv4.isValidFourPartDecimal(domain) ? domain : domainToASCII(domain);
};

const isIp = (host: string): boolean => ipaddr.isValid(host);

/**
 * A certificate that vouches for nothing, so that TLS works at first start: ECDSA P-256, signed by itself, one name for each
 * host. Made once and kept in `directory`; made anew when it runs out or a host is missing. The key is for its owner's eyes only.
 */
export const developmentCertificate = async (
  directory: string,
  domains: readonly DomainJid[],
  now: number,
): Promise<Issued> => {
  const hosts = domains.map(asciiHost);
  const certificateFile = join(directory, "development-certificate.pem");
  const keyFile = join(directory, "development-key.pem");
  const kept = await readKept(certificateFile, keyFile);
  if (kept !== undefined && isGood(kept, hosts, now)) return kept;
  const made = issueCertificate({
    commonName: hosts[0] ?? "localhost",
    dnsNames: hosts.filter((host) => !isIp(host)),
    ipAddresses: hosts.filter(isIp),
    from: new Date(now - DAY),
    to: new Date(now + VALID_DAYS * DAY),
  });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await keep(keyFile, made.key, 0o600);
  await keep(certificateFile, made.certificate, 0o644);
  return made;
};

/** In one step, so that no half of it is ever read. */
const keep = async (file: string, content: string, mode: number): Promise<void> => {
  const temporary = `${file}.new`;
  await writeFile(temporary, content, { mode });
  await chmod(temporary, mode);
  await rename(temporary, file);
};

const readKept = async (certificateFile: string, keyFile: string): Promise<Issued | undefined> => {
  try {
    return { certificate: await readFile(certificateFile, "utf8"), key: await readFile(keyFile, "utf8") };
  } catch {
    return undefined;
  }
};

const isGood = ({ certificate }: Issued, hosts: readonly string[], now: number): boolean => {
  try {
    const read = new X509Certificate(certificate);
    const names = hosts.every(
      (host) => (isIp(host) ? read.checkIP(host) : read.checkHost(host, { subject: "never" })) !== undefined,
    );
    return names && Date.parse(read.validTo) > now + RENEW_DAYS * DAY;
  } catch {
    return false;
  }
};
