import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Network } from "./network.ts";

/** A server that says back what it hears, and a client of it on the other side of the network. */
let server: Server;
let network: Network;
let isUp = true;
let accepted: PromiseWithResolvers<Socket>;

beforeEach(async () => {
  isUp = true;
  accepted = Promise.withResolvers();
  server = createServer((socket) => {
    socket.on("error", () => {}).on("data", (data) => socket.write(data));
    accepted.resolve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  network = await Network.open(() => (isUp ? (server.address() as AddressInfo).port : undefined));
});

afterEach(async () => {
  await network.close();
  server.close();
});

const join = async (): Promise<Socket> => {
  const client = connect({ port: network.port, host: "127.0.0.1" });
  client.on("error", () => {});
  await once(client, "connect");
  return client;
};
const echoed = async (client: Socket, text: string): Promise<string> => {
  client.write(text);
  let got = "";
  while (got.length < text.length) got += String((await once(client, "data"))[0]);
  return got;
};

describe("a network that is about to misbehave", () => {
  test("passes everything on while it does not", async () => {
    const client = await join();
    expect(await echoed(client, "hello")).toBe("hello");
    client.end();
    await once(client, "close");
  });

  test("lets nobody through where there is no server", async () => {
    isUp = false;
    const client = await join();
    client.resume();
    await once(client, "close");
    expect(network.links).toBe(0);
  });

  test("a cut ends both sides at once", async () => {
    const client = await join();
    await echoed(client, "hello");
    const far = await accepted.promise;
    const closed = [once(client, "close"), once(far, "close")];
    network.cut(0);
    await Promise.all(closed);
    expect(network.links).toBe(0);
  });

  test("or after so many bytes to the client, in the middle of what is being said", async () => {
    const client = await join();
    await echoed(client, "hello");
    network.cut(3);
    client.write("abcdef");
    let got = "";
    client.on("data", (data) => {
      got += String(data);
    });
    await once(client, "close");
    expect(got).toBe("abc");
  });

  test("what was stalled arrives later, whole", async () => {
    const client = await join();
    await echoed(client, "hello");
    network.stall(30);
    expect(await echoed(client, "later")).toBe("later");
  });

  test.each(["client", "server"] as const)(
    "half-open: where the %s has lost it the other end hears nothing",
    async (lost) => {
      const client = await join();
      await echoed(client, "hello");
      const far = await accepted.promise;
      const [losing, keeping] = lost === "client" ? [client, far] : [far, client];
      let hasHeard = false;
      for (const event of ["data", "end", "close"]) keeping.on(event, () => (hasHeard = true));
      const gone = once(losing, "close");
      losing.resume();
      network.halfOpen(lost);
      await gone;
      keeping.write("is anybody there?");
      const another = await join();
      await echoed(another, "somebody else is heard");
      expect([hasHeard, keeping.destroyed]).toEqual([false, false]);
      another.destroy();
    },
  );
});
