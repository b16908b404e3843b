/** Servers out of Debian's packages. */
import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Tells package scripts whether they may start services; kept from it, the server runs only where we start it. */
const POLICY = "/usr/sbin/policy-rc.d";
const NOTHING_STARTS = "#!/bin/sh\nexit 101\n";

/** Installs what is missing of some packages; gives the version of the first, without Debian's own part. */
export const installed = (packages: readonly [string, ...string[]]): string => {
  const missing = packages.filter((name) => debianVersion(name) === undefined);
  if (missing.length > 0) install(missing);
  const version = debianVersion(packages[0]);
  if (version === undefined) throw new Error(`apt-get has not installed ${packages[0]}`);
  return version.replace(/^\d+:/, "").replace(/-[^-]*$/, "");
};

const debianVersion = (name: string): string | undefined => {
  const { status, stdout } = spawnSync("dpkg-query", ["--status", name], { encoding: "utf8" });
  const isInstalled = status === 0 && /^Status: .* installed$/m.test(stdout);
  return isInstalled ? /^Version: (.*)$/m.exec(stdout)?.[1] : undefined;
};

const install = (packages: readonly string[]): void => {
  process.stderr.write(`Installing ${packages.join(", ")} (apt-get) …\n`);
  const hadPolicy = existsSync(POLICY);
  if (!hadPolicy) writeFileSync(POLICY, NOTHING_STARTS, { mode: 0o755 });
  try {
    // Package lists may be old, or not there at all.
    apt("update", "-qq");
    apt("install", "-y", "-qq", "--no-install-recommends", ...packages);
  } finally {
    if (!hadPolicy) rmSync(POLICY);
  }
};

const apt = (...args: readonly string[]): void => {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status, error } = spawnSync("apt-get", args, { env, stdio: ["ignore", 2, 2] });
  if (error !== undefined || status !== 0)
    throw new Error(`apt-get ${args[0]} failed; it needs Debian or Ubuntu and root (or install the packages yourself)`);
};

/** A certificate that nobody has signed, of the kind that Kith makes for itself (ECDSA, P-256). */
export const certificate = (folder: string): { readonly certificate: string; readonly key: string } => {
  const files = { certificate: join(folder, "certificate.pem"), key: join(folder, "key.pem") };
  if (existsSync(files.certificate) && existsSync(files.key)) return files;
  const { status } = spawnSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
      ...["-keyout", files.key, "-out", files.certificate],
    ],
    { stdio: "ignore" },
  );
  if (status !== 0) throw new Error("openssl could not make a certificate");
  return files;
};
