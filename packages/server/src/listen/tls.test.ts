import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, rename, stat, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { clientMechanism, type DomainJid, type MechanismName } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../crypto.ts";
import { silentLog } from "../router/log.ts";
import { domain, HEADER, header, ManualTimers, PASSWORD, plainAuth, World } from "../session/test-streams.ts";
import { type CertificateFiles, Certificates } from "./certificates.ts";
import { type Caller, issue, RealWorld, temporaryFolder, until } from "./test-listen.ts";
import { Burst, FileWatch } from "./watch.ts";
import { endPointOf, type Issued, xmppAddressesOf } from "./x509.ts";

const CAPULET = domain("capulet.example");
const MONTAGUE = domain("montague.example");

const keep = async (folder: string, name: string, { certificate, key }: Issued): Promise<CertificateFiles> => {
  const files = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  await writeFile(files.certificate, certificate);
  await writeFile(files.key, key, { mode: 0o600 });
  return files;
};
const shownTo = (socket: TLSSocket): string => socket.getPeerCertificate().subject.CN as string;
const serialOf = (socket: TLSSocket): string => socket.getPeerCertificate().serialNumber;

/** Two hosts, each with files of its own. */
const twoHosts = async () => {
  const folder = await temporaryFolder();
  const files = new Map([
    [CAPULET, await keep(folder, "capulet", issue("capulet.example"))],
    [MONTAGUE, await keep(folder, "montague", issue("montague.example"))],
  ]);
  return { folder, files, world: await RealWorld.open({ certificates: { files } }) };
};

const dialStarttls = async (world: RealWorld, opening = HEADER): Promise<Caller> => {
  const caller = await world.dial();
  caller.send(opening);
  await caller.until("</stream:features>");
  return caller;
};

describe("RFC 6120 §5.4.3.1: which certificate is shown", () => {
  test.each([
    ["capulet.example", "capulet.example"],
    ["montague.example", "montague.example"],
    ["MONTAGUE.example", "montague.example"],
    ["verona.example", "capulet.example"],
    ["", "capulet.example"],
  ])("XEP-0368 §3: on a port of its own, by the host that TLS names: %s", async (servername, shown) => {
    const { world } = await twoHosts();
    expect(shownTo((await world.dialTls({ servername })).tls)).toBe(shown);
  });

  test("RFC 6120 §5.4.3.1: after STARTTLS, by the stream's to, or by the host that TLS names", async () => {
    const { world } = await twoHosts();
    const opening = header("to='montague.example' version='1.0'");
    expect(shownTo(await (await dialStarttls(world, opening)).secure())).toBe("montague.example");
    expect(shownTo(await (await dialStarttls(world, opening)).secure({ servername: "capulet.example" }))).toBe(
      "capulet.example",
    );
    expect(shownTo(await (await dialStarttls(world, opening)).secure({ servername: "verona.example" }))).toBe(
      "montague.example",
    );
  });

  test("RFC 6120 §4.7.2: the host that TLS named stands in for a missing to", async () => {
    const { world } = await twoHosts();
    const caller = await world.dialTls({ servername: "montague.example" });
    caller.send(header("version='1.0'"));
    expect(await caller.until("</stream:features>")).toContain("from='montague.example'");
  });
});

describe("RFC 7590, RFC 7525: what TLS there is", () => {
  test.each(["TLSv1", "TLSv1.1"] as const)("RFC 7525 §3.1: no %s", async (version) => {
    const { world } = await twoHosts();
    await expect(
      world.dialTls({ minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" }),
    ).rejects.toThrow();
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("RFC 7525 §3.1: %s with forward secrecy", async (version) => {
    const { world } = await twoHosts();
    const { tls } = await world.dialTls({ maxVersion: version, minVersion: version });
    expect(tls.getProtocol()).toBe(version);
    expect(tls.getCipher().name).toMatch(version === "TLSv1.3" ? /^TLS_/ : /^ECDHE-ECDSA-.*GCM/);
  });

  test("RFC 6120 §5.3.5: TLS is not negotiated again", async () => {
    const { world } = await twoHosts();
    const caller = await world.dialTls({ maxVersion: "TLSv1.2" });
    caller.tls.renegotiate({}, () => {});
    caller.send(HEADER);
    await caller.closed();
    expect(caller.error?.message).toMatch(/no renegotiation/i);
    await until(() => world.listeners.count === 0);
  });

  test.each(["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA", "NULL-SHA256"])(
    "RFC 7525 §4: no %s",
    async (ciphers) => {
      const { world } = await twoHosts();
      await expect(world.dialTls({ ciphers: `${ciphers}:@SECLEVEL=0`, maxVersion: "TLSv1.2" })).rejects.toThrow();
    },
  );

  test.each([
    ["TLSv1.2", "directTls"],
    ["TLSv1.3", "directTls"],
    ["TLSv1.3", "starttls"],
  ] as const)(
    "RFC 7525 §3.4: sessions are resumed (%s, %s), until the keys for tickets change",
    async (maxVersion, port) => {
      const { world } = await twoHosts();
      const dial = async (session?: Buffer): Promise<Caller> => {
        const options: ConnectionOptions = {
          servername: "capulet.example",
          maxVersion,
          ...(session === undefined ? {} : { session }),
        };
        const caller = port === "directTls" ? await world.dialTls(options) : await dialStarttls(world);
        if (port === "starttls") await caller.secure(options);
        return caller;
      };
      const first = await dial();
      const session = await first.resumable();
      expect([first.tls.isSessionReused(), (await dial(session)).tls.isSessionReused()]).toEqual([false, true]);
      await world.timers.pass(86_400_000);
      expect((await dial(session)).tls.isSessionReused()).toBe(false);
    },
  );
});

describe("RFC 9266, RFC 5929: channel bindings", () => {
  test.each([
    ["TLSv1.3", "SCRAM-SHA-256-PLUS", "tls-exporter"],
    ["TLSv1.3", "SCRAM-SHA-256-PLUS", "tls-server-end-point"],
    ["TLSv1.2", "SCRAM-SHA-1-PLUS", "tls-server-end-point"],
  ] as const)("RFC 5802 §6: over %s, %s bound by %s", async (version, name, type) => {
    const { world, files } = await twoHosts();
    const caller = await world.dialTls({ servername: "montague.example", minVersion: version, maxVersion: version });
    caller.send(header("to='montague.example' version='1.0'"));
    const features = await caller.until("</stream:features>");
    const types = [...features.matchAll(/<channel-binding type='([^']+)'/g)].map(([, type]) => type as string);
    expect(types).toEqual(version === "TLSv1.3" ? ["tls-exporter", "tls-server-end-point"] : ["tls-server-end-point"]);
    const [announced = ""] = /<mechanisms .*<\/mechanisms>/s.exec(features) ?? [];
    const mechanisms = [...announced.matchAll(/<mechanism>([^<]+)/g)].map(([, name]) => name as MechanismName);
    const pem = await readFile(files.get(MONTAGUE)?.certificate ?? "", "utf8");
    const data =
      type === "tls-exporter"
        ? caller.tls.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0))
        : createHash("sha256").update(new X509Certificate(pem).raw).digest();
    const mechanism = clientMechanism(
      { name, binding: { is: "p", type, data } },
      {
        crypto: nodeCrypto,
        credentials: { username: "romeo", password: PASSWORD },
        offer: { mechanisms, channelBindings: types },
        channelBindings: new Map([[type, data]]),
      },
    );
    const NS = "urn:ietf:params:xml:ns:xmpp-sasl";
    caller.send(
      `<auth xmlns='${NS}' mechanism='${name}'>${Buffer.from(await mechanism.initial()).toString("base64")}</auth>`,
    );
    const challenge = /<challenge [^>]*>([^<]+)/.exec(await caller.until("</challenge>"))?.[1] ?? "";
    caller.send(
      `<response xmlns='${NS}'>${Buffer.from(await mechanism.challenge(Buffer.from(challenge, "base64"))).toString("base64")}</response>`,
    );
    const success = /<success [^>]*>([^<]+)/.exec(await caller.until("</success>"))?.[1] ?? "";
    await mechanism.success(Buffer.from(success, "base64"));
  });

  test("RFC 5802 §6: somebody between, with another channel, gets nowhere", async () => {
    const { world } = await twoHosts();
    const caller = await world.dialTls({ servername: "montague.example" });
    caller.send(header("to='montague.example' version='1.0'"));
    await caller.until("</stream:features>");
    const data = new Uint8Array(32);
    const mechanism = clientMechanism(
      { name: "SCRAM-SHA-1-PLUS", binding: { is: "p", type: "tls-exporter", data } },
      {
        crypto: nodeCrypto,
        credentials: { username: "romeo", password: PASSWORD },
        offer: { mechanisms: [], channelBindings: [] },
        channelBindings: new Map(),
      },
    );
    const NS = "urn:ietf:params:xml:ns:xmpp-sasl";
    caller.send(
      `<auth xmlns='${NS}' mechanism='SCRAM-SHA-1-PLUS'>${Buffer.from(await mechanism.initial()).toString("base64")}</auth>`,
    );
    const challenge = Buffer.from(
      /<challenge [^>]*>([^<]+)/.exec(await caller.until("</challenge>"))?.[1] ?? "",
      "base64",
    ).toString();
    const nonce = /r=([^,]+)/.exec(challenge)?.[1];
    const binding = Buffer.concat([Buffer.from("p=tls-exporter,,"), data]).toString("base64");
    caller.send(
      `<response xmlns='${NS}'>${Buffer.from(`c=${binding},r=${nonce},p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=`).toString("base64")}</response>`,
    );
    expect(await caller.until("</failure>")).toContain("<not-authorized/>");
  });
});

describe("XEP-0178: client certificates", () => {
  const authority = issue("Verona Authority", { isAuthority: true, dnsNames: [] });
  const external = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>";
  const open = async (): Promise<RealWorld> => {
    const clientAuthorities = join(await temporaryFolder(), "authorities.pem");
    await writeFile(clientAuthorities, authority.certificate);
    return RealWorld.open({ certificates: { clientAuthorities } });
  };
  const dial = async (
    world: RealWorld,
    shown: Issued | undefined,
    more: ConnectionOptions = {},
  ): Promise<[Caller, string]> => {
    const caller = await world.dialTls({
      ...(shown === undefined ? {} : { cert: shown.certificate, key: shown.key }),
      ...more,
    });
    caller.send(HEADER);
    return [caller, await caller.until("</stream:features>")];
  };
  const juliet = { dnsNames: [], xmppAddresses: ["juliet@capulet.example"], issuer: authority };

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "RFC 6120 §6.3.4: a certificate of a known authority logs in (%s)",
    async (maxVersion) => {
      const world = await open();
      const [caller, features] = await dial(world, issue("Juliet", juliet), { maxVersion });
      expect(features).toContain("<mechanism>EXTERNAL</mechanism>");
      caller.send(external);
      await caller.until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
      expect(world.lines.find(({ text }) => text === "authenticated")?.fields).toMatchObject({
        jid: "juliet@capulet.example",
        mechanism: "EXTERNAL",
      });
    },
  );

  test("RFC 6120 §6.3.4: after STARTTLS, too", async () => {
    const world = await open();
    const shown = issue("Juliet", juliet);
    const caller = await dialStarttls(world);
    await caller.secure({ cert: shown.certificate, key: shown.key });
    caller.send(HEADER);
    expect(await caller.until("</stream:features>")).toContain("EXTERNAL");
  });

  test.each<[string, () => Issued | undefined]>([
    ["none", () => undefined],
    [
      "of an unknown authority",
      () => issue("Juliet", { ...juliet, issuer: issue("Mantua Authority", { isAuthority: true }) }),
    ],
    ["signed by itself", () => issue("Juliet", { dnsNames: [], xmppAddresses: ["juliet@capulet.example"] })],
    ["that has expired", () => issue("Juliet", { ...juliet, to: new Date("2021-01-01T00:00:00Z") })],
    ["that names nobody here", () => issue("Juliet", { ...juliet, xmppAddresses: ["juliet@verona.example"] })],
  ])("RFC 6120 §13.7.2.2: a certificate %s is no way in, and no obstacle", async (_, shown) => {
    const world = await open();
    const [caller, features] = await dial(world, shown());
    expect(features).not.toContain("EXTERNAL");
    caller.send(external);
    expect(await caller.until("</failure>")).toContain("<invalid-mechanism/>");
    caller.send(plainAuth("juliet", PASSWORD));
    await caller.until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  });

  test("RFC 6120 §6.3.4: unless there are authorities, nobody is asked", async () => {
    const world = await RealWorld.open();
    const [, features] = await dial(world, issue("Juliet", juliet));
    expect(features).not.toContain("EXTERNAL");
  });
});

describe("certificates that are made, and that change", () => {
  const open = (
    dataDirectory: string,
    more: Partial<Parameters<typeof Certificates.open>[0]> = {},
  ): Promise<Certificates> =>
    Certificates.open({
      hosts: [CAPULET, MONTAGUE],
      files: new Map(),
      dataDirectory,
      log: silentLog,
      now: Date.now,
      ...more,
    });

  test("RFC 6120 §13.7.1: made at first start: one name a host, for a year, the key for its owner only", async () => {
    const folder = join(await temporaryFolder(), "data");
    await open(folder, {
      hosts: [CAPULET, domain("[::1]"), domain("127.0.0.1"), domain("bücher.example")] as DomainJid[],
    });
    const made = new X509Certificate(await readFile(join(folder, "development-certificate.pem")));
    expect(made.subjectAltName).toBe(
      "DNS:capulet.example, DNS:xn--bcher-kva.example, IP Address:0:0:0:0:0:0:0:1, IP Address:127.0.0.1",
    );
    expect(made.ca).toBe(false);
    expect(made.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect((Date.parse(made.validTo) - Date.now()) / 86_400_000).toBeGreaterThan(390);
    expect((await stat(join(folder, "development-key.pem"))).mode & 0o777).toBe(0o600);
  });

  test("kept from one start to the next; made anew for another host, near its end, or when it is broken", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "development-certificate.pem");
    await open(folder);
    const first = await readFile(file, "utf8");
    await open(folder);
    expect(await readFile(file, "utf8")).toBe(first);
    await open(folder, { hosts: [CAPULET] });
    expect(await readFile(file, "utf8")).toBe(first);
    await open(folder, { hosts: [CAPULET, domain("verona.example")] });
    const second = await readFile(file, "utf8");
    expect(second).not.toBe(first);
    await open(folder, { hosts: [CAPULET], now: () => Date.now() + 370 * 86_400_000 });
    const third = await readFile(file, "utf8");
    expect(third).not.toBe(second);
    await writeFile(file, "no certificate");
    await open(folder);
    expect(await readFile(file, "utf8")).toContain("BEGIN CERTIFICATE");
  });

  test("at start what cannot be used is refused, by host and file", async () => {
    const folder = await temporaryFolder();
    const good = await keep(folder, "good", issue("capulet.example"));
    const other = await keep(folder, "other", issue("capulet.example"));
    const missing = { certificate: join(folder, "missing.crt"), key: good.key };
    await expect(open(folder, { files: new Map([[MONTAGUE, missing]]) })).rejects.toThrow(
      /certificate of montague\.example in .*missing\.crt: ENOENT/,
    );
    await expect(
      open(folder, { files: new Map([[MONTAGUE, { certificate: good.certificate, key: other.key }]]) }),
    ).rejects.toThrow(/montague\.example.*key/i);
    await expect(open(folder, { clientAuthorities: join(folder, "none.pem") })).rejects.toThrow(
      /authorities .*none\.pem/,
    );
    await expect(open(folder, { defaultFiles: missing })).rejects.toThrow(/capulet\.example/);
  });

  test("reload: new handshakes see the new certificate, streams go on", async () => {
    const { world, folder } = await twoHosts();
    const before = await world.dialTls({ servername: "capulet.example" });
    before.send(HEADER);
    await before.until("</stream:features>");
    await keep(folder, "capulet", issue("capulet.example"));
    expect(await world.listeners.reload()).toEqual({ replaced: ["capulet.example"], problems: [] });
    expect(world.lines.some(({ level, text }) => level === "info" && text === "certificates replaced")).toBe(true);
    const after = await world.dialTls({ servername: "capulet.example" });
    expect(serialOf(after.tls)).not.toBe(serialOf(before.tls));
    before.send(plainAuth("juliet", PASSWORD));
    await before.until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  });

  test("reload: a broken one is logged, and the one before stays; the other host's is renewed all the same", async () => {
    const { world, folder } = await twoHosts();
    const serials = async () => [
      serialOf((await world.dialTls({ servername: "capulet.example" })).tls),
      serialOf((await world.dialTls({ servername: "montague.example" })).tls),
    ];
    const before = await serials();
    await writeFile(join(folder, "capulet.crt"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    await keep(folder, "montague", issue("montague.example"));
    expect(await world.listeners.reload()).toEqual({
      replaced: ["montague.example"],
      problems: [expect.stringMatching(/^cannot use the certificate of capulet\.example in /)],
    });
    const after = await serials();
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    const errors = world.lines.filter(({ level }) => level === "error");
    expect(errors).toHaveLength(1);
    expect(String(errors[0]?.fields.err)).toMatch(/capulet\.example/);
  });

  test("reload: what has not changed is not parsed again", async () => {
    const folder = await temporaryFolder();
    const files = await keep(
      folder,
      "both",
      issue("capulet.example", { dnsNames: ["capulet.example", "montague.example"] }),
    );
    const certificates = await open(folder, { defaultFiles: files });
    const context = certificates.contextFor(CAPULET);
    expect(certificates.contextFor(MONTAGUE)).toBe(context);
    await certificates.reload();
    expect(certificates.contextFor(CAPULET)).toBe(context);
    await keep(folder, "both", issue("capulet.example"));
    await certificates.reload();
    expect(certificates.contextFor(CAPULET)).not.toBe(context);
    expect(certificates.contextFor(MONTAGUE)).toBe(certificates.contextFor(CAPULET));
  });

  const serial = async (world: RealWorld): Promise<string> => {
    const { address, port } = world.address("directTls");
    const socket = connectTls({ host: address, port, servername: "capulet.example", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const serial = serialOf(socket);
    socket.destroy();
    await until(() => world.listeners.count === 0);
    return serial;
  };

  /** The serial number that is shown once it is another one; time passes meanwhile, so that a change is acted upon once noticed. */
  const nextSerial = async (world: RealWorld, before: string): Promise<string> => {
    for (;;) {
      await world.timers.pass(600);
      const now = await serial(world);
      if (now !== before) return now;
    }
  };

  test("a file that is written over is noticed", async () => {
    const { world, folder } = await twoHosts();
    const before = await serial(world);
    await keep(folder, "capulet", issue("capulet.example"));
    expect(await nextSerial(world, before)).not.toBe(before);
  });

  test("a file that is renamed over is noticed, once and again", async () => {
    const { world, folder } = await twoHosts();
    let before = await serial(world);
    for (let time = 0; time < 2; time++) {
      const made = await keep(folder, "new", issue("capulet.example"));
      await rename(made.key, join(folder, "capulet.key"));
      await rename(made.certificate, join(folder, "capulet.crt"));
      const after = await nextSerial(world, before);
      expect(after).not.toBe(before);
      before = after;
    }
  });

  test("links that are swapped are noticed, as certbot does it", async () => {
    const folder = await temporaryFolder();
    const [archive, live] = [join(folder, "archive"), join(folder, "live")];
    await mkdir(archive);
    await mkdir(live);
    const link = async (version: number): Promise<void> => {
      const made = await keep(archive, `capulet${version}`, issue("capulet.example"));
      for (const [name, target] of [
        ["fullchain.pem", made.certificate],
        ["privkey.pem", made.key],
      ] as const) {
        await unlink(join(live, name)).catch(() => {});
        await symlink(target, join(live, name));
      }
    };
    await link(1);
    const files = new Map([[CAPULET, { certificate: join(live, "fullchain.pem"), key: join(live, "privkey.pem") }]]);
    const world = await RealWorld.open({ certificates: { files } });
    const before = await serial(world);
    await link(2);
    expect(await nextSerial(world, before)).not.toBe(before);
  });

  test("a link to a folder that is swapped is noticed, as mounted secrets do it", async () => {
    const folder = await temporaryFolder();
    const version = async (name: string): Promise<void> => {
      await mkdir(join(folder, name));
      await keep(join(folder, name), "tls", issue("capulet.example"));
      await symlink(name, join(folder, "..new"));
      await rename(join(folder, "..new"), join(folder, "..data"));
    };
    await version("..2031_05_17");
    await symlink("..data/tls.crt", join(folder, "tls.crt"));
    await symlink("..data/tls.key", join(folder, "tls.key"));
    const files = new Map([[CAPULET, { certificate: join(folder, "tls.crt"), key: join(folder, "tls.key") }]]);
    const world = await RealWorld.open({ certificates: { files } });
    const before = await serial(world);
    await version("..2031_08_17");
    expect(await nextSerial(world, before)).not.toBe(before);
  });

  test("a burst of changes is one, and one that does not cease is looked at all the same", async () => {
    const timers = ManualTimers.start();
    const looks: number[] = [];
    const start = timers.now;
    const burst = new Burst(timers, () => looks.push(timers.now - start));
    for (let time = 0; time < 3; time++) {
      burst.stir();
      await timers.pass(400);
    }
    expect(looks).toEqual([]);
    await timers.pass(100);
    expect(looks).toEqual([1_300]);
    for (let time = 0; time < 20; time++) {
      burst.stir();
      await timers.pass(400);
    }
    expect(looks.slice(1)).toEqual([6_500]);
    burst.stop();
    await timers.pass(10_000);
    expect(looks).toHaveLength(2);
  });

  test("a folder that cannot be watched is logged, and nothing else happens", async () => {
    const world = new World();
    const folder = await temporaryFolder();
    const watching = await FileWatch.open([join(folder, "none", "tls.crt")], () => {}, world.timers, world.log);
    expect(world.lines).toMatchObject([{ level: "warn", fields: { folder: join(folder, "none") } }]);
    watching.close();
  });
});

describe("RFC 5280, RFC 5929: the little of X.509 there is", () => {
  const der = ({ certificate }: Issued): Buffer => new X509Certificate(certificate).raw;

  test("RFC 6120 §13.7.1.4: addresses in a certificate, however long and in whatever script", () => {
    const addresses = ["juliet@capulet.example", `${"j".repeat(300)}@capulet.example`, "юлия@verona.example"];
    expect(xmppAddressesOf(der(issue("Juliet", { xmppAddresses: addresses })))).toEqual(addresses);
    expect(xmppAddressesOf(der(issue("Juliet", { dnsNames: [] })))).toEqual([]);
    expect(xmppAddressesOf(der(issue("Juliet")))).toEqual([]);
  });

  test("RFC 5929 §4.1: the hash of the signature's hash", () => {
    const shown = der(issue("capulet.example"));
    expect(endPointOf(shown)).toEqual(createHash("sha256").update(shown).digest());
  });

  test("a certificate can be verified by the one that signed it, and by no other", () => {
    const authority = issue("Authority", { isAuthority: true });
    const signed = new X509Certificate(issue("Juliet", { issuer: authority }).certificate);
    const signer = new X509Certificate(authority.certificate);
    expect(signed.verify(signer.publicKey)).toBe(true);
    expect(signed.checkIssued(signer)).toBe(true);
    expect(signer.verify(new X509Certificate(issue("Other", { isAuthority: true }).certificate).publicKey)).toBe(false);
  });
});
