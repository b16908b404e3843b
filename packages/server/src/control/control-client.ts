import { connect, type Socket } from "node:net";
import { OperationError, type OperationName, type Operator, type RequestOf, type Results } from "./operations.ts";
import { controlPath, Lines, parseAnswer } from "./protocol.ts";

/** Reaches the server that keeps its data in this directory; `undefined` where none answers. Rejects with OperationError where one may not be reached. */
export const connectControl = async (directory: string): Promise<Operator | undefined> => {
  const socket = connect(controlPath(directory));
  const { promise, resolve, reject } = Promise.withResolvers<Operator | undefined>();
  socket.once("connect", () => {
    socket.off("error", onError);
    resolve(new ControlClient(socket));
  });
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(undefined);
    else reject(new OperationError(`the server's control socket cannot be opened: ${sentence(error)}`));
  };
  socket.once("error", onError);
  return promise;
};

const sentence = ({ code, message }: NodeJS.ErrnoException): string =>
  code === "EACCES" || code === "EPERM"
    ? "it belongs to another user; run this as the user that runs the server"
    : message;

class ControlClient implements Operator {
  readonly #socket: Socket;
  readonly #lines = new Lines();
  /** Who waits for an answer, in order. */
  readonly #waiting: PromiseWithResolvers<unknown>[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#receive(text));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#fail(new OperationError("the server went away")));
  }

  run<Name extends OperationName>(name: Name, request: RequestOf<Name>): Promise<Results[Name]> {
    const waiting = Promise.withResolvers<unknown>();
    if (this.#socket.destroyed) return Promise.reject(new OperationError("the server went away"));
    this.#waiting.push(waiting);
    this.#socket.write(`${JSON.stringify({ do: name, with: request })}\n`);
    return waiting.promise as Promise<Results[Name]>;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve();
      this.#socket.once("close", () => resolve());
      this.#socket.end();
    });
  }

  #receive(text: string): void {
    try {
      for (const line of this.#lines.take(text)) this.#settle(line);
    } catch (error) {
      this.#fail(error);
      this.#socket.destroy();
    }
  }

  #settle(line: string): void {
    const answer = parseAnswer(line);
    const waiting = this.#waiting.shift();
    if ("ok" in answer) waiting?.resolve(answer.ok);
    else waiting?.reject(new OperationError(answer.error));
  }

  #fail(error: unknown): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}
