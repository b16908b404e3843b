/**
 * One buffer that every connection is read into. Node offers it to clients only (`onread`): for an accepted socket the
 * same fields are set by hand. Saves an allocation and the stream machinery for every read. What it relies on is
 * checked first; where something is missing the caller reads as usual.
 */
import type { Socket } from "node:net";

/** Takes the first `length` bytes of the buffer, during the call. `this` is the socket. */
export type ReadCallback = (this: Socket, length: number, buffer: Uint8Array) => void;

interface Internals {
  [field: symbol]: unknown;
  readonly _handle?: { readonly useUserBuffer?: (buffer: Uint8Array) => void } | null;
}

const BUFFER_SIZE = 65_536;
const shared = new Uint8Array(BUFFER_SIZE);

const fieldOf = (socket: Socket, name: string): symbol | undefined =>
  Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === name);

let kBuffer: symbol | undefined;
let kBufferCb: symbol | undefined;

/** Has every read of this socket go to `callback`. `false`: it cannot be had here; nothing was changed. */
export const readIntoSharedBuffer = (socket: Socket, callback: ReadCallback): boolean => {
  kBuffer ??= fieldOf(socket, "kBuffer");
  kBufferCb ??= fieldOf(socket, "kBufferCb");
  const internals = socket as unknown as Internals;
  const handle = internals._handle;
  if (kBuffer === undefined || kBufferCb === undefined || typeof handle?.useUserBuffer !== "function") return false;
  if (!(kBuffer in internals) || !(kBufferCb in internals)) return false;
  internals[kBuffer] = shared;
  internals[kBufferCb] = callback;
  handle.useUserBuffer(shared);
  return true;
};
