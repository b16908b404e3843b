import {
  type AdvertisedLimits,
  type ArchiveDefault,
  andThen,
  type BareJid,
  type Bytes,
  type ContactAddresses,
  type DiscoItem,
  type DomainJid,
  type Eventually,
  type SoftwareVersion,
} from "@kith/protocol";
import type { Module } from "../module.ts";
import type { Collection, Store } from "../store/store.ts";
import { archiveRetention, type RetentionOptions } from "./archive-retention.ts";
import type { Telling } from "./push-worth.ts";
import { recipients } from "./rfc6120-recipients.ts";
import { Contacts } from "./rfc6121-contacts.ts";
import { Ledger } from "./rfc6121-ledger.ts";
import { presenceExchange } from "./rfc6121-presence.ts";
import { ROSTER_LIMITS, type RosterLimits, roster } from "./rfc6121-roster.ts";
import { SUBSCRIPTION_LIMITS, type SubscriptionLimits, subscriptions } from "./rfc6121-subscription.ts";
import { type WebPushSender, webPush } from "./web-push.ts";
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
import { carbons } from "./xep0280-carbons.ts";
import { archive } from "./xep0313-archive.ts";
import type { ArchiveIds } from "./xep0313-query.ts";
import { push } from "./xep0357-push.ts";
import { stanzaIds } from "./xep0359-stanza-ids.ts";
import { retraction } from "./xep0424-retraction.ts";
import { archivePreferences } from "./xep0441-archive-preferences.ts";
import { streamLimits } from "./xep0478-stream-limits.ts";
import { displayed } from "./xep0490-displayed.ts";

/** How much an account may make the server keep. Sizes in bytes. */
export interface ModuleLimits {
  readonly recipientsPerMinute: number | undefined;
  readonly offlineMessages: number;
  readonly offlineBytes: number;
  readonly rosterItems: number;
  readonly rosterGroups: number;
  readonly rosterCharacters: number;
  readonly subscriptionRequests: number;
  readonly subscriptionRequestBytes: number;
  readonly directedPresenceCharacters: number;
  readonly blockedAddresses: number;
  readonly vcardBytes: number;
  readonly privateBytes: number;
  readonly privateNames: number;
}

/** What is kept of conversations, and how it is read back. Times in milliseconds. */
export interface ArchiveSettings {
  /** With occupants' accounts too, not only with the room. */
  readonly groupchat: boolean;
  /** Receipts and markers. */
  readonly receipts: boolean;
  readonly fullText: boolean;
  readonly pageSize: number;
  readonly maxPage: number;
  /** Of accounts that have no preferences. */
  readonly default: ArchiveDefault;
  readonly retention: Omit<RetentionOptions, "messages">;
}

/** How people are woken up whose clients are not there; `undefined`: they are not, in this way. */
export interface PushSettings {
  /** Push services over XMPP. */
  readonly services: { readonly telling: Telling } | undefined;
  /** Push services of browsers. */
  readonly browsers:
    | {
        readonly telling: Telling;
        readonly sender: WebPushSender;
        /** Whom a push service may turn to. */
        readonly subject: (domain: DomainJid) => string;
      }
    | undefined;
}

/** What the modules are told of the server they run in. */
export interface ModuleSettings {
  readonly store: Store;
  readonly software: SoftwareVersion;
  /** A URI that stands for the software (XEP-0115 §4). */
  readonly softwareUri: string;
  /** SHA-1, in Base64. */
  readonly sha1: (data: Bytes) => string;
  /** The ids that archives give; the same for good. */
  readonly stanzaIds: ArchiveIds;
  /** The same for the same bytes; fast. */
  readonly fingerprint: (bytes: Bytes) => string;
  /** How long a message is recognised that a client sends again, in milliseconds. */
  readonly recogniseFor: number;
  /** `undefined`: nothing is kept. */
  readonly archive: ArchiveSettings | undefined;
  readonly push: PushSettings;
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
    blocklists: store.collection("blocklist", "few"),
    contactsOf: (account) => contacts.items(account),
    directedBy: (account) => ledger.entries(account),
    limit: limits.blockedAddresses,
  });
  const { isBlocked } = block;
  const info = (domain: DomainJid): ReturnType<typeof serverInfo> => serverInfo(modules, domain, software.name);
  const capabilities = caps({ node: settings.softwareUri, info, hash: settings.sha1 });
  const modules: readonly Module[] = [
    recipients({ mostPerMinute: limits.recipientsPerMinute }),
    block,
    roster({ contacts, limits: rosterLimitsOf(limits) }),
    subscriptions({
      contacts,
      ledger,
      isBlocked,
      limits: subscriptionLimitsOf(limits),
    }),
    presenceExchange({
      contacts,
      ledger,
      isBlocked,
      directedCharacters: limits.directedPresenceCharacters,
      lastAvailable: (account) => andThen(departures.get(account, "last"), (left) => left?.at),
    }),
    stanzaIds({
      messages: store.messages,
      fingerprint: settings.fingerprint,
      rememberFor: settings.recogniseFor,
    }),
    ...(settings.archive === undefined ? [] : archiveModules(settings, settings.archive, contacts)),
    offline({ messages: store.messages, isBlocked, limit: limits.offlineMessages, maxBytes: limits.offlineBytes }),
    delay(),
    displayed(),
    carbons(),
    ...pushModules(settings),
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

const rosterLimitsOf = (limits: ModuleLimits): RosterLimits => ({
  ...ROSTER_LIMITS,
  items: limits.rosterItems,
  groups: limits.rosterGroups,
  characters: limits.rosterCharacters,
});

const subscriptionLimitsOf = (limits: ModuleLimits): SubscriptionLimits => ({
  ...SUBSCRIPTION_LIMITS,
  items: limits.rosterItems,
  requests: limits.subscriptionRequests,
  allRequestBytes: limits.subscriptionRequestBytes,
});

/** Everything about archives. */
const archiveModules = (
  { store, stanzaIds: ids }: ModuleSettings,
  { default: otherwise, pageSize, retention, ...settings }: ArchiveSettings,
  contacts: Contacts,
): readonly Module[] => {
  const { messages } = store;
  const preferences = archivePreferences({
    preferences: store.collection("archive-preferences"),
    isContact: (account, other) => andThen(contacts.items(account), (roster) => roster.has(other)),
    otherwise,
  });
  return [
    preferences,
    archive({ ...settings, messages, ids, page: pageSize, isWanted: preferences.isWanted }),
    retraction({ messages }),
    archiveRetention({ ...retention, messages }),
  ];
};

/** Everything that wakes people up. */
const pushModules = ({ store, push: { services, browsers } }: ModuleSettings): readonly Module[] => {
  const waiting = (account: BareJid): Eventually<number> =>
    andThen(store.messages.countWaiting(account), ({ count }) => count);
  return [
    ...(services === undefined ? [] : [push({ services: store.collection("push"), waiting, ...services })]),
    ...(browsers === undefined
      ? []
      : [
          webPush({
            subscriptions: store.collection("web-push"),
            keys: store.collection("web-push-keys"),
            waiting,
            ...browsers,
          }),
        ]),
  ];
};

/** The modules as they declare themselves, in a server that is not running: what XEPS.md is made of. */
export const describeModules = (store: Store): readonly Module[] =>
  createModules({
    store,
    software: { name: "Kith", version: "" },
    softwareUri: "urn:example:kith",
    sha1: () => "",
    stanzaIds: { idOf: () => "", rowOf: () => undefined },
    fingerprint: () => "",
    recogniseFor: 0,
    archive: {
      groupchat: true,
      receipts: true,
      fullText: true,
      pageSize: 0,
      maxPage: 0,
      default: "always",
      retention: {
        keepFor: undefined,
        keepNewest: undefined,
        every: 0,
        after: () => () => undefined,
        failed: () => undefined,
      },
    },
    push: { services: { telling: { sender: false, body: false } }, browsers: undefined },
    limits: {
      recipientsPerMinute: 1,
      offlineMessages: 0,
      offlineBytes: 0,
      rosterItems: 0,
      rosterGroups: 0,
      rosterCharacters: 0,
      subscriptionRequests: 0,
      subscriptionRequestBytes: 0,
      directedPresenceCharacters: 0,
      blockedAddresses: 0,
      vcardBytes: 0,
      privateBytes: 0,
      privateNames: 0,
    },
    streamLimits: { visitor: {}, authenticated: {} },
    contactAddresses: () => ({}),
    items: () => [],
  });
