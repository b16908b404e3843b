import {
  type AdvertisedLimits,
  andThen,
  type BareJid,
  type Bytes,
  type ContactAddresses,
  type DiscoItem,
  type DomainJid,
  type SoftwareVersion,
} from "@kith/protocol";
import type { Module } from "../module.ts";
import type { Collection, Store } from "../store/store.ts";
import { Contacts } from "./rfc6121-contacts.ts";
import { Ledger } from "./rfc6121-ledger.ts";
import { presenceExchange } from "./rfc6121-presence.ts";
import { ROSTER_LIMITS, roster } from "./rfc6121-roster.ts";
import { SUBSCRIPTION_LIMITS, subscriptions } from "./rfc6121-subscription.ts";
import { last, type StoredLastActivity } from "./xep0012-last.ts";
import { disco, serverInfo } from "./xep0030-disco.ts";
import { privateXml } from "./xep0049-private.ts";
import { vcard } from "./xep0054-vcard-temp.ts";
import { version } from "./xep0092-version.ts";
import { caps } from "./xep0115-caps.ts";
import { contact } from "./xep0157-contact.ts";
import { offline } from "./xep0160-offline.ts";
import { blocking } from "./xep0191-blocking.ts";
import { ping } from "./xep0199-ping.ts";
import { time } from "./xep0202-time.ts";
import { delay } from "./xep0203-delay.ts";
import { streamLimits } from "./xep0478-stream-limits.ts";

/** How much an account may make the server keep. Sizes in bytes. */
export interface ModuleLimits {
  readonly offlineMessages: number;
  readonly rosterItems: number;
  readonly rosterGroups: number;
  readonly subscriptionRequests: number;
  readonly blockedAddresses: number;
  readonly vcardBytes: number;
  readonly privateBytes: number;
  readonly privateNames: number;
}

/** What the modules are told of the server they run in. */
export interface ModuleSettings {
  readonly store: Store;
  readonly software: SoftwareVersion;
  /** A URI that stands for the software (XEP-0115 §4). */
  readonly softwareUri: string;
  /** SHA-1, in Base64. */
  readonly sha1: (data: Bytes) => string;
  readonly limits: ModuleLimits;
  readonly streamLimits: { readonly visitor: AdvertisedLimits; readonly authenticated: AdvertisedLimits };
  readonly contactAddresses: (domain: DomainJid) => ContactAddresses;
  /** The components of a virtual host. */
  readonly items: (domain: DomainJid) => readonly DiscoItem[];
  /** Modules that need more than the rest of this list; they come after it. */
  readonly more?: (contacts: Contacts) => readonly Module[];
}

/**
 * Every module there is, and the order of things: within a phase, modules run as they are listed here. What one needs
 * of another is given to it here, and nowhere else.
 */
export const createModules = (settings: ModuleSettings): readonly Module[] => {
  const { store, limits, software } = settings;
  const contacts = new Contacts(store);
  const ledger = new Ledger(store);
  const departures: Collection<StoredLastActivity> = store.collection("last-activity");
  const subscriptionOf = (account: BareJid, other: BareJid): ReturnType<Contacts["subscriptionOf"]> =>
    contacts.subscriptionOf(account, other);
  const block = blocking({
    blocklists: store.collection("blocklist"),
    contactsOf: (account) => contacts.items(account),
    directedBy: (account) => ledger.entries(account),
    limit: limits.blockedAddresses,
  });
  const { isBlocked } = block;
  const info = (domain: DomainJid): ReturnType<typeof serverInfo> => serverInfo(modules, domain, software.name);
  const capabilities = caps({ node: settings.softwareUri, info, hash: settings.sha1 });
  const modules: readonly Module[] = [
    block,
    roster({ contacts, limits: { ...ROSTER_LIMITS, items: limits.rosterItems, groups: limits.rosterGroups } }),
    subscriptions({
      contacts,
      ledger,
      isBlocked,
      limits: { ...SUBSCRIPTION_LIMITS, items: limits.rosterItems, requests: limits.subscriptionRequests },
    }),
    presenceExchange({
      contacts,
      ledger,
      isBlocked,
      lastAvailable: (account) => andThen(departures.get(account, "last"), (left) => left?.at),
    }),
    offline({ spool: store.spool, isBlocked, limit: limits.offlineMessages }),
    delay(),
    disco({
      modules: () => modules,
      name: software.name,
      items: settings.items,
      subscriptionOf,
      capsNode: capabilities.nodeOf,
    }),
    capabilities,
    last({ departures, subscriptionOf }),
    privateXml({ storage: store.collection("private"), maxBytes: limits.privateBytes, maxNames: limits.privateNames }),
    vcard({ cards: store.collection("vcard"), maxBytes: limits.vcardBytes }),
    version(software),
    contact(settings.contactAddresses),
    ping(),
    time(),
    streamLimits(settings.streamLimits),
    ...(settings.more?.(contacts) ?? []),
  ];
  return modules;
};

/** The modules as they declare themselves, in a server that is not running: what XEPS.md is made of. */
export const describeModules = (store: Store): readonly Module[] =>
  createModules({
    store,
    software: { name: "Kith", version: "" },
    softwareUri: "urn:example:kith",
    sha1: () => "",
    limits: {
      offlineMessages: 0,
      rosterItems: 0,
      rosterGroups: 0,
      subscriptionRequests: 0,
      blockedAddresses: 0,
      vcardBytes: 0,
      privateBytes: 0,
      privateNames: 0,
    },
    streamLimits: { visitor: {}, authenticated: {} },
    contactAddresses: () => ({}),
    items: () => [],
  });
