/** Where Node and Bun differ. Nothing outside this file asks which one it is. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { type ReadCallback, readIntoSharedBuffer } from "./static-read-buffer.ts";

export const runtime: "node" | "bun" = "bun" in process.versions ? "bun" : "node";

/** By which part of what is in use garbage may exceed it before it is cleared away. */
const GARBAGE_PERCENT = 50;

/**
 * Clears garbage that has lived for a while earlier than Node would by itself: every connection leaves some, which Node lets
 * pile up to several times what is in use.
 */
export const keepHeapSmall = (): void => {
  if (runtime === "node") setFlagsFromString(`--heap-growing-percent=${GARBAGE_PERCENT}`);
};

function onData(this: Socket, bytes: Uint8Array): void {
  (this as Reading)[kCallback]?.call(this, bytes.length, bytes);
}
const kCallback = Symbol("read callback");
type Reading = Socket & { [kCallback]?: ReadCallback };

/** Has what comes in go to `callback`, by the cheapest way there is. The socket does not flow before it is resumed. */
export const readWith = (socket: Socket, callback: ReadCallback): void => {
  if (runtime === "node" && readIntoSharedBuffer(socket, callback)) return;
  (socket as Reading)[kCallback] = callback;
  socket.on("data", onData);
  socket.pause();
};

interface Verifying {
  readonly authorized?: boolean;
  readonly _handle?: { readonly verifyError?: () => Error | null } | null;
}

/** Did the peer show a certificate that the configured authorities vouch for? A socket that was made by hand does not say by itself. */
export const isVerifiedPeer = (socket: TLSSocket): boolean => {
  if (Object.keys(socket.getPeerCertificate() ?? {}).length === 0) return false;
  const { authorized, _handle } = socket as unknown as Verifying;
  if (authorized === true) return true;
  return typeof _handle?.verifyError === "function" && _handle.verifyError() === null;
};
