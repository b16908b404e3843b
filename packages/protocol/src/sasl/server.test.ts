import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../test/node-crypto.ts";
import {
  backendOf,
  clientOf,
  exchange,
  FULL_OFFER,
  offerOf,
  serverOf,
  TLS,
  type WaitedFor,
} from "../../test/sasl-scene.ts";
import { SaslError } from "../errors.ts";
import { encodeBase64 } from "./base64.ts";
import { concat, textOfUtf8, utf8 } from "./crypto.ts";
import { MECHANISM_NAMES, type MechanismName } from "./mechanisms.ts";
import type { ServerBackend, ServerOptions } from "./roles.ts";

const backend = backendOf({ lampwick: "oil", öl: "wick" });
const condition = (is: string) => expect.objectContaining({ name: "SaslError", condition: is });
const none = new Uint8Array(0);

const start = (
  name: MechanismName,
  message: string | Uint8Array,
  options: Partial<ServerOptions> = {},
  over: Partial<ServerBackend> = {},
) => serverOf(name, { ...backend, ...over }, options).start(typeof message === "string" ? utf8(message) : message);

describe("beginning", () => {
  test.each(["", "X-UNKNOWN", "DIGEST-MD5", "scram-sha-1", "SCRAM-SHA-1 ", "__proto__", "toString"])(
    "RFC 6120 §6.5.7: %j is an invalid mechanism",
    (name) => {
      expect(() => serverOf(name, backend, { offer: offerOf(name) })).toThrow(condition("invalid-mechanism"));
    },
  );

  test.each(MECHANISM_NAMES)("RFC 6120 §6.5.7: %s is invalid where it was not offered", (name) => {
    expect(() => serverOf(name, backend, { offer: offerOf("X") })).toThrow(condition("invalid-mechanism"));
    expect(serverOf(name, backend, { offer: offerOf(name) }).name).toBe(name);
  });

  test("RFC 6120 §6.5.4: PLAIN that only lacks TLS is told so", () => {
    expect(() => serverOf("PLAIN", backend, { offer: offerOf("SCRAM-SHA-1"), secure: false })).toThrow(
      condition("encryption-required"),
    );
    expect(() => serverOf("SCRAM-SHA-1", backend, { offer: offerOf("X"), secure: false })).toThrow(
      condition("invalid-mechanism"),
    );
  });

  test.each(MECHANISM_NAMES)("RFC 4422 §5: %s asks for the message that did not come", async (name) => {
    const server = serverOf(name, backend);
    expect(await server.start(undefined)).toEqual({ is: "challenge", data: none });
    await expect(server.start(none)).rejects.toThrow(condition("malformed-request"));
  });

  test.each(MECHANISM_NAMES)("RFC 4422 §3.4: %s takes no response it did not ask for", async (name) => {
    await expect(serverOf(name, backend).next(none)).rejects.toThrow(condition("malformed-request"));
    const server = serverOf(name, backend);
    await server.start(await clientOf(name, { username: "lampwick", password: "oil" }).initial());
    await expect(server.start(none)).rejects.toThrow(condition("malformed-request"));
    await expect(server.next(none)).rejects.toThrow(condition("malformed-request"));
    await expect(server.next(none)).rejects.toThrow(condition("malformed-request"));
  });

  test.each(MECHANISM_NAMES)("RFC 6120 §6.5: what the back end throws ends %s as it is", async (name) => {
    const disabled = () => {
      throw new SaslError("account-disabled", "call the lamplighter");
    };
    const broken: ServerBackend = {
      scramKeys: disabled,
      verifyPassword: disabled,
      authorize: disabled,
      external: disabled,
      anonymous: disabled,
    };
    const client = clientOf(name, { username: "lampwick", password: "oil" });
    await expect(exchange(client, serverOf(name, broken))).rejects.toThrow(condition("account-disabled"));
  });
});

describe("PLAIN", () => {
  test.each([
    ["\0lampwick\0oil", "lampwick", undefined],
    ["\0LampWick\0oil", "lampwick", undefined],
    ["\0o\u0308L\0wick", "öl", undefined],
    ["lampwick@scene.example\0lampwick\0oil", "lampwick", "lampwick@scene.example"],
  ])("RFC 4616 §2: %j is the prepared %j acting as %j", async (message, username, authzid) => {
    expect(await start("PLAIN", message)).toEqual({ is: "success", identity: { username, authzid } });
  });

  test.each([
    "",
    "lampwick",
    "\0",
    "\0\0",
    "\0lampwick",
    "\0lampwick\0",
    "\0\0oil",
    "a\0lampwick",
    "\0lampwick\0oil\0",
    "\0a\0b\0c",
  ])("RFC 4616 §2: %j is malformed", async (message) => {
    await expect(start("PLAIN", message)).rejects.toThrow(condition("malformed-request"));
  });

  test("RFC 4616 §2: what is not UTF-8 is malformed", async () => {
    for (const octets of [
      [0, 0x61, 0, 0xff],
      [0, 0xc0, 0x80, 0, 0x61],
      [0, 0x61, 0, 0xed, 0xa0, 0x80],
    ]) {
      await expect(start("PLAIN", Uint8Array.from(octets))).rejects.toThrow(condition("malformed-request"));
    }
  });

  test.each([
    "\0lampwick\0Oil",
    "\0nobody\0oil",
    "\0lamp wick\0oil",
    "\0lampwick@scene.example\0oil",
    "\0lampwick\0oil\u00a0",
    "\0lampwick\0\u00ad",
  ])("RFC 6120 §6.5.10: %j is not-authorized", async (message) => {
    await expect(start("PLAIN", message)).rejects.toThrow(condition("not-authorized"));
  });
});

describe("EXTERNAL", () => {
  test("RFC 4422 Appendix A: with and without an authorization identity", async () => {
    expect(await start("EXTERNAL", "")).toEqual({
      is: "success",
      identity: { username: "external", authzid: undefined },
    });
    const authzid = "external@scene.example";
    expect(await start("EXTERNAL", authzid)).toEqual({ is: "success", identity: { username: "external", authzid } });
  });

  test("RFC 6120 §6.5.6: somebody else's identity is invalid-authzid; no identity at all is not-authorized", async () => {
    await expect(start("EXTERNAL", "lampwick@scene.example")).rejects.toThrow(condition("invalid-authzid"));
    await expect(start("EXTERNAL", "", {}, { external: () => undefined })).rejects.toThrow(condition("not-authorized"));
  });

  test("RFC 4422 Appendix A.1: NUL and bad UTF-8 are malformed", async () => {
    for (const message of ["a\0b", "\0", Uint8Array.of(0xff)]) {
      await expect(start("EXTERNAL", message)).rejects.toThrow(condition("malformed-request"));
    }
  });
});

describe("ANONYMOUS", () => {
  test.each(["", "trace", "lampwick@scene.example", "ö".repeat(255), "🏮".repeat(255)])(
    "RFC 4505 §2: %j is trace information",
    async (trace) => {
      expect(await start("ANONYMOUS", trace)).toEqual({
        is: "success",
        identity: { username: "temporary-1", authzid: undefined },
      });
    },
  );

  test.each(["a\0", "a\nb", "a".repeat(256), "🏮".repeat(256), Uint8Array.of(0xc3)])(
    "RFC 6120 §6.5.8: %j is malformed",
    async (trace) => {
      await expect(start("ANONYMOUS", trace)).rejects.toThrow(condition("malformed-request"));
    },
  );
});

describe("SCRAM, first message", () => {
  const plain = (message: string | Uint8Array, options: Partial<ServerOptions> = {}) =>
    start("SCRAM-SHA-256", message, options);
  const textOf = async (step: ReturnType<typeof start>) => {
    const { is, data = none } = await step;
    expect(is).toBe("challenge");
    return textOfUtf8(data);
  };

  test("RFC 5802 §5.1: nonce, salt, count, and the hash of XEP-0474", async () => {
    expect(await textOf(plain("n,,n=lampwick,r=abc"))).toMatch(
      /^r=abc[A-Za-z0-9+/]{24},s=AAcOFRwjKjE4P0ZNVFtiaQ==,i=4096,h=[A-Za-z0-9+/]{43}=$/,
    );
  });

  test.each([
    "n,,n=lampwick,r=abc,x=unknown",
    "n,,n=lampwick,r=abc,x=1,y=2=3",
    "n,a=lampwick@scene.example,n=lampwick,r=abc",
    "n,,n=LAMPWICK,r=!~-+abc",
    "n,,n=nobody,r=abc",
    "n,,n=a=2Cb=3Dc,r=abc",
    "n,,n=öl,r=abc",
  ])("RFC 5802 §7: %j follows the grammar", async (message) => {
    expect(await textOf(plain(message))).toContain(",i=4096");
  });

  test.each([
    "",
    "n",
    "n,",
    "n,,",
    "n,,n=lampwick",
    "n,,r=abc",
    "n,,n=,r=abc",
    "n,,n=lampwick,r=",
    "n,,n=lampwick,r=a b",
    "n,,n=lampwick,r=ä",
    "n,,r=abc,n=lampwick",
    "N,,n=lampwick,r=abc",
    "x,,n=lampwick,r=abc",
    "n,n=lampwick,r=abc",
    "n,,,n=lampwick,r=abc",
    ",,n=lampwick,r=abc",
    "n,a=,n=lampwick,r=abc",
    "n,b=x,n=lampwick,r=abc",
    "n,a=a=2cb,n=lampwick,r=abc",
    "p,,n=lampwick,r=abc",
    "p=,,n=lampwick,r=abc",
    "n,,n=lampwick,r=abc,",
    "n,,n=lampwick,r=abc,x",
    "n,,n=lampwick,r=abc,x=",
    "n,,n=lampwick,r=abc,1=x",
    "n,,n=lampwick,r=abc\n",
    " n,,n=lampwick,r=abc",
    "n,,n=lamp=wick,r=abc",
    "n,,n=lamp=2cwick,r=abc",
    "n,,n=lamp=,r=abc",
    "n,,n=lamp\0wick,r=abc",
    "n,,n=lamp,wick,r=abc",
    "n,,n=lampwick,r=abc,x=a\0b",
    "n,,m=ext,n=lampwick,r=abc",
    "n,,n=lampwick,r=abc,m=ext",
    "n,,m=ext",
    "y,,m=,n=lampwick,r=abc",
  ])("RFC 5802 §5.1, §7: %j is malformed", async (message) => {
    await expect(plain(message)).rejects.toThrow(condition("malformed-request"));
  });

  test("RFC 5802 §5.1: an extension that must be understood is refused by name", async () => {
    await expect(plain("n,,m=ext,n=lampwick,r=abc")).rejects.toThrow("extensions-not-supported");
  });

  test("RFC 5802 §5.1: a name that cannot be a localpart is not-authorized", async () => {
    for (const name of ["lamp wick", "lampwick@scene.example", "🏮", "a\u202e", "x".repeat(1024)]) {
      await expect(plain(`n,,n=${name},r=abc`)).rejects.toThrow(condition("not-authorized"));
    }
  });

  test("RFC 5802 §6: the flag has to fit the mechanism", async () => {
    await expect(plain("p=tls-exporter,,n=lampwick,r=abc")).rejects.toThrow(condition("malformed-request"));
    for (const flag of ["n", "y"]) {
      await expect(start("SCRAM-SHA-256-PLUS", `${flag},,n=lampwick,r=abc`)).rejects.toThrow(
        condition("malformed-request"),
      );
    }
  });

  test("RFC 5802 §6: a client that saw no offer of channel binding, though there was one, has been deceived", async () => {
    await expect(plain("y,,n=lampwick,r=abc")).rejects.toThrow(condition("not-authorized"));
    expect(await textOf(plain("y,,n=lampwick,r=abc", { offer: offerOf("SCRAM-SHA-256") }))).toContain("r=abc");
    expect(await textOf(plain("n,,n=lampwick,r=abc"))).toContain("r=abc");
  });

  test("RFC 5802 §6: a channel binding type that is not there", async () => {
    for (const type of ["tls-unique", "TLS-EXPORTER", "toString", "x.y-z"]) {
      await expect(start("SCRAM-SHA-1-PLUS", `p=${type},,n=lampwick,r=abc`)).rejects.toThrow(
        condition("malformed-request"),
      );
    }
    const only = new Map([...TLS].slice(1));
    await expect(
      start("SCRAM-SHA-1-PLUS", "p=tls-exporter,,n=lampwick,r=abc", { channelBindings: only }),
    ).rejects.toThrow(condition("malformed-request"));
    expect(await textOf(start("SCRAM-SHA-1-PLUS", "p=tls-server-end-point,,n=lampwick,r=abc"))).toContain("r=abc");
  });

  test("RFC 6120 §6.5.10: an account that does not exist looks like one that does", async () => {
    const shape = async (name: string) => (await textOf(plain(`n,,n=${name},r=abc`)))?.replace(/^r=[^,]*/, "");
    expect(await shape("nobody")).toBe(await shape("lampwick"));
  });
});

describe("SCRAM, final message", () => {
  /** What the server says to a final message that `change` made of the right one. */
  const finish = async (change: (message: string) => string | Uint8Array, name: MechanismName = "SCRAM-SHA-1") => {
    let server: WaitedFor | undefined = serverOf(name, backend);
    const client = clientOf(name, { username: "lampwick", password: "oil" });
    const first = await server.start(await client.initial());
    const message = textOfUtf8(await client.challenge(first.data ?? none)) ?? "";
    const changed = change(message);
    const answer = server.next(typeof changed === "string" ? utf8(changed) : changed);
    await answer.catch(() => undefined);
    await expect(server.next(utf8(message))).rejects.toThrow(condition("malformed-request"));
    server = undefined;
    return answer;
  };

  test("RFC 5802 §5.1: the right one, with its signature", async () => {
    const step = await finish((message) => message);
    expect(step).toMatchObject({ is: "success", identity: { username: "lampwick", authzid: undefined } });
    expect(textOfUtf8(step.data ?? none)).toMatch(/^v=[A-Za-z0-9+/]{27}=$/);
  });

  test.each([
    ["nothing", () => ""],
    ["bad UTF-8", () => Uint8Array.of(0x63, 0x3d, 0xff)],
    ["no proof", (message: string) => message.replace(/,p=.*/, "")],
    ["an empty proof", (message: string) => message.replace(/,p=.*/, ",p=")],
    ["a proof that is not base 64", (message: string) => message.replace(/=$/, "")],
    ["something after the proof", (message: string) => `${message},x=1`],
    ["the attributes in another order", (message: string) => message.replace(/^(c=[^,]*),(r=[^,]*)/, "$2,$1")],
    ["a binding that is not base 64", (message: string) => message.replace("c=biws", "c=biw")],
    ["no binding", (message: string) => message.replace("c=biws,", "")],
    ["an extension that must be understood", (message: string) => message.replace(",p=", ",m=1,p=")],
  ])("RFC 5802 §7: %s is malformed", async (_, change) => {
    await expect(finish(change)).rejects.toThrow(condition("malformed-request"));
  });

  test.each([
    ["the nonce cut short", (message: string) => message.replace(/(r=[^,]*)[^,]/, "$1")],
    ["the client's nonce alone", (message: string) => message.replace(/r=([^,]{24})[^,]*/, "r=$1")],
    ["a nonce with more", (message: string) => message.replace(/(r=[^,]*)/, "$1x")],
    ["another binding", (message: string) => message.replace("c=biws", `c=${encodeBase64(utf8("y,,"))}`)],
    ["a binding with data", (message: string) => message.replace("c=biws", `c=${encodeBase64(utf8("n,,data"))}`)],
    [
      "an authorization identity put in",
      (message: string) => message.replace("c=biws", `c=${encodeBase64(utf8("n,a=x,"))}`),
    ],
    ["an extension that was not signed", (message: string) => message.replace(",p=", ",x=1,p=")],
    ["a proof that is too short", (message: string) => message.replace(/p=.*/, "p=AAAA")],
    ["a proof that is too long", (message: string) => message.replace(/p=.*/, `p=${encodeBase64(new Uint8Array(64))}`)],
    ["a proof of zeros", (message: string) => message.replace(/p=.*/, `p=${encodeBase64(new Uint8Array(20))}`)],
  ])("RFC 5802 §5.1: %s is not-authorized", async (_, change) => {
    await expect(finish(change)).rejects.toThrow(condition("not-authorized"));
  });

  test("RFC 5802 §6: another channel is not-authorized", async () => {
    const header = utf8("p=tls-exporter,,");
    for (const data of [
      none,
      new Uint8Array(32),
      TLS.get("tls-server-end-point") ?? none,
      (TLS.get("tls-exporter") ?? none).slice(1),
    ]) {
      const change = (message: string) => message.replace(/^c=[^,]*/, `c=${encodeBase64(concat(header, data))}`);
      await expect(finish(change, "SCRAM-SHA-1-PLUS")).rejects.toThrow(condition("not-authorized"));
    }
    const elsewhere = new Map([...TLS].map(([type, data]) => [type, data.map((octet) => octet ^ 1)] as const));
    const client = clientOf("SCRAM-SHA-512-PLUS", { username: "lampwick", password: "oil" });
    const server = serverOf("SCRAM-SHA-512-PLUS", backend, { channelBindings: elsewhere });
    await expect(exchange(client, server)).rejects.toThrow(condition("not-authorized"));
  });

  test("RFC 5802 §5.1: the proof is compared in constant time", async () => {
    const compared: number[] = [];
    const crypto = {
      ...nodeCrypto,
      timingSafeEqual: (a: Uint8Array, b: Uint8Array) => {
        compared.push(a.length);
        return nodeCrypto.timingSafeEqual(a, b);
      },
    };
    await exchange(
      clientOf("SCRAM-SHA-256", { username: "lampwick", password: "oil" }),
      serverOf("SCRAM-SHA-256", backend, { crypto }),
    );
    expect(compared).toContain(32);
  });
});

describe("fuzzed messages", () => {
  const pieces = fc.constantFrom(
    "n",
    "y",
    "p=",
    "p=tls-exporter",
    ",",
    ",,",
    "a=",
    "n=",
    "r=",
    "c=",
    "p=",
    "m=",
    "s=",
    "i=",
    "v=",
    "e=",
    "biws",
    "lampwick",
    "oil",
    "=2C",
    "=3D",
    "=",
    "\0",
    "ö",
    "AAAA",
  );
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.array(pieces, { maxLength: 12 }).map((parts) => utf8(parts.join(""))),
    fc.string({ unit: "binary" }).map(utf8),
    fc.string({ unit: "binary" }).map((text) => utf8(`n,,n=${text},r=${text}`)),
  );

  test.each(MECHANISM_NAMES)("RFC 4422 §6: %s throws nothing but SaslError", async (name) => {
    const quick: ServerBackend = { ...backend, verifyPassword: (localpart, password) => localpart === password };
    await fc.assert(
      fc.asyncProperty(
        fc.option(message, { nil: undefined }),
        fc.array(message, { maxLength: 3 }),
        async (initial, responses) => {
          const server = serverOf(name, quick, { offer: FULL_OFFER });
          try {
            await server.start(initial);
            for (const response of responses) await server.next(response);
          } catch (error) {
            expect(error).toBeInstanceOf(SaslError);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("RFC 5802 §7: long messages are read in time that grows with their length", async () => {
    const long = 200_000;
    for (const text of [
      `n,,n=${"=2C".repeat(long)}`,
      `n,,n=a,r=b${",x=1".repeat(long)},`,
      `n,a=${"a".repeat(long)}\0`,
      `n,,n=a,r=${"r=".repeat(long)} `,
    ]) {
      await expect(start("SCRAM-SHA-1", text)).rejects.toThrow(condition("malformed-request"));
    }
  });
});
