/** What the scenes of registration and invitations share: a server with accounts, and the XML that is exchanged. */
import type { BareJid } from "@kith/protocol";
import { ManualClock, type Open, Scene, type SceneTools } from "@kith/testing";
import { expect, onTestFinished } from "vitest";
import { accountModules } from "../src/account-modules.ts";
import { type AccountService, openAccounts } from "../src/accounts.ts";
import { type Config, type KithConfig, readConfig } from "../src/config.ts";
import { nodeCrypto, saslprepOfQuery, saslprepOfStored } from "../src/crypto.ts";
import { Invitations } from "../src/invitations.ts";
import type { Module } from "../src/module.ts";
import { createModules } from "../src/modules/index.ts";
import { type ManualWriter, manualWriter, memoryStore } from "../src/store/memory.ts";
import type { Store } from "../src/store/store.ts";

export interface RegistrationStage {
  readonly scene: Scene;
  readonly config: Config;
  readonly accounts: AccountService;
  readonly invitations: Invitations;
  readonly store: Store;
  /** Commits at once, until it is told otherwise. */
  readonly writer: ManualWriter;
  readonly clock: ManualClock;
}

export interface StageOptions extends KithConfig {
  /** Accounts there are, all with the password "under the balcony". */
  readonly users?: readonly string[];
  /** Reads have to be waited for. */
  readonly slow?: boolean;
}

export const PASSWORD = "under the balcony";
export const onOneRouter: Open = (options) => Scene.open("LocalFabric", options);

export const stage = async (
  open: Open,
  { users = [], slow = false, ...written }: StageOptions = {},
): Promise<RegistrationStage> => {
  const config = readConfig(
    { hosts: { "example.org": {} }, scram: { iterations: 4_096 }, ...written },
    { file: undefined, directory: "/" },
  );
  const writer = manualWriter();
  writer.release();
  const whole = memoryStore({ writer });
  const store = slow ? slowed(whole) : whole;
  let clock = new ManualClock();
  const now = (): number => clock.now();
  const accounts = await openAccounts({
    store,
    crypto: nodeCrypto,
    prepare: { stored: saslprepOfStored, query: saslprepOfQuery },
    rules: () => ({
      passwords: config.passwords,
      iterations: config.scram.iterations,
      addressRestMs: config.accounts.addressRest,
    }),
    now,
  });
  const { expireAfter, perUser, landingPage } = config.invitations;
  const rules = () => ({ expireMs: expireAfter, perUser, landingPage });
  const invitations = new Invitations({ store, crypto: nodeCrypto, now, rules });
  for (const user of users) await accounts.create(user as BareJid, PASSWORD);
  const modules = (shared: Store, tools: SceneTools): readonly Module[] => {
    clock = tools.clock;
    return createModules({
      store: shared,
      software: { name: "Kith", version: "0" },
      softwareUri: "urn:example:kith",
      sha1: () => "",
      stanzaIds: { idOf: () => "", rowOf: () => undefined },
      fingerprint: (bytes) => bytes,
      recogniseFor: 0,
      archive: undefined,
      push: { services: undefined, browsers: undefined },
      limits: config.limits,
      streamLimits: { visitor: {}, authenticated: {} },
      contactAddresses: () => ({}),
      items: () => [],
      more: () => accountModules({ config, accounts, invitations, modules: tools.modules }),
    });
  };
  const scene = await open({ store, modules, domains: [...config.hosts.keys()], components: ["far.example"] });
  onTestFinished(() => expect(scene.defects).toEqual([]));
  return { scene, config, accounts, invitations, store, writer, clock: scene.clock };
};

/** Every read is a promise, as of a database elsewhere. */
const slowed = (store: Store): Store => ({
  accounts: {
    ...bound(store.accounts),
    exists: async (jid) => store.accounts.exists(jid),
    get: async (jid) => store.accounts.get(jid),
    removedAt: async (jid) => store.accounts.removedAt(jid),
  },
  spool: store.spool,
  messages: store.messages,
  collection: <T>(name: string) => {
    const collection = store.collection<T>(name);
    return {
      ...bound(collection),
      name,
      all: async (owner: string) => collection.all(owner),
      get: async (owner: string, key: string) => collection.get(owner, key),
    };
  },
  begin: () => store.begin(),
  flush: () => store.flush(),
  close: () => store.close(),
});

/** The methods of an object as functions. */
const bound = <T extends object>(object: T): T => {
  const methods: Record<string, unknown> = {};
  for (let at: object | null = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      const method = Reflect.get(object, name) as unknown;
      if (typeof method === "function" && name !== "constructor") methods[name] ??= method.bind(object);
    }
  }
  return methods as T;
};

// ── XML ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
export const TEXT = `<text xmlns='${STANZAS}' xml:lang='en'>*</text>`;

export const registerGet = (to = "example.org"): string =>
  `<iq type='get' id='g' to='${to}'><query xmlns='jabber:iq:register'/></iq>`;
export const registerSet = (children: string, to?: string): string =>
  `<iq type='set' id='s'${to === undefined ? "" : ` to='${to}'`}><query xmlns='jabber:iq:register'>${children}</query></iq>`;
export const credentials = (username: string, password = PASSWORD): string =>
  `<username>${username}</username><password>${password}</password>`;
export const register = (username: string, password = PASSWORD): string =>
  registerSet(credentials(username, password), "example.org");
export const preauth = (token: string): string =>
  `<iq type='set' id='p' to='example.org'><preauth xmlns='urn:xmpp:pars:0' token='${token}'/></iq>`;
export const result = (id = "s", children = ""): string =>
  `<iq type='result' id='${id}' from='example.org'>${children}</iq>`;
export const refusal = (condition: string, type: string, code: number, id = "s"): string =>
  `<iq type='error' id='${id}' from='example.org'><error type='${type}' code='${code}'><${condition} xmlns='${STANZAS}'/>${TEXT}</error></iq>`;
