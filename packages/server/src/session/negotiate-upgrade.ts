/** XEP-0480: the tasks by which a client that has just shown its password lets the server make the keys it lacks. */
import {
  type Element,
  type HashName,
  isScramUpgrade,
  SaslError,
  SCRAM_UPGRADES,
  type ScramSalt,
  type ScramUpgrade,
  StanzaError,
  UpgradeHash,
  UpgradeSalt,
  upgradeElement,
  upgradesIn,
} from "@kith/protocol";
import type { KeyState } from "../key-upgrades.ts";
import type { Login } from "./inline-feature.ts";
import type { Client } from "./negotiate-step.ts";

/** What is still to be done before a client is let in. */
export interface Tasks {
  readonly login: Login;
  /** In their order; the first is the one at hand. */
  readonly upgrades: readonly ScramUpgrade[];
  /** The keys the account had when the password was shown. */
  readonly keys: KeyState;
  /** What the client has been told to salt with, once it has begun. */
  readonly salt: ScramSalt | undefined;
}

/** No weaker hash than these is worth a flight (§2.1). */
const OFFERED: readonly ScramUpgrade[] = ["UPGR-SCRAM-SHA-512", "UPGR-SCRAM-SHA-256"];

export const upgradeFeatures = ({ services }: Client): readonly Element[] =>
  services.upgrades === undefined ? [] : OFFERED.map(upgradeElement);

/** The hashes for which an account has no keys, as far as that can be told at once. */
export const missingHashes = ({ services }: Client, account: Login["account"]): readonly HashName[] => {
  const missing = services.upgrades?.missing(account.bare) ?? [];
  return "then" in missing ? [] : missing;
};

/** What a client asked for that is wanted here, too. Only whoever has shown a password may add keys of it. */
export const tasksFor = async (
  { services }: Client,
  login: Login,
  requests: readonly Element[],
): Promise<Tasks | undefined> => {
  const asked = upgradesIn(requests).filter(isScramUpgrade);
  if (asked.length === 0 || services.upgrades === undefined || login.mechanism?.startsWith("SCRAM-") !== true)
    return undefined;
  const missing = await services.upgrades.missing(login.account.bare);
  const upgrades = asked.filter((task) => OFFERED.includes(task) && missing.includes(SCRAM_UPGRADES[task]));
  if (upgrades.length === 0) return undefined;
  return { login, upgrades, keys: await services.upgrades.stateOf(login.account.bare), salt: undefined };
};

/** `<next/>`: the client begins the task it was told of. Throws SaslError. */
export const beginTask = ({ services }: Client, tasks: Tasks, name: string): Tasks & { readonly salt: ScramSalt } => {
  if (tasks.salt !== undefined || tasks.upgrades[0] !== name || services.upgrades === undefined)
    throw new SaslError("malformed-request", "not the task at hand");
  return { ...tasks, salt: services.upgrades.salt() };
};

/** The client's `<task-data/>`; what is left to be done then. Rejects with SaslError. */
export const finishTask = async ({ services }: Client, tasks: Tasks, payload: readonly Element[]): Promise<Tasks> => {
  const [upgrade, ...rest] = tasks.upgrades;
  const { salt, login, keys } = tasks;
  if (upgrade === undefined || salt === undefined || services.upgrades === undefined)
    throw new SaslError("malformed-request", "no task has been begun");
  await services.upgrades.add(login.account.bare, SCRAM_UPGRADES[upgrade], saltedIn(payload), salt, keys);
  services.log.info({ jid: login.account.bare, upgrade }, "keys upgraded");
  return { ...tasks, upgrades: rest, salt: undefined };
};

const saltedIn = (payload: readonly Element[]): Uint8Array => {
  const hash = payload.find(({ ns, name }) => ns === UpgradeHash.ns && name === UpgradeHash.name);
  try {
    if (hash !== undefined) return UpgradeHash.parse(hash);
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error;
  }
  throw new SaslError("malformed-request", "a hash is wanted");
};

export const saltElement = (salt: ScramSalt): Element => UpgradeSalt.build(salt);
