/** A stage for scenes with archives: Romeo and Juliet, who keep what they say to each other. */
import { parseElement, parseJid, parseRaw, readStanza, textNamed } from "@kith/protocol";
import type { Open, Party, Scene } from "@kith/testing";
import { fingerprint } from "../fingerprint.ts";
import { StanzaIds } from "../stanza-ids.ts";
import type { Store } from "../store/store.ts";
import { offline } from "./xep0160-offline.ts";
import { blocking } from "./xep0191-blocking.ts";
import { type ArchiveOptions, archive } from "./xep0313-archive.ts";
import { stanzaIds } from "./xep0359-stanza-ids.ts";
import { retraction } from "./xep0424-retraction.ts";
import { type ArchivePreferencesOptions, archivePreferences } from "./xep0441-archive-preferences.ts";

export const ROMEO = "romeo@example.org/orchard";
export const JULIET = "juliet@example.org/balcony";
export const STAMP = "2031-05-17T09:30:00Z";

/** As the scenes' routers have them. */
export const IDS = new StanzaIds(new Uint8Array(16));

export interface ArchiveStageOptions extends Partial<Omit<ArchiveOptions, "messages" | "ids" | "isWanted">> {
  readonly otherwise?: ArchivePreferencesOptions["otherwise"];
  readonly contacts?: readonly string[];
  readonly components?: readonly string[];
  readonly isOff?: boolean;
}

const modulesOf = (store: Store, options: ArchiveStageOptions) => {
  const { messages } = store;
  const { otherwise, contacts = [], components: _, isOff = false, ...settings } = options;
  const block = blocking({
    blocklists: store.collection("blocklist"),
    contactsOf: () => new Map(),
    directedBy: () => new Map(),
  });
  const preferences = archivePreferences({
    preferences: store.collection("archive-preferences"),
    isContact: (_account, other) => contacts.includes(other),
    ...(otherwise === undefined ? {} : { otherwise }),
  });
  return [
    block,
    stanzaIds({ messages, fingerprint }),
    ...(isOff
      ? []
      : [
          preferences,
          archive({ ...settings, messages, ids: IDS, isWanted: preferences.isWanted }),
          retraction({ messages }),
        ]),
    offline({ messages, isBlocked: block.isBlocked }),
  ];
};

export interface ArchiveStage {
  readonly scene: Scene;
  readonly romeo: Party;
  readonly juliet: Party;
}

export const archiveStage = async (open: Open, options: ArchiveStageOptions = {}): Promise<ArchiveStage> => {
  const scene = await open({
    modules: (store) => modulesOf(store, options),
    accounts: ["romeo@example.org", "juliet@example.org", "paris@example.org"],
    components: options.components ?? [],
  });
  return { scene, romeo: await scene.online(ROMEO), juliet: await scene.online(JULIET) };
};

export const body = (text: string): string => `<body>${text}</body>`;
export const chat = (to: string, content: string, attributes = ""): string =>
  `<message to='${to}' type='chat' ${attributes}>${content}</message>`;

/** A `<query/>` with these fields of the form and, after it, whatever else. */
export const queryOf = (
  fields: Readonly<Record<string, string | readonly string[]>> = {},
  more = "",
  attributes = "",
): string => {
  const field = (name: string, values: readonly string[]): string =>
    `<field var='${name}'>${values.map((value) => `<value>${value}</value>`).join("")}</field>`;
  const form = Object.entries(fields).map(([name, value]) => field(name, typeof value === "string" ? [value] : value));
  const type = "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>";
  const x = form.length === 0 ? "" : `<x xmlns='jabber:x:data' type='submit'>${type}${form.join("")}</x>`;
  return `<query xmlns='urn:xmpp:mam:2'${attributes}>${x}${more}</query>`;
};
export const rsm = (content: string): string => `<set xmlns='http://jabber.org/protocol/rsm'>${content}</set>`;

export interface Answered {
  /** The results, as they came: their ids, and the bodies of what was kept. */
  readonly ids: readonly string[];
  readonly bodies: readonly string[];
  readonly results: readonly string[];
  /** What came last. */
  readonly end: string;
}

/** Asks one's own archive. */
export const asks = async (party: Party, query: string): Promise<Answered> => {
  party.received();
  await party.sends(`<iq type='set' id='ask'>${query}</iq>`);
  const received = party.received();
  const results = received.slice(0, -1);
  const elements = results.map((xml) => parseElement(xml));
  const found = (xml: string): string => /<body>(.*?)<\/body>/s.exec(xml)?.[1] ?? "";
  return {
    ids: elements.map((element) => {
      const result = element.children[0];
      return result === undefined || typeof result === "string" ? "" : (result.attributes.id ?? "");
    }),
    bodies: results.map(found),
    results,
    end: received.at(-1) ?? "",
  };
};

/** What is in an archive, by body. */
export const kept = async (scene: Scene, account: string): Promise<readonly string[]> => {
  const owner = parseJid(account).bare;
  const page = await scene.store.messages.page({ owner, withGroupchat: true, from: "oldest", limit: 1_000 });
  return page.messages.map(({ stanza }) => textNamed(readStanza(parseRaw(stanza)), "body") ?? "");
};
