import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExitCode, Program } from "./program.ts";

export type Runtime = "node" | "bun";

const ROOT = join(import.meta.dirname, "../../../..");
const MAIN = join(ROOT, "packages/server/src/main.ts");

/** What the server runs on in this run of the suites. */
export const runtime: Runtime = process.env.KITH_RUNTIME === "bun" ? "bun" : "node";

const PROGRAMS: Readonly<Record<Runtime, string>> = {
  // The suites themselves always run on the pinned Node.
  node: process.execPath,
  bun: join(ROOT, "node_modules/bun/bin/bun.exe"),
};

/** The program that runs TypeScript as the server is run. */
export const PROGRAM: string = PROGRAMS[runtime];

/** The kinds of ports a server opens. */
export type Port = "c2s" | "c2s-tls" | "component";

interface ReadyLine {
  readonly ready: true;
  readonly listeners: readonly { readonly kind: Port; readonly address: string; readonly port: number }[];
  readonly hosts: readonly string[];
}

export interface ServerOptions {
  /** Options beside those that give it loopback ports of its own and a folder for its data. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** A configuration file, absolute, that has more options; what cannot be written as JSON. */
  readonly base?: string | undefined;
  /** The core it has to run on, where there is `taskset`. */
  readonly core?: number | undefined;
  /** A program that runs it, such as a tracer. */
  readonly under?: readonly string[] | undefined;
}

/** What a command printed and how it ended. */
export interface Said {
  readonly code: ExitCode;
  readonly output: string;
  readonly errors: string;
}

/** Runs `kith …` to its end. */
export const kith = async (args: readonly string[], input?: string, cwd = tmpdir()): Promise<Said> => {
  const command = new Program(PROGRAM, [MAIN, ...args], { cwd });
  if (input !== undefined) command.tell(input);
  command.closeInput();
  const code = await command.exited;
  return { code, output: command.output.all.join("\n"), errors: command.errors.all.join("\n") };
};

/** Starts a server in a folder of its own. Settles when it accepts streams. */
export const startServer = async (options: ServerOptions = {}): Promise<KithServer> => {
  const server = new KithServer(await mkdtemp(join(tmpdir(), "kith-test-")), options);
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
};

/** A server process, its configuration and its data. It can be ended and started again with the same data. */
export class KithServer implements AsyncDisposable {
  readonly folder: string;
  readonly #base: string | undefined;
  readonly #before: readonly string[];
  #config: Readonly<Record<string, unknown>>;
  #program: Program | undefined = undefined;
  #ready: ReadyLine | undefined = undefined;

  constructor(folder: string, { config = {}, base, core, under = [] }: ServerOptions) {
    this.folder = folder;
    this.#base = base;
    this.#before = core === undefined ? under : ["taskset", "-c", String(core), ...under];
    this.#config = config;
  }

  get configFile(): string {
    return join(this.folder, "kith.config.ts");
  }

  /** PEM; a client that trusts it can check the certificate which the server has made for itself. */
  get certificateFile(): string {
    return join(this.folder, "data", "development-certificate.pem");
  }

  get hosts(): readonly string[] {
    return this.#ready?.hosts ?? [];
  }

  port(kind: Port): number {
    const listener = this.#ready?.listeners.find((one) => one.kind === kind);
    if (listener === undefined) throw new Error(`the server does not listen for ${kind}`);
    return listener.port;
  }

  /** The lines of its standard output so far. */
  get output(): readonly string[] {
    return this.#running.output.all;
  }

  /** The lines of its log so far. */
  get log(): readonly string[] {
    return this.#running.errors.all;
  }

  /** Settles when a line of the log matches. */
  async logged(pattern: RegExp): Promise<void> {
    await this.#running.errors.next(`a line like ${pattern} in the log`, (line) => pattern.test(line));
  }

  get pid(): number {
    const { pid } = this.#running;
    if (pid === undefined) throw new Error("the server could not be started");
    return pid;
  }

  get exited(): Promise<ExitCode> {
    return this.#running.exited;
  }

  kill(signal: NodeJS.Signals): void {
    this.#running.kill(signal);
  }

  /** Starts it, or starts it again with the data it had. `env`: variables of its environment. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.configure(this.#config);
    const [command = PROGRAM, ...args] = [...this.#before, ...[PROGRAM, MAIN, "start", "--config", this.configFile]];
    const program = new Program(command, args, { cwd: this.folder, env });
    this.#program = program;
    this.#ready = JSON.parse(await program.output.next("the line that says it is ready", isReadyLine)) as ReadyLine;
  }

  /** Writes a configuration with other options, for the next start or reload. */
  async configure(config: Readonly<Record<string, unknown>>): Promise<void> {
    this.#config = config;
    const complete = { ...onLoopback(config), storage: { directory: join(this.folder, "data") }, ...config };
    const options = JSON.stringify(complete, undefined, 2);
    const written =
      this.#base === undefined
        ? `export default ${options};\n`
        : `import base from ${JSON.stringify(this.#base)};\nexport default { ...base, ...${options} };\n`;
    await writeFile(this.configFile, written);
  }

  /** Asks it to end. Settles with its exit code. */
  async stop(): Promise<ExitCode> {
    this.kill("SIGTERM");
    return this.exited;
  }

  /** Ends it without a warning, as a lost machine would. */
  async crash(): Promise<void> {
    this.kill("SIGKILL");
    await this.exited;
  }

  /** Runs `kith … --config` this server's. */
  kith(args: readonly string[], input?: string): Promise<Said> {
    return kith([...args, "--config", this.configFile], input, this.folder);
  }

  async addUser(jid: string, password: string): Promise<void> {
    const { code, errors } = await this.kith(["user", "add", jid, "--password-stdin"], password);
    if (code !== 0) throw new Error(`kith user add ${jid} ended with ${code}: ${errors}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#program?.kill("SIGKILL");
    await this.#program?.exited;
    await rm(this.folder, { recursive: true, force: true });
  }

  get #running(): Program {
    if (this.#program === undefined) throw new Error("the server has not been started");
    return this.#program;
  }
}

/** Ports that are free, and no limits that a test would meet by being fast. */
const onLoopback = ({ components }: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const kinds: readonly Port[] = ["c2s", "c2s-tls", ...(components === undefined ? [] : (["component"] as const))];
  return {
    listeners: kinds.map((kind) => ({ kind, address: "127.0.0.1", port: 0 })),
    limits: { guessing: false, rate: false, unauthenticatedPerAddress: false },
    registration: { perAddress: false },
  };
};

const isReadyLine = (line: string): boolean => {
  try {
    return (JSON.parse(line) as { ready?: unknown }).ready === true;
  } catch {
    return false;
  }
};
