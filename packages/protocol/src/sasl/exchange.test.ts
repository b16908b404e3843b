import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../test/node-crypto.ts";
import { backendOf, clientOf, exchange, FULL_OFFER, offerOf, serverOf } from "../../test/sasl-scene.ts";
import { SaslError } from "../errors.ts";
import { prepareLocalpart } from "../jid.ts";
import { textOfUtf8, utf8 } from "./crypto.ts";
import { MECHANISM_NAMES, type MechanismName } from "./mechanisms.ts";
import type { Credentials } from "./roles.ts";
import { prepared, saslprep } from "./saslprep.ts";
import type { ClientKeys } from "./scram.ts";

const LAMPWICK: Credentials = { username: "lampwick", password: "Docht & Öl, =7" };
const backend = backendOf({ lampwick: "Docht & Öl, =7" });
const SCRAM = MECHANISM_NAMES.filter((name) => name.startsWith("SCRAM"));
const PASSWORD: readonly MechanismName[] = [...SCRAM, "PLAIN"];
const condition = (is: string) => expect.objectContaining({ name: "SaslError", condition: is });

const EXPECTED = new Map<MechanismName, string>([
  ["EXTERNAL", "external"],
  ["ANONYMOUS", "temporary-1"],
]);

describe.each([
  ["at once", false],
  ["with every message of its own", true],
])("an exchange %s", (_, late) => {
  test.each(MECHANISM_NAMES)("RFC 6120 §6.3.10: %s succeeds", async (name) => {
    const identity = await exchange(clientOf(name, LAMPWICK), serverOf(name, backend), { late });
    expect(identity).toEqual({ username: EXPECTED.get(name) ?? "lampwick", authzid: undefined });
  });

  test.each(PASSWORD)("RFC 6120 §6.5.10: %s with a wrong password is not-authorized", async (name) => {
    for (const credentials of [
      { ...LAMPWICK, password: "Docht & Öl, =8" },
      { ...LAMPWICK, username: "nobody" },
    ]) {
      await expect(exchange(clientOf(name, credentials), serverOf(name, backend), { late })).rejects.toThrow(
        condition("not-authorized"),
      );
    }
  });

  test.each(PASSWORD)("RFC 6120 §6.3.8: %s with an authorization identity", async (name) => {
    const own = { ...LAMPWICK, authzid: "lampwick@scene.example" };
    expect(await exchange(clientOf(name, own), serverOf(name, backend), { late })).toEqual({
      username: "lampwick",
      authzid: own.authzid,
    });
    const other = { ...LAMPWICK, authzid: "candle,=wick@scene.example" };
    await expect(exchange(clientOf(name, other), serverOf(name, backend), { late })).rejects.toThrow(
      condition("invalid-authzid"),
    );
    const wrong = { ...other, password: "wrong" };
    await expect(exchange(clientOf(name, wrong), serverOf(name, backend), { late })).rejects.toThrow(
      condition("not-authorized"),
    );
  });
});

describe("between both roles", () => {
  const password = fc.oneof(
    fc.string({ unit: "grapheme", minLength: 1 }),
    fc.string({ unit: fc.constantFrom(..."a,=\u00a0öé🏮 "), minLength: 1 }),
  );
  const username = fc.oneof(
    fc.string({ unit: "grapheme", minLength: 1 }),
    fc.string({ unit: fc.constantFrom(..."aB,=3D2Cöß\\"), minLength: 1 }),
  );

  test.each(PASSWORD)(
    "RFC 5802, RFC 4616: %s lets in whoever has a name and a password, and nobody else",
    async (name) => {
      await fc.assert(
        fc.asyncProperty(username, password, fc.boolean(), async (user, secret, late) => {
          const sent = prepared(saslprep, user);
          const localpart =
            sent === undefined || sent.includes("\0") ? undefined : prepareLocalpart(name === "PLAIN" ? user : sent);
          if (localpart === undefined || prepared(saslprep, secret) === undefined || secret.includes("\0")) return;
          const accounts = backendOf({ [localpart]: secret });
          const credentials = { username: user, password: secret };
          expect(await exchange(clientOf(name, credentials), serverOf(name, accounts), { late })).toEqual({
            username: localpart,
            authzid: undefined,
          });
          const wrong = { ...credentials, password: `${secret}x` };
          await expect(exchange(clientOf(name, wrong), serverOf(name, accounts), { late })).rejects.toThrow(
            condition("not-authorized"),
          );
        }),
        { numRuns: 15 },
      );
    },
  );

  test.each(SCRAM)("RFC 5802 §9: %s fails if a bit of any message is changed on its way", async (name) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(2), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, place, mask) => {
        let count = 0;
        const between = (_: string, message: Uint8Array) =>
          count++ === which
            ? message.map((octet, at) => (at === place % message.length ? octet ^ mask : octet))
            : message;
        const attempt = exchange(clientOf(name, LAMPWICK), serverOf(name, backend), { between });
        await expect(attempt).rejects.toBeInstanceOf(SaslError);
      }),
      { numRuns: 25 },
    );
  });

  test.each(SCRAM)("RFC 5802 §3: the client believes no server's last word but the right one (%s)", async (name) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (place, mask) => {
        let count = 0;
        const between = (_: string, message: Uint8Array) =>
          count++ === 3 ? message.map((octet, at) => (at === place % message.length ? octet ^ mask : octet)) : message;
        await expect(exchange(clientOf(name, LAMPWICK), serverOf(name, backend), { between })).rejects.toBeInstanceOf(
          SaslError,
        );
      }),
      { numRuns: 20 },
    );
  });

  test("RFC 5802 §5.1: both nonces are new in each exchange", async () => {
    const seen = new Set<string>();
    for (let run = 0; run < 5; run++) {
      await exchange(clientOf("SCRAM-SHA-1", LAMPWICK), serverOf("SCRAM-SHA-1", backend), {
        between: (from, message) => {
          const nonce = /r=([^,]*)/.exec(textOfUtf8(message) ?? "")?.[1];
          if (nonce !== undefined && !seen.has(nonce)) seen.add(nonce);
          else if (nonce !== undefined && from === "server") throw new Error("the same nonce again");
          return message;
        },
      });
    }
    expect(seen.size).toBe(10);
  });
});

describe("kept keys", () => {
  const collect = async (name: MechanismName): Promise<ClientKeys> => {
    let kept: ClientKeys | undefined;
    await exchange(
      clientOf(name, LAMPWICK, {
        onKeys: (keys) => {
          kept = keys;
        },
      }),
      serverOf(name, backend),
    );
    if (kept === undefined) throw new Error("no keys were given");
    return kept;
  };

  test("XEP-0438 §4.2: keys of one login serve for the next, without password or derivation", async () => {
    const keys = await collect("SCRAM-SHA-256");
    const crypto = { ...nodeCrypto, pbkdf2: () => Promise.reject(new Error("derived again")) };
    const client = clientOf("SCRAM-SHA-256-PLUS", { username: "lampwick", keys }, { crypto });
    expect(await exchange(client, serverOf("SCRAM-SHA-256-PLUS", backend))).toEqual({
      username: "lampwick",
      authzid: undefined,
    });
  });

  test("XEP-0438 §4.2: keys that do not fit give way to the password, and without one have expired", async () => {
    const keys = await collect("SCRAM-SHA-256");
    const stale: readonly ClientKeys[] = [
      { ...keys, salt: keys.salt.slice(1) },
      { ...keys, salt: keys.salt.toReversed() },
      { ...keys, iterations: 5000 },
      { ...keys, hash: "SHA-1" },
    ];
    for (const other of stale) {
      const both = clientOf("SCRAM-SHA-256", { ...LAMPWICK, keys: other });
      expect((await exchange(both, serverOf("SCRAM-SHA-256", backend))).username).toBe("lampwick");
      const alone = clientOf("SCRAM-SHA-256", { username: "lampwick", keys: other });
      await expect(exchange(alone, serverOf("SCRAM-SHA-256", backend))).rejects.toThrow(
        condition("credentials-expired"),
      );
    }
  });

  test("RFC 5802 §3: keys are given only once the server has proved itself", async () => {
    const given: ClientKeys[] = [];
    const client = clientOf("SCRAM-SHA-1", LAMPWICK, { onKeys: (keys) => given.push(keys) });
    const forged = exchange(client, serverOf("SCRAM-SHA-1", backend), {
      between: (_, message) =>
        textOfUtf8(message)?.startsWith("v=") ? utf8("v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=") : message,
    });
    await expect(forged).rejects.toThrow(condition("not-authorized"));
    expect(given).toEqual([]);
  });
});

describe("XEP-0474: an offer changed on its way", () => {
  const offers = [
    ["a mechanism taken away", { ...FULL_OFFER, mechanisms: FULL_OFFER.mechanisms.slice(1) }],
    ["a mechanism added", { ...FULL_OFFER, mechanisms: [...FULL_OFFER.mechanisms, "CRAM-MD5"] }],
    ["a channel binding type taken away", { ...FULL_OFFER, channelBindings: FULL_OFFER.channelBindings.slice(1) }],
    ["all channel binding types taken away", { ...FULL_OFFER, channelBindings: [] }],
    ["a channel binding type added", { ...FULL_OFFER, channelBindings: [...FULL_OFFER.channelBindings, "tls-unique"] }],
    ["all but one mechanism taken away", offerOf("SCRAM-SHA-1")],
  ] as const;

  test.each(SCRAM.flatMap((name) => offers.map(([what, offer]) => [name, what, offer] as const)))(
    "XEP-0474 §5.2: %s: the client notices %s",
    async (name, _, offer) => {
      await expect(exchange(clientOf(name, LAMPWICK, { offer }), serverOf(name, backend))).rejects.toThrow(
        condition("mechanism-too-weak"),
      );
    },
  );

  test.each(SCRAM)(
    "XEP-0474 §5.2: %s: the server notices if the hash is changed as well, or taken out",
    async (name) => {
      const offer = offerOf("SCRAM-SHA-1");
      const server = serverOf(name, backend, { offer: { ...offer, mechanisms: [name] } });
      const forgedHash = await firstHash(
        serverOf(name, backend, { offer: { ...offer, mechanisms: [name] } }),
        clientOf(name, LAMPWICK),
      );
      expect(server.name).toBe(name);
      for (const replacement of [`,h=${forgedHash}`, ""]) {
        const client = clientOf(name, LAMPWICK, { offer: { ...offer, mechanisms: [name] } });
        const attempt = exchange(client, serverOf(name, backend), {
          between: (from, message) => {
            const text = textOfUtf8(message) ?? "";
            return from === "server" && text.includes(",h=") ? utf8(text.replace(/,h=.*$/, replacement)) : message;
          },
        });
        await expect(attempt).rejects.toThrow(condition("not-authorized"));
      }
    },
  );

  test("XEP-0474 §5: a server that knows nothing of it is let pass", async () => {
    // As if the attribute were never sent: both sides see the same first message.
    const client = clientOf("SCRAM-SHA-1", LAMPWICK);
    await client.initial().then(async (initial) => {
      const nonce = /r=(.*)$/.exec(textOfUtf8(initial) ?? "")?.[1];
      const response = await client.challenge(utf8(`r=${nonce}more,s=QSXCR+Q6sek8bf92,i=4096`));
      expect(textOfUtf8(response)).toMatch(/^c=biws,r=.*more,p=/);
    });
  });
});

const firstHash = async (
  server: ReturnType<typeof serverOf>,
  client: ReturnType<typeof clientOf>,
): Promise<string | undefined> => {
  const step = await server.start(await client.initial());
  return step.is === "challenge" ? /,h=(.*)$/.exec(textOfUtf8(step.data) ?? "")?.[1] : undefined;
};
