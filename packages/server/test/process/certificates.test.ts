import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "node:tls";
import { atServer, XmppJs } from "@kith/testing/clients";
import { type KithServer, PATIENCE, runtime, startServer } from "@kith/testing/process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Issued, issueCertificate } from "../../src/listen/x509.ts";

const PASSWORD = "wherefore7";
const DAY = 86_400_000;

const issue = (): Issued =>
  issueCertificate({
    commonName: "localhost",
    dnsNames: ["localhost"],
    ipAddresses: [],
    from: new Date(Date.now() - DAY),
    to: new Date(Date.now() + DAY),
  });
const fingerprintOf = ({ certificate }: Issued): string => new X509Certificate(certificate).fingerprint256;

describe(`certificates (${runtime})`, () => {
  let folder: string;
  let certificate: string;
  let key: string;
  let server: KithServer;
  let client: XmppJs;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "kith-certificates-"));
    certificate = join(folder, "certificate.pem");
    key = join(folder, "key.pem");
    await replace(issue());
    server = await startServer({ config: { hosts: { localhost: { certificate, key } } } });
    await server.addUser("romeo@localhost", PASSWORD);
    const at = { ...atServer(server, "direct"), certificateFile: certificate };
    client = await XmppJs.login({ jid: "romeo@localhost", password: PASSWORD }, at);
  });
  afterEach(async () => {
    await client?.kill();
    await server?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** As certbot does: a new file in place of the old one. */
  const replace = async (issued: Issued): Promise<void> => {
    await writeFile(`${key}.new`, issued.key);
    await writeFile(`${certificate}.new`, issued.certificate);
    await rename(`${key}.new`, key);
    await rename(`${certificate}.new`, certificate);
  };
  const shown = async (): Promise<string> => {
    const socket = connect({
      port: server.port("c2s-tls"),
      host: "127.0.0.1",
      servername: "localhost",
      rejectUnauthorized: false,
    });
    await once(socket, "secureConnect");
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  /** A new certificate is seen by connecting; nobody announces it. */
  const whenShown = async (issued: Issued): Promise<void> => {
    const deadline = Date.now() + PATIENCE;
    while ((await shown()) !== fingerprintOf(issued)) {
      if (Date.now() > deadline) throw new Error("the new certificate is not shown");
      await pause(50);
    }
  };
  const isStillConnected = async (): Promise<void> => {
    await client.say("romeo@localhost", "still here");
    await client.whenTold("romeo@localhost", "still here");
  };

  test("are replaced when their files are, and streams go on", async () => {
    const next = issue();
    await replace(next);
    await whenShown(next);
    await isStillConnected();
  });

  test("are read again on SIGHUP, and streams go on", async () => {
    const next = issue();
    await replace(next);
    server.kill("SIGHUP");
    // Said of a signal only, not of files that have changed.
    await server.logged(/configuration read again/);
    await whenShown(next);
    await isStillConnected();
  });

  test("are read again by the time kith reload is done", async () => {
    const next = issue();
    await replace(next);
    expect((await server.kith(["reload"])).code).toBe(0);
    expect(await shown()).toBe(fingerprintOf(next));
    await isStillConnected();
  });

  test("stay when the new ones cannot be used, and the log and the command say so", async () => {
    const before = await shown();
    await replace({ certificate: "not a certificate", key: "not a key" });
    const said = await server.kith(["reload"]);
    expect(said).toMatchObject({ code: 1, errors: expect.stringContaining("The certificate in use stays: ") });
    await server.logged(/the certificate in use stays/);
    expect(await shown()).toBe(before);
    await isStillConnected();
    const next = issue();
    await replace(next);
    await whenShown(next);
  });
});
