/** While accounts are made, before anything is measured: as `kith.config.ts`, and anybody may register. */
import { defineConfig } from "@kith/server";
import measured from "./kith.config.ts";

export default defineConfig({ ...measured, registration: { mode: "open", perAddress: false } });
