/**
 * What Kith is measured with: its defaults, but for a port on loopback, streams without TLS there, no limit to how fast one
 * client may send, and the archive, which each scenario has on or off: `BENCH_ARCHIVE` is "off", "on" or, with words that can be
 * searched for, "full-text". All load comes from one address; no limit of the defaults minds that.
 */
import { defineConfig } from "@kith/server";

const archive = process.env.BENCH_ARCHIVE ?? "off";

export default defineConfig({
  listeners: [{ kind: "c2s", address: "127.0.0.1", port: 0 }],
  plaintextFromLoopback: true,
  limits: { rate: false },
  archive: { enabled: archive !== "off", fullText: archive === "full-text" },
});
