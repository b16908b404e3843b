/** What of a configuration can change while the server runs. */
import { isDeepStrictEqual } from "node:util";
import type { Config, HostConfig } from "./config.ts";

/** Read again at each use. All else was handed to sockets, to the store or to streams when the server started. */
const LIVE = [
  "registration",
  "invitations",
  "passwords",
  "clients",
  "scram",
  "log",
] as const satisfies readonly (keyof Config)[];
const AT_START = [
  "listeners",
  "components",
  "files",
  "clientAuthorities",
  "plaintextFromLoopback",
  "limits",
  "timeouts",
  "archive",
  "push",
  "storage",
  "resourceConflict",
] as const satisfies readonly (keyof Config)[];
const LIVE_OF_HOSTS = ["registration", "administrators", "contacts"] as const satisfies readonly (keyof HostConfig)[];

export interface Reconfigured {
  /** Keys whose new values are in force. */
  readonly changed: readonly string[];
  /** Keys whose new values wait for the next start. */
  readonly atNextStart: readonly string[];
}

/**
 * Puts into a running server's configuration what can change now. It is one object as long as the server runs, so that
 * whoever reads it sees the change.
 */
export const reconfigure = (running: Config, next: Config): Reconfigured => {
  const changed = LIVE.filter((key) => !isDeepStrictEqual(running[key], next[key]));
  const atNextStart: string[] = AT_START.filter((key) => !isDeepStrictEqual(running[key], next[key]));
  for (const key of changed) Object.assign(running, { [key]: next[key] });
  const hosts = hostsChanged(running, next);
  const accounts = accountsChanged(running, next);
  Object.assign(running, { hosts: hosts.now, accounts: accounts.now });
  return {
    changed: [...changed, ...accounts.changed, ...hosts.changed],
    atNextStart: [...atNextStart, ...accounts.atNextStart, ...hosts.atNextStart],
  };
};

/** The number of sessions belongs to the table of sessions. */
const accountsChanged = (
  { accounts }: Config,
  { accounts: { addressRest, sessions } }: Config,
): Reconfigured & { readonly now: Config["accounts"] } => ({
  changed: accounts.addressRest === addressRest ? [] : ["accounts.addressRest"],
  atNextStart: accounts.sessions === sessions ? [] : ["accounts.sessions"],
  now: { ...accounts, addressRest },
});

const hostsChanged = (running: Config, next: Config): Reconfigured & { readonly now: Config["hosts"] } => {
  const changed: string[] = [];
  const atNextStart: string[] = [];
  const now = new Map(running.hosts);
  for (const [domain, host] of running.hosts) {
    const wanted = next.hosts.get(domain);
    const key = `hosts["${domain}"]`;
    if (wanted === undefined) {
      atNextStart.push(key);
      continue;
    }
    const live = { ...host, ...Object.fromEntries(LIVE_OF_HOSTS.map((option) => [option, wanted[option]])) };
    if (!isDeepStrictEqual(live, host)) changed.push(key);
    if (!isDeepStrictEqual(live, wanted)) atNextStart.push(key);
    now.set(domain, live);
  }
  for (const domain of next.hosts.keys()) if (!running.hosts.has(domain)) atNextStart.push(`hosts["${domain}"]`);
  return { changed, atNextStart, now };
};
