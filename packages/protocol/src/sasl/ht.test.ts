import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../test/node-crypto.ts";
import { SaslError } from "../errors.ts";
import type { Crypto } from "./crypto.ts";
import { utf8 } from "./crypto.ts";
import {
  chooseHt,
  HT_MECHANISM_NAMES,
  HT_MECHANISMS,
  type HtBindings,
  type HtMechanismName,
  type HtServerOptions,
  type HtToken,
  htClient,
  htServer,
  isHtMechanismName,
  usableHt,
} from "./ht.ts";

const BINDINGS: HtBindings = new Map([
  ["tls-exporter", Uint8Array.from({ length: 32 }, (_, at) => at)],
  ["tls-unique", Uint8Array.from({ length: 12 }, (_, at) => 200 - at)],
  ["tls-server-end-point", Uint8Array.from({ length: 32 }, (_, at) => 255 - at)],
]);
const condition = (is: string) => expect.objectContaining({ name: "SaslError", condition: is });
const TOKEN = "lantern-Ω-7";

interface Kept extends HtToken {
  readonly slot: string;
}
const kept = (token: string, slot = "current"): Kept => ({ token, slot });

interface Scene {
  readonly tokens?: readonly Kept[];
  readonly bindings?: HtBindings;
  readonly crypto?: Crypto;
  readonly accept?: (localpart: string, token: Kept) => void;
  readonly asked?: string[];
}
const serverOf = (name: HtMechanismName, scene: Scene = {}) => {
  const options: HtServerOptions<Kept> = {
    crypto: scene.crypto ?? nodeCrypto,
    bindings: scene.bindings ?? BINDINGS,
    tokens: (localpart) => {
      scene.asked?.push(localpart);
      return localpart === "lampwick" ? (scene.tokens ?? [kept(TOKEN)]) : [];
    },
    accept: (localpart, token) => scene.accept?.(localpart, token),
  };
  return htServer(name, options);
};
const clientOf = (name: HtMechanismName, token = TOKEN, username = "lampwick", bindings = BINDINGS) =>
  htClient(name, { crypto: nodeCrypto, bindings, username, token });

/** The draft's own words, by Node's library: HMAC(token, role || cb-data). */
const mac = (name: HtMechanismName, role: string, token = TOKEN): Buffer => {
  const { hash, binds } = HT_MECHANISMS[name];
  const data = binds === undefined ? new Uint8Array(0) : (BINDINGS.get(binds) as Uint8Array);
  return createHmac(hash.replace("-", "").toLowerCase(), Buffer.from(token, "utf8")).update(role).update(data).digest();
};
const message = (name: HtMechanismName, token = TOKEN, user = "lampwick"): Buffer =>
  Buffer.concat([Buffer.from(`${user}\0`), mac(name, "Initiator", token)]);

describe("names", () => {
  test("sasl-ht-09 §2: a name tells hash and channel binding", () => {
    expect(HT_MECHANISM_NAMES).toHaveLength(8);
    for (const name of HT_MECHANISM_NAMES) {
      const { hash, binds } = HT_MECHANISMS[name];
      const suffix = { "tls-exporter": "EXPR", "tls-unique": "UNIQ", "tls-server-end-point": "ENDP" };
      expect(name).toBe(`HT-${hash}-${binds === undefined ? "NONE" : suffix[binds]}`);
      expect(isHtMechanismName(name)).toBe(true);
    }
  });
  test.each(["", "HT-SHA-256", "HT-SHA-1-NONE", "ht-sha-256-none", "SCRAM-SHA-256", "__proto__", "toString"])(
    "sasl-ht-09 §2: %j is none of them",
    (name) => expect(isHtMechanismName(name)).toBe(false),
  );
  test("XEP-0484 §3.1: what a channel can be bound by decides what is offered, strongest first", () => {
    expect(usableHt(BINDINGS)).toEqual(["HT-SHA-256-EXPR", "HT-SHA-256-UNIQ", "HT-SHA-256-ENDP", "HT-SHA-256-NONE"]);
    expect(usableHt(new Map())).toEqual(["HT-SHA-256-NONE"]);
    expect(usableHt(new Map([["tls-server-end-point", new Uint8Array(32)]]), ["SHA-512"])).toEqual([
      "HT-SHA-512-ENDP",
      "HT-SHA-512-NONE",
    ]);
  });
  test("XEP-0484 §8: a client prefers channel binding, and takes what both know", () => {
    expect(chooseHt(["HT-SHA-256-NONE", "HT-SHA-256-ENDP", "HT-SHA-256-EXPR"], BINDINGS)).toBe("HT-SHA-256-EXPR");
    expect(chooseHt(["HT-SHA-256-NONE", "HT-SHA-512-EXPR"], new Map())).toBe("HT-SHA-256-NONE");
    expect(chooseHt(["HT-SHA3-512-NONE", "X"], BINDINGS)).toBeUndefined();
  });
});

describe.each(HT_MECHANISM_NAMES)("%s", (name) => {
  test("sasl-ht-09 §3: both messages are the HMAC of the role and the channel binding", async () => {
    expect(Buffer.from(await clientOf(name).initial())).toEqual(message(name));
    const step = await serverOf(name).start(message(name));
    expect(step).toEqual({
      is: "success",
      data: Uint8Array.from(mac(name, "Responder")),
      identity: { username: "lampwick", authzid: undefined },
    });
  });
  test("sasl-ht-09 §3.3: each side proves itself to the other", async () => {
    const client = clientOf(name);
    const step = await serverOf(name).start(await client.initial());
    if (step.is !== "success") throw new Error("no success");
    await client.success(step.data);
    expect(client.name).toBe(name);
  });
  test.each([
    ["nothing", undefined],
    ["no octets", new Uint8Array(0)],
    ["its own proof", mac(name, "Initiator")],
    ["the proof of another token", mac(name, "Responder", "another")],
    ["half a proof", mac(name, "Responder").subarray(1)],
  ])("sasl-ht-09 §3.3: a server that answers with %s is not believed", async (_, data) => {
    await expect(clientOf(name).success(data)).rejects.toThrow(condition("not-authorized"));
  });
  test("sasl-ht-09 §3.2: another token, another hash, another name fail", async () => {
    for (const wrong of [
      message(name, "another"),
      message(name).subarray(0, -1),
      Buffer.concat([message(name), Buffer.from([0])]),
      message(name, TOKEN, "pinocchio"),
      message(name, TOKEN, "lamp wick@"),
      message(HT_MECHANISM_NAMES.find((other) => other !== name) as HtMechanismName),
    ]) {
      await expect(serverOf(name).start(wrong)).rejects.toThrow(condition("not-authorized"));
    }
  });
  test("RFC 4422 §5: the message that did not come at once is asked for", async () => {
    const server = serverOf(name);
    expect(await server.start(undefined)).toEqual({ is: "challenge", data: new Uint8Array(0) });
    const client = clientOf(name);
    await expect(server.start(undefined)).rejects.toThrow(condition("malformed-request"));
    const step = await server.next(await client.challenge(new Uint8Array(0)));
    expect(step.is).toBe("success");
    await expect(server.next(message(name))).rejects.toThrow(condition("malformed-request"));
    await expect(client.challenge(utf8("more"))).rejects.toThrow(condition("malformed-request"));
  });
});

const NONE = "HT-SHA-256-NONE";

test("sasl-ht-09 §3: a vector computed elsewhere", async () => {
  // printf Initiator | openssl dgst -sha256 -hmac lantern; the same with Responder.
  const initiator = "d7f5184b16fb7c5f626f7f09c44820889cd0d902487b4526bb734dfa28b0e04d";
  const responder = "86d98033f978e8f82a6378a2fe8d0ecc4895dbaa9f52d96e31aa8784a688c041";
  const client = clientOf(NONE, "lantern");
  expect(Buffer.from(await client.initial()).toString("hex")).toBe(
    `${Buffer.from("lampwick\0").toString("hex")}${initiator}`,
  );
  await client.success(Uint8Array.from(Buffer.from(responder, "hex")));
});

test("sasl-ht-09 §3.2: any of the tokens proves it, and which one is told", async () => {
  const accepted: string[] = [];
  const scene: Scene = {
    tokens: [kept("new one", "new"), kept(TOKEN)],
    accept: (localpart, { slot }) => void accepted.push(`${localpart} ${slot}`),
  };
  await serverOf(NONE, scene).start(message(NONE));
  await serverOf(NONE, scene).start(message(NONE, "new one"));
  expect(accepted).toEqual(["lampwick current", "lampwick new"]);
});

test("XEP-0484 §4.2: a token that is proved may still be refused", async () => {
  const scene: Scene = {
    accept: () => {
      throw new SaslError("credentials-expired");
    },
  };
  await expect(serverOf(NONE, scene).start(message(NONE))).rejects.toThrow(condition("credentials-expired"));
  await expect(serverOf(NONE, scene).start(message(NONE, "x"))).rejects.toThrow(condition("not-authorized"));
});

test("sasl-ht-09 §6: every candidate is compared, in constant time, and one where there is none", async () => {
  const compared: number[] = [];
  const crypto: Crypto = {
    ...nodeCrypto,
    timingSafeEqual: (a, b) => {
      compared.push(a.length);
      return nodeCrypto.timingSafeEqual(a, b);
    },
  };
  const scene: Scene = { crypto, tokens: [kept(TOKEN, "new"), kept("another"), kept(TOKEN)] };
  await serverOf(NONE, scene).start(message(NONE));
  expect(compared.splice(0)).toEqual([32, 32, 32]);
  await expect(serverOf(NONE, { crypto }).start(message(NONE, TOKEN, "nobody"))).rejects.toThrow(
    condition("not-authorized"),
  );
  expect(compared.splice(0)).toEqual([32]);
  await expect(serverOf(NONE, { crypto }).start(message(NONE, "nobody's token", "nobody"))).rejects.toThrow(
    condition("not-authorized"),
  );
});

test.each([
  ["nothing", ""],
  ["no name", "\0hash"],
  ["no hash", "lampwick\0"],
  ["no separator", "lampwick"],
  ["a name that is not UTF-8", new Uint8Array([0xff, 0, 1])],
])("sasl-ht-09 §3.1: %s is malformed", async (_, bad) => {
  const asked: string[] = [];
  const octets = typeof bad === "string" ? utf8(bad) : bad;
  await expect(serverOf(NONE, { asked }).start(octets)).rejects.toThrow(condition("malformed-request"));
  expect(asked).toEqual([]);
});

test("sasl-ht-09 §3.1: the name is prepared as a localpart (RFC 7622 §3.3)", async () => {
  const asked: string[] = [];
  await serverOf(NONE, { asked }).start(message(NONE, TOKEN, "LampWick"));
  expect(asked).toEqual(["lampwick"]);
});

test("sasl-ht-09 §2: without the channel binding it names, a mechanism cannot be used", async () => {
  const bindings: HtBindings = new Map();
  await expect(serverOf("HT-SHA-256-EXPR", { bindings }).start(message(NONE))).rejects.toThrow(
    condition("malformed-request"),
  );
  expect(() => clientOf("HT-SHA-256-ENDP", TOKEN, "lampwick", bindings)).toThrow(condition("malformed-request"));
});

test("sasl-ht-09 §5: a channel that somebody joined in the middle is found out", async () => {
  const theirs: HtBindings = new Map([["tls-exporter", new Uint8Array(32)]]);
  const initial = await clientOf("HT-SHA-256-EXPR", TOKEN, "lampwick", theirs).initial();
  await expect(serverOf("HT-SHA-256-EXPR").start(initial)).rejects.toThrow(condition("not-authorized"));
});

test.each(["", "lamp\0wick"])("sasl-ht-09 §3.1: %j cannot be sent as a name", (username) => {
  expect(() => clientOf(NONE, TOKEN, username)).toThrow(condition("malformed-request"));
});

test("sasl-ht-09 §3: whatever is sent, nothing but SaslError is thrown", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (octets) => {
      await expect(serverOf(NONE).start(octets)).rejects.toBeInstanceOf(SaslError);
    }),
  );
});
