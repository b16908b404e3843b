/** `kith start`: a server from its configuration to its end. */
import { setTimeout as pause } from "node:timers/promises";
import { type Config, ConfigError } from "../config.ts";
import { reconfigure } from "../config-live.ts";
import { type ControlServer, openControl } from "../control/control-server.ts";
import { OperationError, type Results, type ServerStatus } from "../control/operations.ts";
import { createLog, type ServerLog } from "../log.ts";
import type { Store } from "../store/store.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { type Io, line } from "./io.ts";
import type { Running } from "./running.ts";
import { isDirectoryInUse, type Listening, type ServerApp } from "./server.ts";
import { welcome } from "./welcome.ts";

/** Settles when the server has stopped. */
export const start = async (running: Running): Promise<void> => {
  const { io } = running;
  const config = await running.config();
  const log = createLog({ ...config.log, target: io.err });
  io.onDefect((error) => {
    // Whatever state it is in, what was acknowledged is on disk: end, and let it be started again.
    log.error({ err: error }, "defect; the server ends");
    io.exit(EXIT.failure);
  });
  const server = new RunningServer(config, log, running);
  const stopping = signalled(io, log);
  io.onSignal("SIGHUP", () => void server.reload());
  const { listeners, hosts } = await server.start();
  if (isReadByPeople(io)) for (const text of welcome(config, listeners, io.environment)) line(io.err, text);
  line(io.out, JSON.stringify({ ready: true, listeners, hosts }));
  await stopping;
  running.ends(await server.stop());
};

/** `npm start` is somebody trying it out, also where the output is kept in a file. */
const isReadByPeople = ({ err, environment }: Io): boolean =>
  err.isTTY === true || (environment.npm_lifecycle_event?.startsWith("start") ?? false);

/** Settles with the first signal to stop; the second ends the process. */
const signalled = (io: Io, log: ServerLog): Promise<void> =>
  new Promise((resolve) => {
    let signals = 0;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      io.onSignal(signal, () => {
        if (++signals > 1) return io.exit(EXIT.failure);
        log.info({ signal }, "stopping; once more ends it at once");
        resolve();
      });
    }
  });

class RunningServer {
  readonly #config: Config;
  readonly #log: ServerLog;
  readonly #running: Running;
  readonly #since = Date.now();
  #parts: { readonly store: Store; readonly app: ServerApp; readonly control: ControlServer } | undefined;
  #listeners: readonly Listening[] = [];
  #reloading: Promise<unknown> = Promise.resolve();

  constructor(config: Config, log: ServerLog, running: Running) {
    this.#config = config;
    this.#log = log;
    this.#running = running;
  }

  /** Rejects with OperationError where it cannot start, with all that was opened closed again. */
  async start(): Promise<ServerStatus> {
    const { server } = this.#running;
    const store = await this.#openStore();
    try {
      const app = await server.createApp(this.#config, store, this.#log);
      const control = await this.#openControl(app, store);
      this.#parts = { store, app, control };
      this.#listeners = await app.listen().catch((error: unknown) => Promise.reject(asSentence(error)));
    } catch (error) {
      await this.stop();
      if (this.#parts === undefined) await store.close();
      throw error;
    }
    const status = this.#status();
    this.#log.info({ version: server.version, hosts: status.hosts, listeners: status.listeners }, "accepting streams");
    return status;
  }

  /** Closes streams, flushes stores, and gives up waiting after a while. */
  async stop(): Promise<ExitCode> {
    if (this.#parts === undefined) return EXIT.ok;
    const { app, store, control } = this.#parts;
    const stopped = async (): Promise<"stopped"> => {
      await control.close();
      await app.stop();
      await store.close();
      return "stopped";
    };
    // A stream has its own time to close; what comes after it is quick.
    const patience = new AbortController();
    const tooLong = pause(this.#config.timeouts.shutdown, "too long" as const, {
      signal: patience.signal,
      ref: true,
    }).catch(() => "stopped" as const);
    const outcome = await Promise.race([stopped(), tooLong]);
    patience.abort();
    if (outcome === "too long") this.#log.warn({}, "some streams did not end in time");
    else this.#log.info({}, "stopped");
    return EXIT.ok;
  }

  /** Reads the configuration and the certificates again; what is wrong with them is logged, and nothing changes. */
  reload(): Promise<Results["reload"]> {
    const reloaded = this.#reloading.then(() => this.#reload());
    this.#reloading = reloaded.catch(() => undefined);
    return reloaded;
  }

  async #reload(): Promise<Results["reload"]> {
    const outcome = await this.#reconfigure();
    const certificates = (await this.#parts?.app.reload()) ?? { replaced: [], problems: [] };
    return { ...outcome, certificates };
  }

  async #reconfigure(): Promise<Omit<Results["reload"], "certificates">> {
    try {
      const outcome = reconfigure(this.#config, await this.#running.config());
      this.#log.level = this.#config.log.level;
      this.#log.info({ changed: outcome.changed }, "configuration read again");
      if (outcome.atNextStart.length > 0)
        this.#log.warn({ options: outcome.atNextStart }, "these take effect at the next start");
      return outcome;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.lines)
        this.#log.error({ problem }, "the configuration cannot be used; the old one stays");
      throw new OperationError(error.message);
    }
  }

  async #openStore(): Promise<Store> {
    try {
      return await this.#running.server.openStore(this.#config, this.#log);
    } catch (error) {
      throw isDirectoryInUse(error) ? new OperationError(error.message) : error;
    }
  }

  #openControl(app: ServerApp, store: Store): Promise<ControlServer> {
    const server = { status: () => this.#status(), reload: () => this.reload() };
    return openControl(this.#config.storage.directory, { config: this.#config, store, app, server }, this.#log);
  }

  #status(): ServerStatus {
    return {
      pid: process.pid,
      version: this.#running.server.version,
      since: this.#since,
      hosts: [...this.#config.hosts.keys()],
      listeners: this.#listeners,
      streams: this.#parts?.app.streams ?? 0,
      timers: this.#parts?.app.timers ?? 0,
      resources: activeResources(),
    };
  }
}

/** How many there are of each kind of what keeps the loop going. Bun does not tell. */
const activeResources = (): Readonly<Record<string, number>> => {
  const { getActiveResourcesInfo } = process as { readonly getActiveResourcesInfo?: () => readonly string[] };
  const counts: Record<string, number> = {};
  for (const kind of getActiveResourcesInfo?.() ?? []) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

/** Why an address could not be had, for people. */
const asSentence = (error: unknown): unknown => {
  const { code, address, port } = error as { code?: string; address?: string; port?: number };
  const place = address === undefined ? `port ${port}` : `port ${port} of ${address}`;
  switch (code) {
    case "EADDRINUSE":
      return new OperationError(`${place} is in use by another program`);
    case "EACCES":
      return new OperationError(
        `${place} cannot be had: ports below 1024 are for root, or need the capability CAP_NET_BIND_SERVICE`,
      );
    case "EADDRNOTAVAIL":
      return new OperationError(`${address} is no address of this machine`);
    default:
      return error;
  }
};
