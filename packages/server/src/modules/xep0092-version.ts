import { NS_VERSION, type SoftwareVersion, VersionQuery } from "@kith/protocol";
import { type Module, onGet } from "../module.ts";

/** XEP-0092: says which software the server is. What it runs on is a secret unless `os` is given (§5). */
export const version = (software: SoftwareVersion): Module => ({
  name: "version",
  xeps: [{ xep: "XEP-0092", version: "1.1" }],
  features: [NS_VERSION],
  iq: [onGet(VersionQuery, ["server"], () => [VersionQuery.build(software)])],
});
