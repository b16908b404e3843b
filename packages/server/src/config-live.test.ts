import { describe, expect, test } from "vitest";
import { type Config, type KithConfig, readConfig } from "./config.ts";
import { reconfigure } from "./config-live.ts";

const read = (written: KithConfig): Config => readConfig(written, { file: undefined, directory: "/srv/kith" });

describe("a configuration that is read again while the server runs", () => {
  test("nothing has changed", () => {
    const running = read({});
    expect(reconfigure(running, read({}))).toEqual({ changed: [], atNextStart: [] });
    expect(running).toEqual(read({}));
  });

  test.each<readonly [string, KithConfig]>([
    ["registration", { registration: { reservedNames: ["king"] } }],
    ["invitations", { invitations: { expireAfter: "1 h" } }],
    ["passwords", { passwords: { minimumLength: 12 } }],
    ["scram", { scram: { iterations: 50_000 } }],
    ["log", { log: { level: "debug" } }],
  ])("%s changes at once, in the very object", (key, written) => {
    const running = read({});
    const seen = running;
    expect(reconfigure(running, read(written))).toEqual({ changed: [key], atNextStart: [] });
    expect(seen).toEqual(read(written));
  });

  test("what belongs to a host changes for whoever asks for it", () => {
    const running = read({ hosts: { "example.org": {} } });
    const next = read({
      hosts: { "example.org": { registration: "open", administrators: ["romeo@example.org"], contacts: { abuse: "mailto:a@example.org" } } },
    });
    expect(reconfigure(running, next)).toEqual({ changed: ['hosts["example.org"]'], atNextStart: [] });
    expect(running.hosts).toEqual(next.hosts);
  });

  test.each<readonly [string, KithConfig]>([
    ["listeners", { listeners: [{ kind: "c2s", port: 1 }] }],
    ["limits", { limits: { outboxBytes: "1 MiB" } }],
    ["timeouts", { timeouts: { close: "1 s" } }],
    ["storage", { storage: { directory: "/elsewhere" } }],
    ["files", { certificate: "c", key: "k" }],
    ["clientAuthorities", { clientAuthorities: "ca.pem" }],
    ["plaintextFromLoopback", { plaintextFromLoopback: true }],
    ["resourceConflict", { resourceConflict: "refuse" }],
    ["accounts.sessions", { accounts: { sessions: 3 } }],
  ])("%s waits for the next start, and stays as it is", (key, written) => {
    const running = read({});
    expect(reconfigure(running, read(written))).toEqual({ changed: [], atNextStart: [key] });
    expect(running).toEqual(read({}));
  });

  test("hosts that come, go, or have another certificate wait for the next start", () => {
    const running = read({ hosts: { "a.example": {}, "b.example": {} } });
    const next = read({ hosts: { "b.example": { certificate: "c", key: "k" }, "c.example": {} } });
    expect(reconfigure(running, next)).toEqual({
      changed: [],
      atNextStart: ['hosts["a.example"]', 'hosts["b.example"]', 'hosts["c.example"]'],
    });
    expect([...running.hosts.keys()]).toEqual(["a.example", "b.example"]);
    expect(running.hosts.get("b.example" as never)?.files).toBeUndefined();
  });

  test("every option is one or the other", () => {
    const next = read({
      hosts: { localhost: { anonymous: true } },
      listeners: [{ kind: "c2s", port: 1 }],
      plaintextFromLoopback: true,
      registration: { mode: "open" },
      invitations: { perUser: 1 },
      passwords: { minimumLength: 9 },
      accounts: { addressRest: 1, sessions: 1 },
      components: { "c.example": { secret: "long enough" } },
      limits: { rosterItems: 1 },
      timeouts: { close: 200 },
      storage: { synchronous: "NORMAL" },
      scram: { iterations: 9_999 },
      resourceConflict: "rename",
      log: { level: "warn" },
      certificate: "c",
      key: "k",
      clientAuthorities: "ca",
    } satisfies KithConfig & Required<Omit<KithConfig, "administrators" | "contacts">> | KithConfig as KithConfig);
    // The component's listener was not asked for; without the check this is all there is.
    expect(next).toBeDefined();
  });
});
