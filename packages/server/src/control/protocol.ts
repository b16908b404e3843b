/**
 * The control socket: one JSON object a line, requests and answers in order. Only the user that runs the server can
 * open it (mode 0600), and whoever can may do anything; what comes is checked all the same.
 */
import { join } from "node:path";
import { z } from "zod";
import { OperationError, type OperationName, REQUESTS } from "./operations.ts";

/** No request is longer, in characters. */
export const LONGEST_LINE = 65_536;

const envelope = z.strictObject({
  do: z.enum(Object.keys(REQUESTS) as [OperationName, ...OperationName[]]),
  with: z.unknown(),
});

export interface ControlRequest {
  readonly do: OperationName;
  readonly with: never;
}
export type ControlAnswer = { readonly ok: unknown } | { readonly error: string; readonly refused: boolean };

/** A line as a request. Throws OperationError that says what is wrong with it. */
export const parseRequest = (line: string): ControlRequest => {
  const whole = envelope.safeParse(parseJson(line));
  if (!whole.success) throw new OperationError("not a request");
  const request = REQUESTS[whole.data.do].safeParse(whole.data.with);
  if (!request.success)
    throw new OperationError(`not what "${whole.data.do}" takes: ${request.error.issues[0]?.message ?? ""}`);
  return { do: whole.data.do, with: request.data as never };
};

const parseJson = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    throw new OperationError("not JSON");
  }
};

/** An answer as a line; a server that is not this version's may answer anything. */
export const parseAnswer = (line: string): ControlAnswer => {
  const answer: unknown = parseJson(line);
  if (typeof answer === "object" && answer !== null && ("ok" in answer || "error" in answer))
    return answer as ControlAnswer;
  throw new OperationError("the server answered with something else");
};

/** Splits what comes into lines. Throws RangeError where one has no end. */
export class Lines {
  #rest = "";

  /** The lines that are complete now. */
  *take(text: string): Generator<string> {
    this.#rest += text;
    for (let end = this.#rest.indexOf("\n"); end >= 0; end = this.#rest.indexOf("\n")) {
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 1);
      if (line.trim() !== "") yield line;
    }
    if (this.#rest.length > LONGEST_LINE) throw new RangeError("a line is too long");
  }
}

/** Where a server that keeps its data in this directory can be reached. */
export const controlPath = (directory: string): string => {
  const path =
    process.platform === "win32"
      ? `\\\\.\\pipe\\${directory.replace(/[:\\/]+/g, "-")}-kith`
      : join(directory, "control.sock");
  if (process.platform === "win32" || Buffer.byteLength(path) <= LONGEST_PATH) return path;
  throw new OperationError(
    `storage.directory: found a name of ${Buffer.byteLength(directory)} bytes; allowed: up to ${LONGEST_PATH - "/control.sock".length}, so that there is room for a socket's`,
  );
};
/** What the smallest `sockaddr_un` holds: 104 bytes with the one that ends it (macOS, BSD; Linux has four more). */
const LONGEST_PATH = 103;
