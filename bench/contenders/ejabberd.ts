/** ejabberd, tuned: no busy waiting of its schedulers, kernel polling, no shapers; with the modules that it is usually run with. */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Child, type Core, freePort, isListening } from "../children.ts";
import { type Contender, type RunningServer, type Setting, START_LIMIT } from "./contender.ts";
import { certificate, installed } from "./debian.ts";

/** Archives are kept in Mnesia. */
export const ejabberd = (): Contender => ({
  name: "ejabberd",
  title: "ejabberd",
  data: "ejabberd",
  archives: ["off", "on"],
  prepare: async () => installed(["ejabberd"]),
  start: (folder, core, setting) => start(folder, core, setting, "mnesia"),
});

/** Archives are kept in SQLite, as it is installed. */
export const ejabberdSqlite = (): Contender => ({
  name: "ejabberd-sqlite",
  title: "ejabberd, SQLite",
  data: "ejabberd-sqlite",
  archives: ["on"],
  prepare: async () => installed(["ejabberd", "erlang-p1-sqlite3"]),
  start: (folder, core, setting) => start(folder, core, setting, "sql"),
});

type ArchiveStore = "mnesia" | "sql";

/** Schedulers that have nothing to do sleep at once: on a core of one's own, spinning would only cost. */
const NO_BUSY_WAITING = ["+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"];

const start = async (folder: string, core: Core, { archive }: Setting, store: ArchiveStore): Promise<RunningServer> => {
  const port = await freePort();
  const file = join(folder, "ejabberd.yml");
  const database = join(folder, "data");
  mkdirSync(database, { recursive: true });
  const archiveStore = archive === "off" ? undefined : store;
  if (archiveStore === "sql") makeDatabase(join(folder, SQLITE_FILE));
  writeFileSync(file, configuration(folder, port, archiveStore));
  // Without a name the node is not distributed: no port mapper is started, nobody else can reach it.
  const command = [
    ...["erl", "-noinput", "+K", "true", "+P", "250000", ...NO_BUSY_WAITING],
    ...["-mnesia", "dir", `"${database}"`, "-s", "ejabberd"],
  ];
  const child = new Child("ejabberd", command, {
    core,
    cwd: folder,
    env: {
      EJABBERD_CONFIG_PATH: file,
      EJABBERD_LOG_PATH: join(folder, "ejabberd.log"),
      ERL_LIBS: libraries(),
      ERL_MAX_PORTS: "32000",
      ERL_CRASH_DUMP_BYTES: "0",
    },
    logFile: join(folder, "ejabberd.out"),
  });
  await child.until("it listened", START_LIMIT, () => isListening(port));
  return { child, port };
};

/** Where Debian puts the applications that ejabberd is made of. */
const libraries = (): string => {
  const [found] = globSync("/usr/lib/*/ejabberd-*");
  if (found === undefined) throw new Error("ejabberd is installed, but not where Debian puts it");
  return dirname(found);
};

const SQLITE_FILE = "archive.sqlite";

/** With the tables that come with the package: this version does not make them itself. */
const makeDatabase = (file: string): void => {
  if (existsSync(file)) return;
  const [tables] = ["/usr/share/ejabberd/sql/lite.sql", "/usr/lib/*/ejabberd-*/priv/sql/lite.sql"].flatMap((place) =>
    globSync(place),
  );
  if (tables === undefined) throw new Error("ejabberd is installed, but without its tables for SQLite");
  const database = new DatabaseSync(file);
  database.exec(readFileSync(tables, "utf8"));
  database.close();
};

const configuration = (
  folder: string,
  port: number,
  archive: ArchiveStore | undefined,
): string => `# Written by the bench.
loglevel: warning
hosts:
  - localhost
certfiles:
  - ${pem(folder)}

listen:
  - port: ${port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    starttls: true
    max_stanza_size: 262144
    backlog: 4096
    access: all
    # Shapers slow clients down; the bench is to find out how fast the server is.
    shaper: none

auth_method: internal
auth_password_format: scram
auth_scram_hash: sha
auth_use_cache: true
registration_timeout: infinity
${archive === "sql" ? `sql_type: sqlite\nsql_database: ${join(folder, SQLITE_FILE)}\n` : ""}
acl:
  local:
    user_regexp: ""
access_rules:
  local:
    allow: local
  register:
    allow: all
shaper: {}
shaper_rules:
  max_user_sessions: 100
  max_user_offline_messages: 1000

# What a server for people needs; no federation, no web server.
modules:
  mod_blocking: {}
  mod_caps: {}
  mod_carboncopy: {}
  mod_client_state: {}
  mod_disco: {}
  mod_last: {}
${archive === undefined ? "" : `  mod_mam:\n    default: always\n    db_type: ${archive}\n`}  mod_offline: {}
  mod_ping: {}
  mod_privacy: {}
  mod_private: {}
  mod_pubsub:
    plugins: [flat, pep]
  mod_register:
    access: register
    ip_access: all
    captcha_protected: false
    password_strength: 0
  mod_roster:
    versioning: true
  mod_stream_mgmt: {}
  mod_time: {}
  mod_vcard: {}
  mod_version: {}
`;

/** Certificate and key in one file, as ejabberd wants them. */
const pem = (folder: string): string => {
  const files = certificate(folder);
  const file = join(folder, "both.pem");
  writeFileSync(file, readFileSync(files.certificate, "utf8") + readFileSync(files.key, "utf8"), { mode: 0o600 });
  return file;
};
