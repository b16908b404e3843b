/** What the scenes of RFC 6121 share: who plays, and the XML they exchange. */
import type { Open, Outsider, Party, Scene } from "@kith/testing";
import type { Store } from "../store/store.ts";
import { Contacts } from "./rfc6121-contacts.ts";
import { Ledger } from "./rfc6121-ledger.ts";
import { type PresenceOptions, presenceExchange } from "./rfc6121-presence.ts";
import { type RosterLimits, roster } from "./rfc6121-roster.ts";
import { type SubscriptionLimits, subscriptions } from "./rfc6121-subscription.ts";

export interface StageOptions {
  readonly roster?: RosterLimits;
  readonly subscription?: SubscriptionLimits;
  readonly presence?: Omit<PresenceOptions, "contacts" | "ledger">;
  /** What becomes of the answers of a store that needs time for them. */
  readonly reads?: <T>(answer: T) => Promise<T>;
}

/** Ada, Grace and Linus have accounts here; whoever is at far.example is elsewhere. */
export const stage = (open: Open, options: StageOptions = {}): Promise<Scene> =>
  open({
    accounts: ["ada@example.org", "grace@example.org", "linus@example.org"],
    components: ["far.example", "rooms.example"],
    modules: (whole) => {
      const store = options.reads === undefined ? whole : slowed(whole, options.reads);
      const contacts = new Contacts(store);
      const ledger = new Ledger(store);
      return [
        presenceExchange({ contacts, ledger, ...options.presence }),
        subscriptions({
          contacts,
          ledger,
          ...(options.subscription === undefined ? {} : { limits: options.subscription }),
          ...(options.presence?.isBlocked === undefined ? {} : { isBlocked: options.presence.isBlocked }),
        }),
        roster(options.roster === undefined ? { contacts } : { contacts, limits: options.roster }),
      ];
    },
  });

/** Collections whose reads are promises, as those of a database elsewhere are. */
const slowed = (
  store: Pick<Store, "collection">,
  reads: NonNullable<StageOptions["reads"]>,
): Pick<Store, "collection"> => ({
  collection: <T>(name: string) => {
    const collection = store.collection<T>(name);
    return {
      ...collection,
      all: async (owner: string) => reads(await collection.all(owner)),
      get: async (owner: string, key: string) => reads(await collection.get(owner, key)),
    };
  },
});

export const get = (ver?: string): string =>
  `<iq type='get' id='get'><query xmlns='jabber:iq:roster'${ver === undefined ? "" : ` ver='${ver}'`}/></iq>`;
export const set = (item: string): string =>
  `<iq type='set' id='set'><query xmlns='jabber:iq:roster'>${item}</query></iq>`;
export const result = (party: Party, id = "set"): string => `<iq type='result' id='${id}' to='${party.jid}'/>`;
export const push = (party: Party, item: string): string =>
  `<iq type='set' id='*' to='${party.jid}'><query xmlns='jabber:iq:roster' ver='*'>${item}</query></iq>`;
export const whole = (party: Party, items: string, from = ""): string =>
  `<iq type='result' id='get' to='${party.jid}'${from}><query xmlns='jabber:iq:roster' ver='*'>${items}</query></iq>`;

/** Takes away what everybody has been sent so far. */
export const forget = (...inboxes: readonly (Party | Outsider)[]): void => {
  for (const inbox of inboxes) inbox.received();
};

/** A connected resource that has asked for the roster, but has sent no presence. */
export const interested = async (scene: Scene, jid: string): Promise<Party> => {
  const party = await scene.login(jid);
  await party.sends(get());
  party.received();
  return party;
};

/** An available resource that has asked for the roster. */
export const present = async (scene: Scene, jid: string, presence = "<presence/>"): Promise<Party> => {
  const party = await interested(scene, jid);
  await party.sends(presence);
  party.received();
  return party;
};

const bareOf = (jid: string): string => jid.replace(/\/.*/, "");

/** `user` sees the presence of `contact`; what that took is taken away. */
export const befriend = async (user: Party, contact: Party): Promise<void> => {
  await user.sends(`<presence type='subscribe' to='${bareOf(contact.jid)}'/>`);
  await contact.sends(`<presence type='subscribed' to='${bareOf(user.jid)}'/>`);
  forget(user, contact);
};

/** What came, without the explanations that errors carry. */
export const terse = (party: Party): string[] =>
  party.received().map((xml) => xml.replace(/<text [^>]*>[^<]*<\/text>/g, ""));

export const verOf = (stanza: string | undefined): string => / ver='([^']*)'/.exec(stanza ?? "")?.[1] ?? "none";
