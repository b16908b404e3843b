import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../test/node-crypto.ts";
import { backendOf, clientOf, exchange, FULL_OFFER, offerOf, serverOf, TLS } from "../../test/sasl-scene.ts";
import { SaslError } from "../errors.ts";
import { encodeBase64 } from "./base64.ts";
import { type ChannelBindings, NO_CHANNEL_BINDINGS } from "./channel-binding.ts";
import { type ClientPolicy, chooseMechanism, clientMechanism } from "./client.ts";
import { textOfUtf8, utf8 } from "./crypto.ts";
import { MECHANISM_NAMES, type MechanismName, type Offer } from "./mechanisms.ts";
import type { ClientOptions } from "./roles.ts";
import { downgradeHash } from "./xep0474-downgrade.ts";

const condition = (is: string) => expect.objectContaining({ name: "SaslError", condition: is });
const EXPORTER: ChannelBindings = new Map([["tls-exporter", TLS.get("tls-exporter") ?? new Uint8Array(0)]]);
const END_POINT: ChannelBindings = new Map([
  ["tls-server-end-point", TLS.get("tls-server-end-point") ?? new Uint8Array(0)],
]);
const none = new Uint8Array(0);

const choose = (offer: Offer, policy: Partial<ClientPolicy> = {}) =>
  chooseMechanism(offer, { secure: true, channelBindings: TLS, password: true, ...policy });
const nameOf = (offer: Offer, policy: Partial<ClientPolicy> = {}) => choose(offer, policy)?.name;

describe("choosing a mechanism", () => {
  test("RFC 6120 §6.3.3: the client's own order counts, not the server's", () => {
    expect(nameOf(offerOf("PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"))).toBe("SCRAM-SHA-256");
    expect(nameOf(offerOf("SCRAM-SHA-512", "SCRAM-SHA-1-PLUS"))).toBe("SCRAM-SHA-1-PLUS");
    expect(nameOf(FULL_OFFER)).toBe("SCRAM-SHA-512-PLUS");
    expect(nameOf(FULL_OFFER, { external: true })).toBe("EXTERNAL");
  });

  test("RFC 6120 §6.3.3: none that both know, none for which there are credentials", () => {
    expect(nameOf(offerOf("X-OAUTH2", "DIGEST-MD5"))).toBeUndefined();
    expect(nameOf({ mechanisms: [], channelBindings: [] })).toBeUndefined();
    expect(nameOf(FULL_OFFER, { password: false })).toBeUndefined();
    expect(nameOf(FULL_OFFER, { password: false, anonymous: true })).toBe("ANONYMOUS");
    expect(nameOf(FULL_OFFER, { password: false, keys: true })).toBe("SCRAM-SHA-512-PLUS");
    expect(nameOf(offerOf("PLAIN"), { password: false, keys: true })).toBeUndefined();
    expect(nameOf(offerOf("EXTERNAL"), { external: true, secure: false })).toBeUndefined();
  });

  test("RFC 6120 §13.8.3: PLAIN last of all, and only where it is safe or allowed", () => {
    expect(nameOf(offerOf("PLAIN"))).toBe("PLAIN");
    expect(nameOf(offerOf("PLAIN"), { secure: false })).toBeUndefined();
    expect(nameOf(offerOf("PLAIN"), { secure: false, plain: "always" })).toBe("PLAIN");
    expect(nameOf(offerOf("PLAIN"), { plain: "never" })).toBeUndefined();
    expect(nameOf(offerOf("PLAIN", "SCRAM-SHA-1"))).toBe("SCRAM-SHA-1");
  });

  test("XEP-0474 §6: never PLAIN after SCRAM or EXTERNAL", () => {
    for (const previous of ["SCRAM-SHA-1", "SCRAM-SHA-512-PLUS", "EXTERNAL"] as const)
      expect(nameOf(offerOf("PLAIN"), { previous })).toBeUndefined();
    for (const previous of ["PLAIN", "ANONYMOUS"] as const)
      expect(nameOf(offerOf("PLAIN"), { previous })).toBe("PLAIN");
    expect(nameOf(offerOf("SCRAM-SHA-1"), { previous: "SCRAM-SHA-512" })).toBe("SCRAM-SHA-1");
  });
});

describe("channel binding", () => {
  const bindingOf = (offer: Offer, channelBindings: ChannelBindings) => {
    const { name, binding } = choose(offer, { channelBindings }) ?? {};
    return [name, binding?.is === "p" ? binding.type : binding?.is];
  };
  const plus = (...channelBindings: readonly string[]): Offer => ({
    mechanisms: ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"],
    channelBindings,
  });

  test("XEP-0440 §3, rule 2: a client without channel binding says n", () => {
    expect(bindingOf(plus("tls-exporter"), NO_CHANNEL_BINDINGS)).toEqual(["SCRAM-SHA-1", "n"]);
    expect(bindingOf(offerOf("SCRAM-SHA-1"), NO_CHANNEL_BINDINGS)).toEqual(["SCRAM-SHA-1", "n"]);
    expect(bindingOf({ mechanisms: ["SCRAM-SHA-1"], channelBindings: ["tls-exporter"] }, NO_CHANNEL_BINDINGS)).toEqual([
      "SCRAM-SHA-1",
      "n",
    ]);
  });

  test("XEP-0440 §3, rule 3: a client with it that sees no offer of it says y", () => {
    expect(bindingOf(offerOf("SCRAM-SHA-1"), TLS)).toEqual(["SCRAM-SHA-1", "y"]);
  });

  test("XEP-0440 §3, rule 4: without announced types, tls-server-end-point is tried", () => {
    expect(bindingOf(plus(), TLS)).toEqual(["SCRAM-SHA-1-PLUS", "tls-server-end-point"]);
    expect(bindingOf(plus(), EXPORTER)).toEqual(["SCRAM-SHA-1", "n"]);
  });

  test("XEP-0440 §3, rule 5: types without mechanisms are the work of somebody between", () => {
    expect(() => choose({ mechanisms: ["SCRAM-SHA-1"], channelBindings: ["tls-exporter"] })).toThrow(
      condition("mechanism-too-weak"),
    );
  });

  test("XEP-0440 §3, rules 6 and 7: the strongest type that both know", () => {
    expect(bindingOf(plus("tls-server-end-point", "tls-exporter"), TLS)).toEqual(["SCRAM-SHA-1-PLUS", "tls-exporter"]);
    expect(bindingOf(plus("tls-server-end-point", "tls-exporter"), END_POINT)).toEqual([
      "SCRAM-SHA-1-PLUS",
      "tls-server-end-point",
    ]);
    expect(bindingOf(plus("tls-server-end-point"), TLS)).toEqual(["SCRAM-SHA-1-PLUS", "tls-server-end-point"]);
    expect(bindingOf(plus("tls-server-end-point"), EXPORTER)).toEqual(["SCRAM-SHA-1", "n"]);
  });

  test("XEP-0474 §6, new rule 6: no type in common, not even tls-server-end-point", () => {
    expect(bindingOf(plus("tls-unique"), TLS)).toEqual(["SCRAM-SHA-1", "n-if-protected"]);
  });

  test("XEP-0440 §3: a mechanism that does not bind, beside others that do but are not known, says n", () => {
    expect(
      bindingOf({ mechanisms: ["SCRAM-SHA3-512-PLUS", "SCRAM-SHA-1"], channelBindings: ["tls-exporter"] }, TLS),
    ).toEqual(["SCRAM-SHA-1", "n"]);
  });

  test.each([
    ["everything", FULL_OFFER, TLS, TLS],
    ["one type in common", { ...FULL_OFFER, channelBindings: ["tls-server-end-point"] }, TLS, END_POINT],
    ["no type in common", { ...FULL_OFFER, channelBindings: ["tls-unique"] }, TLS, TLS],
    ["no channel binding at all", offerOf("SCRAM-SHA-1", "PLAIN"), TLS, NO_CHANNEL_BINDINGS],
    ["a client without channel binding", FULL_OFFER, NO_CHANNEL_BINDINGS, TLS],
    ["PLAIN", offerOf("PLAIN"), TLS, TLS],
  ] as const)("RFC 6120 §6.4: what is chosen works: %s", async (_, offer, clients, servers) => {
    const choice = choose(offer, { channelBindings: clients });
    if (choice === undefined) throw new Error("nothing was chosen");
    const client = clientMechanism(choice, {
      crypto: nodeCrypto,
      credentials: { username: "lampwick", password: "oil" },
      offer,
      channelBindings: clients,
    });
    const server = serverOf(choice.name, backendOf({ lampwick: "oil" }), { offer, channelBindings: servers });
    expect((await exchange(client, server)).username).toBe("lampwick");
  });
});

describe("SCRAM", () => {
  const begin = async (options: Partial<ClientOptions> = {}, name: MechanismName = "SCRAM-SHA-1") => {
    const client = clientOf(name, { username: "lampwick", password: "oil" }, options);
    const initial = textOfUtf8(await client.initial()) ?? "";
    return { client, initial, nonce: /r=([^,]*)$/.exec(initial)?.[1] ?? "" };
  };
  const challenge = async (make: (nonce: string) => string | Uint8Array, options: Partial<ClientOptions> = {}) => {
    const { client, nonce } = await begin(options);
    const message = make(nonce);
    return client.challenge(typeof message === "string" ? utf8(message) : message);
  };
  const SALT = "QSXCR+Q6sek8bf92";

  test.each([
    ["lampwick", "lampwick"],
    ["a,b=c", "a=2Cb=3Dc"],
    ["=2C", "=3D2C"],
    ["o\u0308l", "öl"],
    ["lamp\u00adwick", "lampwick"],
  ])("RFC 5802 §5.1: the name %j is sent as %j", async (username, sent) => {
    const initial = textOfUtf8(await clientOf("SCRAM-SHA-1", { username, password: "oil" }).initial());
    expect(initial).toMatch(/^n,,n=[^,]*,r=[A-Za-z0-9+/]{24}$/);
    expect(initial).toContain(`n,,n=${sent},r=`);
  });

  test("RFC 5802 §5.1: GS2 header of each kind of binding, with and without authorization identity", async () => {
    const header = async (name: MechanismName, authzid?: string) => {
      const credentials = { username: "lampwick", password: "oil", ...(authzid === undefined ? {} : { authzid }) };
      return textOfUtf8(await clientOf(name, credentials).initial())?.replace(/n=lampwick.*/, "");
    };
    expect(await header("SCRAM-SHA-1")).toBe("n,,");
    expect(await header("SCRAM-SHA-1-PLUS")).toBe("p=tls-exporter,,");
    expect(await header("SCRAM-SHA-1", "a,b@scene.example")).toBe("n,a=a=2Cb@scene.example,");
  });

  test("RFC 5802 §2.2: a name that SASLprep leaves empty or refuses cannot be sent", async () => {
    for (const username of ["", "\u00ad", "a\0b", "\u202e"]) {
      await expect(clientOf("SCRAM-SHA-1", { username, password: "oil" }).initial()).rejects.toThrow(
        condition("not-authorized"),
      );
    }
  });

  test("RFC 5802 §2.2: a password that SASLprep refuses cannot be used", async () => {
    for (const password of ["", "\x07"]) {
      const client = clientOf("SCRAM-SHA-1", { username: "lampwick", password });
      const nonce = /r=(.*)$/.exec(textOfUtf8(await client.initial()) ?? "")?.[1];
      await expect(client.challenge(utf8(`r=${nonce}x,s=${SALT},i=4096`))).rejects.toThrow(condition("not-authorized"));
    }
  });

  test.each([
    ["nothing", () => ""],
    ["bad UTF-8", () => Uint8Array.of(0x72, 0x3d, 0xff)],
    ["no count", (nonce: string) => `r=${nonce}x,s=${SALT}`],
    ["no salt", (nonce: string) => `r=${nonce}x,i=4096`],
    ["an empty salt", (nonce: string) => `r=${nonce}x,s=,i=4096`],
    ["a salt that is not base 64", (nonce: string) => `r=${nonce}x,s=QQ=,i=4096`],
    ["the attributes in another order", (nonce: string) => `s=${SALT},r=${nonce}x,i=4096`],
    ["a count that is no number", (nonce: string) => `r=${nonce}x,s=${SALT},i=many`],
    ["a count of zero", (nonce: string) => `r=${nonce}x,s=${SALT},i=0`],
    ["a negative count", (nonce: string) => `r=${nonce}x,s=${SALT},i=-4096`],
    ["a count with a zero before it", (nonce: string) => `r=${nonce}x,s=${SALT},i=04096`],
    ["a count in hexadecimal", (nonce: string) => `r=${nonce}x,s=${SALT},i=0x2000`],
    ["an extension that must be understood", (nonce: string) => `m=1,r=${nonce}x,s=${SALT},i=4096`],
    ["one at the end", (nonce: string) => `r=${nonce}x,s=${SALT},i=4096,m=1`],
    ["an attribute without a value", (nonce: string) => `r=${nonce}x,s=${SALT},i=4096,x`],
    ["the last message at once", () => "v=AAAA"],
  ])("RFC 5802 §7: %s is malformed", async (_, make) => {
    await expect(challenge(make)).rejects.toThrow(condition("malformed-request"));
  });

  test.each([
    ["only our own nonce", (nonce: string) => nonce],
    ["another nonce", () => "abc"],
    ["our nonce cut short", (nonce: string) => nonce.slice(0, -1)],
    ["our nonce behind another", (nonce: string) => `x${nonce}`],
  ])("RFC 5802 §5.1: %s is refused", async (_, make) => {
    await expect(challenge((nonce) => `r=${make(nonce)},s=${SALT},i=4096`)).rejects.toThrow(
      condition("not-authorized"),
    );
  });

  test("RFC 7677 §4: too few iterations are weak, too many are an attack", async () => {
    const withCount = (count: number, options: Partial<ClientOptions> = {}) =>
      challenge((nonce) => `r=${nonce}x,s=${SALT},i=${count}`, options);
    await expect(withCount(1)).rejects.toThrow(condition("mechanism-too-weak"));
    await expect(withCount(4095)).rejects.toThrow(condition("mechanism-too-weak"));
    expect(textOfUtf8(await withCount(4096))).toMatch(/^c=biws,/);
    await expect(withCount(10_000_001)).rejects.toThrow(condition("aborted"));
    await expect(withCount(9_999_999_999)).rejects.toThrow(condition("aborted"));
    await expect(withCount(5001, { maxIterations: 5000 })).rejects.toThrow(condition("aborted"));
    expect(textOfUtf8(await withCount(5000, { maxIterations: 5000 }))).toMatch(/^c=biws,/);
  });

  test("RFC 5802 §5.1: attributes that are not known are passed over", async () => {
    expect(textOfUtf8(await challenge((nonce) => `r=${nonce}x,s=${SALT},i=4096,x=1,d=old,y=a=b`))).toMatch(
      /^c=biws,r=.*x,p=/,
    );
  });

  test("XEP-0474 §6: where nothing is in common, only a server that proves its offer is believed", async () => {
    const offer: Offer = { mechanisms: ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"], channelBindings: ["tls-unique"] };
    const choice = chooseMechanism(offer, { secure: true, channelBindings: TLS, password: true });
    expect(choice).toEqual({ name: "SCRAM-SHA-1", binding: { is: "n-if-protected" } });
    const answer = async (attribute: string) => {
      const client = clientMechanism(choice ?? { name: "PLAIN", binding: { is: "n" } }, {
        crypto: nodeCrypto,
        credentials: { username: "lampwick", password: "oil" },
        offer,
        channelBindings: TLS,
      });
      const initial = textOfUtf8(await client.initial()) ?? "";
      expect(initial).toMatch(/^n,,/);
      return client.challenge(utf8(`r=${/r=(.*)$/.exec(initial)?.[1]}x,s=${SALT},i=4096${attribute}`));
    };
    expect(textOfUtf8(await answer(`,h=${await downgradeHash(nodeCrypto, "SHA-1", offer)}`))).toMatch(/^c=biws,/);
    await expect(answer("")).rejects.toThrow(condition("mechanism-too-weak"));
    await expect(answer(`,h=${await downgradeHash(nodeCrypto, "SHA-1", FULL_OFFER)}`)).rejects.toThrow(
      condition("mechanism-too-weak"),
    );
  });

  test.each([
    ["nothing", undefined],
    ["no data", none],
    ["no signature", utf8("x=1")],
    ["an empty signature", utf8("v=")],
    ["a signature that is not base 64", utf8("v=AAA")],
    ["a short signature", utf8("v=AAAA")],
    ["another signature", utf8(`v=${encodeBase64(new Uint8Array(20))}`)],
    ["an error", utf8("e=invalid-proof")],
    ["bad UTF-8", Uint8Array.of(0x76, 0x3d, 0xff)],
  ])("RFC 5802 §3: success with %s is no success", async (_, data) => {
    for (const by of ["success", "challenge"] as const) {
      const { client, nonce } = await begin();
      await client.challenge(utf8(`r=${nonce}x,s=${SALT},i=4096`));
      const last =
        by === "success" ? client.success(data) : client.challenge(data ?? none).then(() => client.success(undefined));
      await expect(last).rejects.toBeInstanceOf(SaslError);
      await expect(client.success(undefined)).rejects.toBeInstanceOf(SaslError);
    }
  });

  test("RFC 5802 §5.1: the server's error is told", async () => {
    const { client, nonce } = await begin();
    await client.challenge(utf8(`r=${nonce}x,s=${SALT},i=4096`));
    await expect(client.success(utf8("e=unknown-user,x=1"))).rejects.toThrow("unknown-user");
  });

  test("RFC 5802 §5: success before the server has proved itself is no success", async () => {
    await expect(clientOf("SCRAM-SHA-1", { username: "lampwick", password: "oil" }).success(undefined)).rejects.toThrow(
      condition("not-authorized"),
    );
    const { client } = await begin();
    await expect(client.success(utf8("v=AAAA"))).rejects.toThrow(condition("not-authorized"));
  });

  test("RFC 5802 §5: no message out of turn", async () => {
    await expect(clientOf("SCRAM-SHA-1", { username: "lampwick", password: "oil" }).challenge(none)).rejects.toThrow(
      condition("malformed-request"),
    );
    const { client } = await begin();
    await expect(client.initial()).rejects.toThrow(condition("malformed-request"));
  });
});

describe("mechanisms of one message", () => {
  test("RFC 4616 §2, RFC 4422 Appendix A, RFC 4505 §2: what they send", async () => {
    const credentials = { username: "lampwick", password: "oil", authzid: "a@scene.example" };
    expect(textOfUtf8(await clientOf("PLAIN", credentials).initial())).toBe("a@scene.example\0lampwick\0oil");
    expect(textOfUtf8(await clientOf("PLAIN", { username: "lampwick", password: "oil" }).initial())).toBe(
      "\0lampwick\0oil",
    );
    expect(textOfUtf8(await clientOf("EXTERNAL", credentials).initial())).toBe("a@scene.example");
    expect(await clientOf("EXTERNAL", {}).initial()).toEqual(none);
    expect(await clientOf("ANONYMOUS", credentials).initial()).toEqual(none);
  });

  test.each(["PLAIN", "EXTERNAL", "ANONYMOUS"] as const)(
    "RFC 4422 §5: %s has no challenge but to be asked again, and no data with success",
    async (name) => {
      const client = clientOf(name, { username: "lampwick", password: "oil" });
      expect(await client.challenge(none)).toEqual(await client.initial());
      await expect(client.challenge(utf8("x"))).rejects.toThrow(condition("malformed-request"));
      await expect(client.success(utf8("x"))).rejects.toThrow(condition("malformed-request"));
      await client.success(none);
      await client.success(undefined);
    },
  );

  test("RFC 4616 §2: NUL cannot be part of PLAIN", () => {
    for (const credentials of [
      { username: "a\0b", password: "oil" },
      { username: "a", password: "o\0l" },
      { username: "a", password: "o", authzid: "\0" },
    ]) {
      expect(() => clientOf("PLAIN", credentials)).toThrow(condition("malformed-request"));
    }
  });
});

test.each(MECHANISM_NAMES)(
  "RFC 4422 §6: whatever a server sends, the client of %s throws nothing but SaslError, and never believes it",
  async (name) => {
    const pieces = fc.constantFrom(
      "r=",
      "s=",
      "i=",
      "v=",
      "e=",
      "m=",
      "h=",
      ",",
      "AAAA",
      "4096",
      "NONCE",
      "=",
      "\0",
      "ö",
      "x",
    );
    const message = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(pieces, { maxLength: 10 }).map((parts) => utf8(parts.join(""))),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { maxLength: 3 }),
        fc.option(message, { nil: undefined }),
        async (challenges, last) => {
          const client = clientOf(name, { username: "lampwick", password: "oil" });
          let proved = false;
          try {
            await client.initial();
            for (const challenge of challenges) await client.challenge(challenge);
            await client.success(last);
            proved = true;
          } catch (error) {
            expect(error).toBeInstanceOf(SaslError);
          }
          if (name.startsWith("SCRAM")) expect(proved).toBe(false);
        },
      ),
      { numRuns: 100 },
    );
  },
);
