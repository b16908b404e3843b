/** Prosody, tuned: epoll, the generational collector, no limits; with the modules that it is usually run with. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Child, type Core, freePort, isListening } from "../children.ts";
import { type Contender, type RunningServer, START_LIMIT } from "./contender.ts";
import { certificate, installed } from "./debian.ts";

export const prosody = (): Contender => ({
  name: "prosody",
  title: "Prosody",
  data: "prosody",
  prepare: async () => installed(["prosody", "lua-unbound"]),
  start,
});

const start = async (folder: string, core: Core): Promise<RunningServer> => {
  const port = await freePort();
  const file = join(folder, "prosody.cfg.lua");
  mkdirSync(join(folder, "data"), { recursive: true });
  writeFileSync(file, configuration(folder, port));
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

const configuration = (folder: string, port: number): string => {
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

modules_enabled = { ${MODULES.map((name) => `"${name}"`).join("; ")} }
-- Limits slow clients down; the bench is to find out how fast the server is.
modules_disabled = { "limits"; "s2s"; "http" }

authentication = "internal_hashed"
allow_registration = true
c2s_require_encryption = false
c2s_stanza_size_limit = 256 * 1024
ssl = { certificate = "${file}"; key = "${key}" }

VirtualHost "localhost"
`;
};
