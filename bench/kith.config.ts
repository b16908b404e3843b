/**
 * What Kith is measured with: its defaults, but for a port on loopback, streams without TLS there, and no limit to how fast one
 * client may send. All load comes from one address; no limit of the defaults minds that.
 */
import { defineConfig } from "@kith/server";

export default defineConfig({
  listeners: [{ kind: "c2s", address: "127.0.0.1", port: 0 }],
  plaintextFromLoopback: true,
  limits: { rate: false },
});
