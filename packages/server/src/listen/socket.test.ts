import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Bytes } from "@kith/protocol";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { silentLog } from "../router/log.ts";
import { domain, ManualTimers } from "../session/test-streams.ts";
import type { TransportListener } from "../session/transport.ts";
import { Certificates } from "./certificates.ts";
import { runtime } from "./runtime.ts";
import { SocketTransport } from "./socket.ts";
import { readIntoSharedBuffer } from "./static-read-buffer.ts";
import { temporaryFolder, until } from "./test-listen.ts";
import { TlsServer } from "./tls.ts";

class Noting implements TransportListener {
  text = "";
  readonly chunks: Uint8Array[] = [];
  readonly events: string[] = [];
  received(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString("latin1");
    this.chunks.push(bytes);
  }
  secured(): void {
    this.events.push("secured");
  }
  peerEnded(): void {
    this.events.push("ended");
  }
  stalled(): void {
    this.events.push("stalled");
  }
  lost(error: Error | undefined): void {
    this.events.push(error === undefined ? "lost" : `lost: ${(error as NodeJS.ErrnoException).code}`);
  }
}

interface Pair {
  readonly transport: SocketTransport;
  readonly listener: Noting;
  readonly peer: Socket;
  /** The peer's socket below TLS. */
  readonly raw: Socket;
  readonly timers: ManualTimers;
  /** What has come at the peer. */
  readonly at: () => string;
  readonly gone: { count: number };
}

const KINDS = ["plain", "TLS"] as const;

/** Both ends of a connection. */
const pair = async (
  kind: (typeof KINDS)[number] = "plain",
  options: { readonly sharedBuffer?: boolean; readonly paused?: boolean } = {},
): Promise<Pair> => {
  const timers = ManualTimers.start();
  const certificates = await Certificates.open({
    hosts: [domain("capulet.example")],
    files: new Map(),
    dataDirectory: await temporaryFolder(),
    log: silentLog,
    now: Date.now,
  });
  const gone = { count: 0 };
  const listener = new Noting();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection");
  const { port } = server.address() as AddressInfo;
  const peer = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  const [below] = (await accepted) as [Socket];
  if (options.sharedBuffer === false) {
    Object.defineProperty((below as unknown as { _handle: object })._handle, "useUserBuffer", { value: undefined });
  }
  const transport = new SocketTransport(below, {
    timers,
    tls: new TlsServer(certificates),
    writeStallMs: 30_000,
    vouched: () => {},
    gone: () => gone.count++,
  });
  if (kind === "TLS") transport.attachSecurely(listener);
  else transport.attach(listener);
  const top = kind === "TLS" ? connectTls({ socket: peer, rejectUnauthorized: false }) : peer;
  await once(top, kind === "TLS" ? "secureConnect" : "ready").catch(() => {});
  let text = "";
  top.on("error", () => {});
  const take = (data: Buffer): void => {
    text += data.toString("latin1");
  };
  if (options.paused !== true) top.on("data", take);
  if (kind === "TLS") await until(() => listener.events.includes("secured"));
  onTestFinished(() => {
    top.destroy();
    peer.destroy();
    transport.destroy();
    server.close();
  });
  return { transport, listener, peer: top, raw: peer, timers, at: () => text, gone };
};

const bytes = (text: string): Bytes => text as Bytes;
/** As long as asked, unlike itself everywhere, every octet among it. */
const pattern = (length: number): Bytes => {
  let text = "";
  for (let at = 0; text.length < length; at++) text += `${at}:${String.fromCharCode(at % 256)};`;
  return bytes(text.slice(0, length));
};

describe.each(KINDS)("writing, %s", (kind) => {
  test("what is appended in one turn of the loop is one write", async () => {
    const { transport, at } = await pair(kind);
    const write = vi.spyOn(Duplex.prototype, "write");
    onTestFinished(() => write.mockRestore());
    for (let count = 0; count < 10; count++) transport.write(bytes(`<message id='${count}'/>`));
    expect(write).not.toHaveBeenCalled();
    await until(() => at().includes("id='9'/>"));
    expect(write).toHaveBeenCalledTimes(1);
    transport.write(bytes("<presence/>"));
    await until(() => at().endsWith("<presence/>"));
    expect(write).toHaveBeenCalledTimes(2);
  });

  test("octets arrive as they were, however many, in order", async () => {
    const { transport, at, timers } = await pair(kind);
    const sent = pattern(3_000_000);
    transport.write(bytes(sent.slice(0, 10)));
    transport.write(bytes(sent.slice(10, 2_000_000)));
    await new Promise((resolve) => setImmediate(resolve));
    for (let from = 2_000_000; from < sent.length; from += 100_000)
      transport.write(bytes(sent.slice(from, from + 100_000)));
    await until(() => at().length === sent.length);
    expect(at() === sent).toBe(true);
    expect(transport.backlog).toBe(0);
    await timers.pass(60_000);
    expect(timers.size).toBe(0);
  });

  test("a peer that does not read makes a backlog that is counted, and is told when it has read", async () => {
    const { transport, peer, listener, timers } = await pair(kind, { paused: true });
    const sent = pattern(12_000_000);
    const flushed: string[] = [];
    transport.write(sent);
    transport.whenFlushed(() => flushed.push("all"));
    await until(() => transport.backlog < sent.length);
    const waiting = transport.backlog;
    expect(waiting).toBeGreaterThan(1_000_000);
    transport.write(bytes("<end/>"));
    transport.whenFlushed(() => flushed.push("end"));
    expect(transport.backlog).toBeGreaterThan(waiting - 70_000);
    expect(flushed).toEqual([]);
    let text = "";
    peer.on("data", (data: Buffer) => {
      text += data.toString("latin1");
    });
    await until(() => flushed.length === 2);
    expect(flushed).toEqual(["all", "end"]);
    expect(transport.backlog).toBe(0);
    await until(() => text.endsWith("<end/>"));
    expect(text === `${sent}<end/>`).toBe(true);
    expect(listener.events).not.toContain("stalled");
    await timers.pass(120_000);
    expect(timers.size).toBe(0);
  });

  test("whenFlushed: at once where nothing waits, and in order", async () => {
    const { transport } = await pair(kind);
    const flushed: string[] = [];
    transport.whenFlushed(() => flushed.push("nothing"));
    expect(flushed).toEqual(["nothing"]);
    transport.write(bytes("a"));
    transport.whenFlushed(() => flushed.push("a"));
    transport.write(bytes("b"));
    transport.whenFlushed(() => {
      flushed.push("b");
      transport.write(bytes("c"));
      transport.whenFlushed(() => flushed.push("c"));
    });
    expect(flushed).toEqual(["nothing"]);
    await until(() => flushed.length === 4);
    expect(flushed).toEqual(["nothing", "a", "b", "c"]);
  });

  test("RFC 6120 §4.6.1: a peer that takes nothing for too long stalls, one that takes little does not", async () => {
    const { transport, peer, listener, timers } = await pair(kind, { paused: true });
    transport.write(pattern(12_000_000));
    await until(() => timers.size > 0);
    await until(() => transport.backlog < 12_000_000);
    for (let round = 0; round < 3; round++) {
      const before = transport.backlog;
      while (transport.backlog > before - 200_000) {
        peer.read();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await timers.pass(30_050);
      expect(listener.events).not.toContain("stalled");
    }
    await until(() => peer.readableLength > 0);
    let before = -1;
    // Until the kernel is as full as it gets.
    while (transport.backlog !== before) {
      before = transport.backlog;
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    await timers.pass(30_050);
    await timers.pass(30_050);
    expect(listener.events).toContain("stalled");
  });

  test("RFC 6120 §4.4: end sends all that was appended, then ends; what comes is still read", async () => {
    const { transport, peer, listener, at, gone } = await pair(kind);
    const sent = pattern(1_000_000);
    transport.write(sent);
    transport.end();
    transport.end();
    transport.write(bytes("too late"));
    await once(peer, "end");
    expect(at() === sent).toBe(true);
    if (kind === "plain") {
      peer.write("still here");
      await until(() => listener.text === "still here");
    }
    peer.end();
    await until(() => listener.events.includes("lost"));
    expect(gone.count).toBe(1);
  });

  test("what is appended while the peer is slow arrives as it was, in order", async () => {
    const { transport, peer } = await pair(kind, { paused: true });
    const sent = pattern(9_000_000);
    const sizes = [1, 7_000_000, 65_535, 65_536, 65_537, 300_000, 3, 900_000];
    let at = 0;
    for (const size of [...sizes, sent.length - sizes.reduce((sum, one) => sum + one, 0)]) {
      transport.write(bytes(sent.slice(at, at + size)));
      at += size;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(transport.backlog).toBeGreaterThan(1_000_000);
    let text = "";
    peer.on("data", (data: Buffer) => {
      text += data.toString("latin1");
    });
    await until(() => text.length === sent.length);
    expect(text === sent).toBe(true);
    expect(transport.backlog).toBe(0);
  });

  test("RFC 6120 §4.4: after the end, whoever wants to know is told when all of it has been read, and the loop goes on", async () => {
    const { transport, peer } = await pair(kind, { paused: true });
    const flushed: string[] = [];
    transport.write(pattern(8_000_000));
    await until(() => transport.backlog < 8_000_000);
    transport.end();
    for (const when of ["at once", "a turn later", "two turns later"]) {
      transport.whenFlushed(() => flushed.push(when));
      transport.flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(flushed).toEqual([]);
    let length = 0;
    peer.on("data", (data: Buffer) => {
      length += data.length;
    });
    await until(() => flushed.length === 3);
    await until(() => length === 8_000_000);
    expect(flushed).toEqual(["at once", "a turn later", "two turns later"]);
  });

  test("a connection that is gone takes nothing more and says nothing more", async () => {
    const { transport, raw, listener, gone, timers } = await pair(kind);
    const flushed: string[] = [];
    raw.resetAndDestroy();
    await until(() => listener.events.some((event) => event.startsWith("lost")));
    transport.write(bytes("x"));
    transport.whenFlushed(() => flushed.push("x"));
    transport.pause();
    transport.resume();
    transport.end();
    transport.destroy();
    transport.startTls(undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect(flushed).toEqual([]);
    expect(listener.events.filter((event) => event.startsWith("lost"))).toHaveLength(1);
    expect(gone.count).toBe(1);
    expect(timers.size).toBe(0);
  });

  test("a connection that is reset says so", async () => {
    const { raw, listener } = await pair(kind);
    raw.resetAndDestroy();
    await until(() => listener.events.some((event) => event.startsWith("lost")));
    expect(listener.events).toContain("lost: ECONNRESET");
  });
});

describe.each([
  ["plain", true],
  ["plain", false],
  ["TLS", true],
] as const)("reading, %s, shared buffer: %s", (kind, sharedBuffer) => {
  test("octets arrive as they were, whatever the pieces", async () => {
    const { peer, listener } = await pair(kind, { sharedBuffer });
    const sent = pattern(2_000_000);
    peer.write("é", "latin1");
    peer.write(sent, "latin1");
    await until(() => listener.text.length === sent.length + 1);
    expect(listener.text === `é${sent}`).toBe(true);
  });

  test("paused, nothing comes; resumed, all of it does", async () => {
    const { transport, peer, listener } = await pair(kind, { sharedBuffer });
    peer.write("one");
    await until(() => listener.text === "one");
    transport.pause();
    const sent = pattern(500_000);
    peer.write(sent, "latin1");
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(listener.text.length).toBeLessThan(140_000);
    const paused = listener.text.length;
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(listener.text.length).toBe(paused);
    transport.resume();
    await until(() => listener.text.length === sent.length + 3);
    expect(listener.text === `one${sent}`).toBe(true);
  });

  test("RFC 6120 §4.4: the end of the peer's direction is told, and ours stays open", async () => {
    const { transport, peer, listener, at } = await pair(kind, { sharedBuffer });
    peer.write("last");
    peer.end();
    await until(() => listener.events.includes("ended"));
    expect(listener.text).toBe("last");
    if (kind === "plain") {
      transport.write(bytes("answer"));
      await until(() => at() === "answer");
    }
    transport.end();
    await until(() => listener.events.includes("lost"));
  });
});

test.skipIf(runtime !== "node")("all connections are read into one buffer", async () => {
  const one = await pair("plain");
  const other = await pair("TLS");
  one.peer.write("one");
  other.peer.write("other");
  await until(() => one.listener.text === "one" && other.listener.text === "other");
  const [first, second] = [one.listener.chunks[0], other.listener.chunks[0]];
  expect(first?.buffer.byteLength).toBe(65_536);
  expect(first?.buffer).toBe(second?.buffer);
});

test("where Node's internals are not what they were, nothing is touched", () => {
  const without = (socket: object): boolean => readIntoSharedBuffer(socket as Socket, () => {});
  const useUserBuffer = vi.fn();
  expect(without({})).toBe(false);
  expect(without({ _handle: null })).toBe(false);
  expect(without({ _handle: { useUserBuffer } })).toBe(false);
  expect(without({ [Symbol("kBuffer")]: null, [Symbol("kBufferCb")]: null, _handle: {} })).toBe(false);
  expect(useUserBuffer).not.toHaveBeenCalled();
});

test("RFC 6120 §5.4.2.3: TLS begins after the last octet in the clear", async () => {
  const { transport, peer, listener } = await pair("plain", { paused: true });
  const sent = pattern(8_000_000);
  transport.write(sent);
  transport.write(bytes("<proceed/>"));
  transport.startTls(domain("capulet.example"));
  let text = "";
  while (!text.endsWith("<proceed/>")) {
    const chunk: Buffer | null = peer.read();
    if (chunk === null) await once(peer, "readable");
    else text += chunk.toString("latin1");
  }
  expect(text === `${sent}<proceed/>`).toBe(true);
  const secure: TLSSocket = connectTls({ socket: peer, rejectUnauthorized: false });
  await once(secure, "secureConnect");
  await until(() => listener.events.includes("secured"));
  expect(transport.security?.protocol).toBe("TLSv1.3");
  secure.write("hidden");
  await until(() => listener.text === "hidden");
  transport.write(bytes("as well"));
  const [answer] = (await once(secure, "data")) as [Buffer];
  expect(answer.toString()).toBe("as well");
  secure.destroy();
});
