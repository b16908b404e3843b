import { chmod, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { isMainThread } from "node:worker_threads";
import type { Log } from "../router/log.ts";
import { type Operated, OperationError, operate } from "./operations.ts";
import { type ControlAnswer, controlPath, Lines, parseRequest } from "./protocol.ts";

export interface ControlServer {
  /** Takes no more requests; settles when those under way are answered. */
  close(): Promise<void>;
}

/**
 * Lets the command line in, by a socket in the data directory. Whoever calls this holds the lock on the directory, so
 * that a socket that is there already was left behind.
 */
export const openControl = async (directory: string, on: Operated, log: Log): Promise<ControlServer> => {
  const path = controlPath(directory);
  if (process.platform !== "win32") await rm(path, { force: true });
  const connections = new Set<Connection>();
  const server = createServer((socket) => {
    const connection = new Connection(socket, on, log);
    connections.add(connection);
    socket.on("close", () => connections.delete(connection));
  });
  await listen(server, path);
  // The directory is closed to others already; this is for one that was there before.
  if (process.platform !== "win32") await chmod(path, 0o600);
  server.unref();
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...connections].map((connection) => connection.end()));
      await closed;
    },
  };
};

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    // Made with the right mode; a thread cannot set it.
    const umask = isMainThread && process.platform !== "win32" ? process.umask(0o177) : undefined;
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
    if (umask !== undefined) process.umask(umask);
  });

/** Requests of one client, answered one after the other. */
class Connection {
  readonly #socket: Socket;
  readonly #on: Operated;
  readonly #log: Log;
  readonly #lines = new Lines();
  #done: Promise<void> = Promise.resolve();

  constructor(socket: Socket, on: Operated, log: Log) {
    this.#socket = socket;
    this.#on = on;
    this.#log = log;
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    socket.on("data", (text: string) => this.#receive(text));
  }

  async end(): Promise<void> {
    this.#socket.pause();
    await this.#done;
    this.#socket.destroySoon();
  }

  #receive(text: string): void {
    try {
      for (const line of this.#lines.take(text)) this.#done = this.#done.then(() => this.#answer(line));
    } catch {
      this.#socket.destroy();
    }
  }

  async #answer(line: string): Promise<void> {
    const answer = await this.#outcome(line);
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(answer)}\n`);
  }

  async #outcome(line: string): Promise<ControlAnswer> {
    try {
      const request = parseRequest(line);
      this.#log.info({ operation: request.do }, "asked by the command line");
      return { ok: await operate(request.do, request.with, this.#on) };
    } catch (error) {
      if (error instanceof OperationError) return { error: error.message, refused: true };
      this.#log.error({ err: error }, "defect");
      return { error: "the server failed; its log says more", refused: false };
    }
  }
}
