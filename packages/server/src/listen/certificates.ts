import { constants, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import type { DomainJid } from "@kith/protocol";
import type { Log } from "../router/log.ts";
import { developmentCertificate } from "./development-certificate.ts";
import type { Issued } from "./x509.ts";
import { endPointOf } from "./x509.ts";

/** Where a certificate (with its chain) and its key lie, both PEM. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** The hosts served; the first one's certificate is shown where no host is named. */
  readonly hosts: readonly DomainJid[];
  /** A host's own files. */
  readonly files: ReadonlyMap<DomainJid, CertificateFiles>;
  /** For hosts without files of their own; without it they get a certificate of the server's own making. */
  readonly defaultFiles?: CertificateFiles | undefined;
  /** Where that one is kept. */
  readonly dataDirectory: string;
  /** PEM file of the authorities whose client certificates are taken for SASL EXTERNAL; without it none are asked for. */
  readonly clientAuthorities?: string | undefined;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * RFC 7525 §4 as RFC 7590 asks for it: forward secrecy and authenticated encryption only. All of them will do, so the
 * client's order counts: it knows what its hardware is good at.
 */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** Where sessions can be resumed, they belong to this application alone. */
const SESSION_CONTEXT = "kith";
const SESSION_SECONDS = 86_400;
const TICKET_KEY_OCTETS = 48;

/** One certificate, parsed once, whatever number of hosts and connections use it. */
interface Entry {
  readonly source: Issued;
  readonly authorities: string | undefined;
  context: SecureContext;
}

/** What came of reading certificates again. */
export interface CertificateNews {
  /** Hosts that are served with another certificate from now on. */
  readonly replaced: readonly DomainJid[];
  /** What could not be used, a sentence each; what was in use before stays. */
  readonly problems: readonly string[];
}

/**
 * The certificates of all hosts. Reloading replaces those whose files have changed, for handshakes that begin afterwards;
 * streams go on. What cannot be used is logged, and the one before it stays.
 */
export class Certificates {
  readonly #options: CertificateOptions;
  #entries: ReadonlyMap<DomainJid, Entry> = new Map();
  /** Session tickets are encrypted with it; all contexts share it, so that a session is resumed whichever host was named. */
  #ticketKeys = randomBytes(TICKET_KEY_OCTETS);
  readonly #endPoints = new Map<string, Uint8Array | undefined>();
  #reloading: Promise<unknown> = Promise.resolve();

  private constructor(options: CertificateOptions) {
    this.#options = options;
  }

  /** Throws where a host's certificate cannot be used, with a message that names host and file. */
  static async open(options: CertificateOptions): Promise<Certificates> {
    const certificates = new Certificates(options);
    await certificates.#load((error) => {
      throw error;
    });
    return certificates;
  }

  /** The files that are read, for whoever watches them. */
  get files(): readonly string[] {
    const { files, defaultFiles, clientAuthorities } = this.#options;
    const pairs = [...files.values(), ...(defaultFiles === undefined ? [] : [defaultFiles])];
    return [
      ...pairs.flatMap(({ certificate, key }) => [certificate, key]),
      ...(clientAuthorities === undefined ? [] : [clientAuthorities]),
    ];
  }

  /** Are clients asked for a certificate? */
  get asksClients(): boolean {
    return this.#options.clientAuthorities !== undefined;
  }

  contextFor(domain: DomainJid): SecureContext | undefined {
    return this.#entries.get(domain)?.context;
  }

  /** Shown where no host is named, or one that is not served. */
  get fallback(): SecureContext {
    const [entry] = this.#entries.values();
    if (entry === undefined) throw new TypeError("no host is served");
    return entry.context;
  }

  /** The data of "tls-server-end-point" for the certificate that this connection was shown (RFC 5929 §4). */
  endPointOf(socket: TLSSocket): Uint8Array | undefined {
    const shown = socket.getCertificate();
    const raw = shown !== null && "raw" in shown ? shown.raw : undefined;
    if (raw === undefined) return undefined;
    const key = raw.toString("latin1");
    if (!this.#endPoints.has(key)) {
      if (this.#endPoints.size >= 100) this.#endPoints.clear();
      this.#endPoints.set(key, endPointOf(raw));
    }
    return this.#endPoints.get(key);
  }

  /** Reads all files again. Never rejects. One after the other. */
  reload(): Promise<CertificateNews> {
    const reloaded = this.#reloading.then(() => this.#reload());
    this.#reloading = reloaded;
    return reloaded;
  }

  async #reload(): Promise<CertificateNews> {
    const { log } = this.#options;
    const before = this.#entries;
    const problems: string[] = [];
    await this.#load((error) => {
      problems.push(error.message);
      log.error({ err: error }, "the certificate in use stays");
    });
    const replaced = [...this.#entries].flatMap(([host, entry]) => (before.get(host) === entry ? [] : [host]));
    if (replaced.length > 0) log.info({ hosts: replaced }, "certificates replaced");
    return { replaced, problems };
  }

  /** New keys for session tickets (RFC 7525 §3.4 asks for it now and then). Sessions from before are not resumed. */
  rotateTickets(): void {
    this.#ticketKeys = randomBytes(TICKET_KEY_OCTETS);
    for (const entry of new Set(this.#entries.values()))
      entry.context = this.#contextOf(entry.source, entry.authorities);
  }

  async #load(onError: (error: Error) => void): Promise<void> {
    const { hosts, clientAuthorities } = this.#options;
    const authorities =
      clientAuthorities === undefined ? undefined : await this.#authorities(clientAuthorities, onError);
    const entries = new Map<DomainJid, Entry>();
    const bySource = new Map<string, Entry>();
    for (const host of hosts) {
      const before = this.#entries.get(host);
      const entry = (await this.#entryFor(host, authorities, bySource, onError)) ?? before;
      if (entry !== undefined) entries.set(host, entry);
    }
    this.#entries = entries;
  }

  async #entryFor(
    host: DomainJid,
    authorities: string | undefined,
    bySource: Map<string, Entry>,
    onError: (error: Error) => void,
  ): Promise<Entry | undefined> {
    const from = this.#options.files.get(host) ?? this.#options.defaultFiles;
    try {
      const source = from === undefined ? await this.#development() : await readFiles(from);
      const key = source.certificate + source.key;
      const entry = bySource.get(key) ?? this.#entryOf(source, authorities, this.#entries.get(host));
      bySource.set(key, entry);
      return entry;
    } catch (error) {
      const where = from === undefined ? "" : ` in ${from.certificate}`;
      onError(new Error(`cannot use the certificate of ${host}${where}: ${messageOf(error)}`));
      return undefined;
    }
  }

  async #authorities(file: string, onError: (error: Error) => void): Promise<string | undefined> {
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      onError(new Error(`cannot read the authorities of client certificates in ${file}: ${messageOf(error)}`));
      const [before] = this.#entries.values();
      return before?.authorities;
    }
  }

  #development(): Promise<Issued> {
    const { hosts, files, dataDirectory, now } = this.#options;
    return developmentCertificate(
      dataDirectory,
      hosts.filter((host) => !files.has(host)),
      now(),
    );
  }

  #entryOf(source: Issued, authorities: string | undefined, before: Entry | undefined): Entry {
    const isSame =
      before?.source.certificate === source.certificate &&
      before.source.key === source.key &&
      before.authorities === authorities;
    return isSame ? before : { source, authorities, context: this.#contextOf(source, authorities) };
  }

  #contextOf({ certificate, key }: Issued, authorities: string | undefined): SecureContext {
    return createSecureContext({
      cert: certificate,
      key,
      ...(authorities === undefined ? {} : { ca: authorities }),
      minVersion: "TLSv1.2",
      // RFC 6120 §5.3.5.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      ciphers: CIPHERS,
      sessionIdContext: SESSION_CONTEXT,
      sessionTimeout: SESSION_SECONDS,
      ticketKeys: this.#ticketKeys,
    });
  }
}

const readFiles = async ({ certificate, key }: CertificateFiles): Promise<Issued> => ({
  certificate: await readFile(certificate, "utf8"),
  key: await readFile(key, "utf8"),
});

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
