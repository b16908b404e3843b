/** Prosody, tuned: epoll, the generational collector, no limits; with the modules that it is usually run with. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Child, type Core, freePort, isListening } from "../children.ts";
import { type Contender, type RunningServer, type Setting, START_LIMIT } from "./contender.ts";
import { certificate, installed } from "./debian.ts";

/** Archives are kept in its own files. */
export const prosody = (): Contender => ({
  name: "prosody",
  title: "Prosody",
  data: "prosody",
  archives: ["off", "on"],
  prepare: async () => installed(["prosody", "lua-unbound"]),
  start: (folder, core, setting) => start(folder, core, setting, "internal"),
});

/** Archives are kept in SQLite, as it is installed. */
export const prosodySqlite = (): Contender => ({
  name: "prosody-sqlite",
  title: "Prosody, SQLite",
  data: "prosody-sqlite",
  archives: ["on"],
  prepare: async () => installed(["prosody", "lua-unbound", "lua-dbi-sqlite3"]),
  start: (folder, core, setting) => start(folder, core, setting, "sql"),
});

type ArchiveStore = "internal" | "sql";

const start = async (folder: string, core: Core, { archive }: Setting, store: ArchiveStore): Promise<RunningServer> => {
  const port = await freePort();
  const file = join(folder, "prosody.cfg.lua");
  mkdirSync(join(folder, "data"), { recursive: true });
  writeFileSync(file, configuration(folder, port, archive === "off" ? undefined : store));
  const child = new Child("Prosody", ["prosody", "-F", "--config", file], {
    core,
    cwd: folder,
    logFile: join(folder, "prosody.out"),
  });
  await child.until("it listened", START_LIMIT, () => isListening(port));
  return { child, port };
};

/** What a server for people needs; no federation, no web server. */
const MODULES = [
  ...["roster", "saslauth", "tls", "disco", "blocklist", "private", "vcard_legacy", "vcard4", "pep", "carbons"],
  ...["smacks", "csi_simple", "ping", "time", "uptime", "version", "register_ibr"],
];

const configuration = (folder: string, port: number, archive: ArchiveStore | undefined): string => {
  const { certificate: file, key } = certificate(folder);
  return `-- Written by the bench.
data_path = "${join(folder, "data")}"
log = { warn = "${join(folder, "prosody.log")}" }
run_as_root = true
daemonize = false

interfaces = { "127.0.0.1" }
c2s_ports = { ${port} }
c2s_direct_tls_ports = { }
s2s_ports = { }
http_ports = { }
https_ports = { }
network_backend = "epoll"
network_settings = { tcp_backlog = 4096 }

-- The collector that costs less here; the default is the incremental one.
gc = { mode = "generational" }

modules_enabled = { ${[...MODULES, ...(archive === undefined ? [] : ["mam"])].map((name) => `"${name}"`).join("; ")} }
-- Limits slow clients down; the bench is to find out how fast the server is.
modules_disabled = { "limits"; "s2s"; "http" }

${archive === undefined ? "" : archiving(archive)}authentication = "internal_hashed"
allow_registration = true
c2s_require_encryption = false
c2s_stanza_size_limit = 256 * 1024
ssl = { certificate = "${file}"; key = "${key}" }

VirtualHost "localhost"
`;
};

/** Everything is kept, as it is with Kith. */
const archiving = (store: ArchiveStore): string => `storage = { archive = "${store}" }
sql = { driver = "SQLite3"; database = "archive.sqlite" }
default_archive_policy = true
archive_expires_after = "never"

`;
