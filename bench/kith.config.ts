/**
 * What Kith is measured with: its defaults, but for a port on loopback, streams without TLS there, and no limits to how fast one address
 * may send and log in, since all load comes from one.
 */
import { defineConfig } from "@kith/server";

export default defineConfig({
  listeners: [{ kind: "c2s", address: "127.0.0.1", port: 0 }],
  plaintextFromLoopback: true,
  limits: { rate: false, guessing: false },
});
