import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { silentLog } from "../router/log.ts";
import { issue } from "./test-listen.ts";
import { isPublicAddress, WebPushHttpSender, type WebPushSenderOptions } from "./web-push-sender.ts";

const NAME = "push.browser.example";
const { certificate, key } = issue(NAME);

/** A browser: it has a key pair and a secret, and decrypts what arrives (RFC 8291 §3.4, RFC 8188 §2). */
const browser = () => {
  const pair = createECDH("prime256v1");
  const p256dh = pair.generateKeys("base64url");
  const auth = randomBytes(16);
  const decrypt = (body: Buffer): string => {
    const salt = body.subarray(0, 16);
    const sender = body.subarray(21, 21 + (body[20] ?? 0));
    const sealed = body.subarray(21 + sender.length);
    const info = Buffer.concat([Buffer.from("WebPush: info\0"), pair.getPublicKey(), sender]);
    const secret = Buffer.from(hkdfSync("sha256", pair.computeSecret(sender), auth, info, 32));
    const derive = (what: string, length: number): Buffer =>
      Buffer.from(hkdfSync("sha256", secret, salt, `Content-Encoding: ${what}\0`, length));
    const decipher = createDecipheriv("aes-128-gcm", derive("aes128gcm", 16), derive("nonce", 12));
    decipher.setAuthTag(sealed.subarray(-16));
    const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    return padded.subarray(0, padded.lastIndexOf(2)).toString("utf8");
  };
  return { keys: { p256dh, auth: auth.toString("base64url") }, decrypt };
};

interface Arrived {
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

/** The push service of a browser, and a sender that finds it under its name. */
const stage = async (
  respond: (response: ServerResponse, request: IncomingMessage) => void,
  options: Partial<WebPushSenderOptions> = {},
) => {
  const arrived: Arrived[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      arrived.push({ request, body: Buffer.concat(chunks) });
      respond(response, request);
    });
  });
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const asked: string[] = [];
  const sender = new WebPushHttpSender({
    log: silentLog,
    ports: [port],
    ca: certificate,
    isPublic: () => true,
    lookUp: (name, done) => {
      asked.push(name);
      done(null, [{ address: "127.0.0.1", family: 4 }]);
    },
    ...options,
  });
  const vapid = { ...sender.createKeys(), subject: "mailto:admin@attic.example" };
  return { sender, vapid, arrived, asked, port, endpoint: `https://${NAME}:${port}/s/1`, sockets };
};

const answers =
  (status: number, headers = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, headers).end("whatever");
  };

describe("RFC 8291, RFC 8292: what is sent", () => {
  test("is encrypted for the browser, signed for its push service, and kept there for as long as it takes", async () => {
    const { sender, vapid, arrived, endpoint, port } = await stage(answers(201));
    const { keys, decrypt } = browser();
    const told = JSON.stringify({ count: 3, body: "Möwen 🌹" });
    expect(await sender.send({ endpoint, ...keys }, told, vapid)).toBe("sent");
    const [{ request, body } = {} as Arrived] = arrived;
    expect(request.method).toBe("POST");
    expect(request.url).toBe("/s/1");
    expect(request.headers).toMatchObject({ "content-encoding": "aes128gcm", topic: "messages", ttl: "2419200" });
    expect(body.toString("latin1")).not.toContain("count");
    expect(decrypt(body)).toBe(told);
    const [, token = "", signer = ""] = /^vapid t=(.+), k=(.+)$/.exec(request.headers.authorization ?? "") ?? [];
    expect(signer).toBe(vapid.publicKey);
    const [head = "", claims = "", signature = ""] = token.split(".");
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({
      aud: `https://${NAME}:${port}`,
      sub: "mailto:admin@attic.example",
    });
    const point = Buffer.from(signer, "base64url");
    const verifier = createPublicKey({
      format: "jwk",
      key: {
        kty: "EC",
        crv: "P-256",
        x: point.subarray(1, 33).toString("base64url"),
        y: point.subarray(33).toString("base64url"),
      },
    });
    const signed = Buffer.from(`${head}.${claims}`);
    const isGood = verify(
      "sha256",
      signed,
      { key: verifier, dsaEncoding: "ieee-p1363" },
      Buffer.from(signature, "base64url"),
    );
    expect(isGood).toBe(true);
  });
});

describe("RFC 8030 §5, §7.3: what comes of it", () => {
  test.each([
    [200, "sent"],
    [201, "sent"],
    [202, "sent"],
    [403, "gone"],
    [404, "gone"],
    [410, "gone"],
    [400, "failed"],
    [413, "failed"],
    [429, "failed"],
    [500, "failed"],
    [503, "failed"],
  ] as const)("%i: %s", async (status, outcome) => {
    const { sender, vapid, endpoint } = await stage(answers(status));
    expect(await sender.send({ endpoint, ...browser().keys }, "{}", vapid)).toBe(outcome);
  });

  test("a redirection is not followed", async () => {
    const { sender, vapid, endpoint, arrived } = await stage(answers(307, { location: "https://127.0.0.1/" }));
    expect(await sender.send({ endpoint, ...browser().keys }, "{}", vapid)).toBe("failed");
    expect(arrived).toHaveLength(1);
  });

  test("of an answer without end nothing is read", async () => {
    const { sender, vapid, endpoint, sockets } = await stage((response) => {
      response.writeHead(201);
      response.write("x".repeat(65_536));
    });
    expect(await sender.send({ endpoint, ...browser().keys }, "{}", vapid)).toBe("sent");
    const [socket] = sockets;
    if (socket !== undefined && !socket.destroyed) await once(socket, "close");
  });

  test("one that does not answer is not waited for", async () => {
    const { sender, vapid, endpoint } = await stage(() => undefined, { timeoutMs: 100 });
    expect(await sender.send({ endpoint, ...browser().keys }, "{}", vapid)).toBe("failed");
  });

  test("one that hangs up", async () => {
    const { sender, vapid, endpoint } = await stage((_, request) => void request.socket.destroy());
    expect(await sender.send({ endpoint, ...browser().keys }, "{}", vapid)).toBe("failed");
  });

  test("no more than so many at once", async () => {
    const open: ServerResponse[] = [];
    const here = Promise.withResolvers<void>();
    const { sender, vapid, endpoint, arrived } = await stage(
      (response) => {
        open.push(response);
        here.resolve();
      },
      { concurrent: 1 },
    );
    const first = sender.send({ endpoint, ...browser().keys }, "{}", vapid);
    await here.promise;
    expect(await sender.send({ endpoint, ...browser().keys }, "{}", vapid)).toBe("failed");
    expect(arrived).toHaveLength(1);
    open[0]?.writeHead(201).end();
    expect(await first).toBe("sent");
  });

  test("keys that are no good", async () => {
    const { sender, vapid, endpoint, arrived } = await stage(answers(201));
    const off = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]).toString("base64url");
    expect(await sender.send({ endpoint, p256dh: off, auth: browser().keys.auth }, "{}", vapid)).toBe("failed");
    expect(arrived).toEqual([]);
  });
});

describe("where it sends", () => {
  const sender = new WebPushHttpSender({ log: silentLog });

  test.each([
    "https://push.browser.example/s/1",
    "https://push.browser.example:443/s/1?x=y",
    "https://fcm.googleapis.com/fcm/send/abc:def",
    "https://xn--mwe-sna.example/s",
  ])("to %s", (endpoint) => {
    expect(sender.accepts(endpoint)).toBe(true);
  });

  test.each([
    "http://push.browser.example/s/1",
    "https://push.browser.example:8443/s/1",
    "https://127.0.0.1/s",
    "https://2130706433/s",
    "https://0x7f.1/s",
    "https://[::1]/s",
    "https://[::ffff:127.0.0.1]/s",
    "https://localhost/s",
    "https://intranet/s",
    "https://user:secret@push.browser.example/s",
    "ftp://push.browser.example/s",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "//push.browser.example/s",
    "push.browser.example",
    "",
    `https://push.browser.example/${"x".repeat(2_048)}`,
  ])("never to %s", async (endpoint) => {
    expect(sender.accepts(endpoint)).toBe(false);
    const vapid = { ...sender.createKeys(), subject: "mailto:admin@attic.example" };
    expect(await sender.send({ endpoint, ...browser().keys }, "{}", vapid)).toBe("gone");
  });

  test.each([
    ["127.0.0.1"],
    ["10.1.2.3"],
    ["169.254.169.254"],
    ["192.168.1.1", "203.0.113.1"],
    ["8.8.8.8", "127.0.0.1"],
    ["::1"],
    ["fd00::1"],
    [],
  ])("not to a name that stands for %s", async (...addresses) => {
    const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    const {
      sender: guarded,
      vapid,
      endpoint,
      arrived,
    } = await stage(answers(201), {
      isPublic: isPublicAddress,
      lookUp: (_, done) => done(null, found),
    });
    expect(await guarded.send({ endpoint, ...browser().keys }, "{}", vapid)).toBe("failed");
    expect(arrived).toEqual([]);
  });

  test("not to a name that cannot be looked up", async () => {
    const {
      sender: guarded,
      vapid,
      endpoint,
    } = await stage(answers(201), {
      lookUp: (_, done) => done(new Error("no such name"), []),
    });
    expect(await guarded.send({ endpoint, ...browser().keys }, "{}", vapid)).toBe("failed");
  });

  test("not to somebody whose certificate is for another name", async () => {
    const { sender: guarded, vapid, endpoint, arrived } = await stage(answers(201));
    const elsewhere = endpoint.replace(NAME, "push.elsewhere.example");
    expect(await guarded.send({ endpoint: elsewhere, ...browser().keys }, "{}", vapid)).toBe("failed");
    expect(arrived).toEqual([]);
  });

  test("each name is looked up once for each request, so that what was judged is what is connected to", async () => {
    const { sender: guarded, vapid, endpoint, asked } = await stage(answers(201));
    for (let count = 0; count < 2; count++) await guarded.send({ endpoint, ...browser().keys }, "{}", vapid);
    expect(asked).toEqual([NAME, NAME]);
  });
});

describe("addresses of the public internet", () => {
  test.each(["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"])("%s", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
  test.each([
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
    "2001::1",
    "2001:db8::1",
    "fc00::1",
    "fe80::1",
    "ff02::1",
    "100::1",
    "nonsense",
    "",
  ])("not %s", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});
