import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../test/node-crypto.ts";
import { deriveScramKeys } from "./sasl/scram.ts";
import {
  isScramUpgrade,
  NS_SCRAM_UPGRADE,
  SCRAM_UPGRADES,
  type ScramUpgrade,
  saltedPassword,
  scramKeysOfSalted,
  UpgradeHash,
  UpgradeSalt,
  upgradeElement,
  upgradesIn,
} from "./xep0480-scram-upgrade.ts";
import { element } from "./xml/element.ts";
import { parseElement } from "./xml/read.ts";
import { writeElement } from "./xml/write.ts";

const badRequest = expect.objectContaining({ name: "StanzaError", condition: "bad-request" });
const condition = (is: string) => expect.objectContaining({ name: "SaslError", condition: is });
const SALT = { salt: Uint8Array.from({ length: 16 }, (_, at) => at * 3), iterations: 4096 };

test("XEP-0480 §2.1: an upgrade is named after the mechanism without its channel binding", () => {
  for (const [task, hash] of Object.entries(SCRAM_UPGRADES)) expect(task).toBe(`UPGR-SCRAM-${hash}`);
  expect(isScramUpgrade("UPGR-SCRAM-SHA-256")).toBe(true);
  for (const other of ["SCRAM-SHA-256", "UPGR-SCRAM-SHA-256-PLUS", "toString", ""])
    expect(isScramUpgrade(other)).toBe(false);
});

test("XEP-0480 §2.2: upgrades are found among other requests, each once", () => {
  expect(writeElement(upgradeElement("UPGR-SCRAM-SHA-512"))).toBe(
    "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-512</upgrade>",
  );
  const requests = [
    upgradeElement(" A "),
    element("urn:example:lantern", "upgrade", {}, ["B"]),
    upgradeElement("C"),
    upgradeElement("A"),
    element("urn:xmpp:sasl:upgrade:0", "downgrade", {}, ["D"]),
  ];
  expect(upgradesIn(requests)).toEqual(["A", "C"]);
});

describe("XEP-0480 §3: salt and hash", () => {
  test("are read as they were written", () => {
    expect(writeElement(UpgradeSalt.build(SALT))).toBe(
      "<salt xmlns='urn:xmpp:scram-upgrade:0' iterations='4096'>AAMGCQwPEhUYGx4hJCcqLQ==</salt>",
    );
    expect(UpgradeSalt.parse(UpgradeSalt.build(SALT))).toEqual(SALT);
    expect(UpgradeHash.parse(UpgradeHash.build(SALT.salt))).toEqual(SALT.salt);
    const spaced = parseElement(`<hash xmlns='${NS_SCRAM_UPGRADE}'>\n  AAMG\n CQwP </hash>`);
    expect(UpgradeHash.parse(spaced)).toEqual(SALT.salt.slice(0, 6));
  });
  test.each(["", "0", "4095", "-4096", "4e4", "99999999999", "many"])("%j iterations are refused", (iterations) => {
    expect(() => UpgradeSalt.parse(element(NS_SCRAM_UPGRADE, "salt", { iterations }, ["AAMG"]))).toThrow(badRequest);
  });
  test("iterations have to be told", () => {
    expect(() => UpgradeSalt.parse(element(NS_SCRAM_UPGRADE, "salt", {}, ["AAMG"]))).toThrow(badRequest);
  });
  test.each(["", " ", "?", "AAM"])("%j is neither salt nor hash", (text) => {
    expect(() => UpgradeSalt.parse(element(NS_SCRAM_UPGRADE, "salt", { iterations: 4096 }, [text]))).toThrow(
      badRequest,
    );
    expect(() => UpgradeHash.parse(element(NS_SCRAM_UPGRADE, "hash", {}, [text]))).toThrow(badRequest);
  });
});

describe.each(Object.keys(SCRAM_UPGRADES) as ScramUpgrade[])("XEP-0480 §3: %s", (task) => {
  const hash = SCRAM_UPGRADES[task];
  const digest = hash.replace("-", "").toLowerCase();
  test("the client's SaltedPassword and the keys made of it are those of RFC 5802", async () => {
    const octets = { "SHA-1": 20, "SHA-256": 32, "SHA-512": 64 }[hash];
    const salted = await saltedPassword(nodeCrypto, hash, "lantern oil", SALT);
    expect(Buffer.from(salted)).toEqual(pbkdf2Sync("lantern oil", SALT.salt, 4096, octets, digest));
    const keys = await scramKeysOfSalted(nodeCrypto, hash, salted, SALT);
    const clientKey = createHmac(digest, salted).update("Client Key").digest();
    expect(Buffer.from(keys.storedKey)).toEqual(createHash(digest).update(clientKey).digest());
    expect(Buffer.from(keys.serverKey)).toEqual(createHmac(digest, salted).update("Server Key").digest());
    expect(keys).toEqual(await deriveScramKeys(nodeCrypto, hash, "lantern oil", SALT.salt, SALT.iterations));
  });
  test.each([1, 21, 65])("%d octets are no SaltedPassword", async (octets) => {
    await expect(scramKeysOfSalted(nodeCrypto, hash, new Uint8Array(octets), SALT)).rejects.toThrow(
      condition("malformed-request"),
    );
  });
  test("a password that is prohibited, or too much work, is refused by the client", async () => {
    await expect(saltedPassword(nodeCrypto, hash, "a\u0007b", SALT)).rejects.toThrow(condition("not-authorized"));
    await expect(saltedPassword(nodeCrypto, hash, "x", { ...SALT, iterations: 10_000_001 })).rejects.toThrow(
      condition("aborted"),
    );
    await expect(saltedPassword(nodeCrypto, hash, "x", SALT, { maxIterations: 4095 })).rejects.toThrow(
      condition("aborted"),
    );
  });
});
