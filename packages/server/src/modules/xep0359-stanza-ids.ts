import {
  type Bytes,
  type Eventually,
  hasChild,
  isChild,
  isPromise,
  type Jid,
  type Message,
  NS_DELAY,
  NS_STANZA_IDS,
  parseRaw,
  readStanza,
  type Stanza,
  withoutChildren,
  withoutStanzaIds,
} from "@kith/protocol";
import { type Context, type Effects, type Keeping, type Module, type SessionView, writeSoon } from "../module.ts";
import type { Messages, StoredMessage } from "../store/messages.ts";
import type { RowId } from "../store/store.ts";

export interface StanzaIdsOptions {
  readonly messages: Pick<Messages, "sentBefore" | "page" | "forgetKey">;
  /** For how long a message is known again when it is sent once more, in milliseconds. Default 24 hours. */
  readonly rememberFor?: number;
  /** The same for the same bytes; fast. */
  readonly fingerprint: (bytes: Bytes) => string;
}

const DAY = 86_400_000;
const NOTHING: Effects = [];

/**
 * XEP-0359: nobody but the server gives ids in the name of its accounts; and a message that a client sends again, since it does not
 * know whether it has arrived, is recognised by its origin-id and goes no further.
 */
export const stanzaIds = ({ messages, fingerprint, rememberFor = DAY }: StanzaIdsOptions): Module => {
  // A session's stanzas come one after the other, so that between guard and archive only another session's can come.
  let keyed: SessionView | undefined;
  let lastKey = "";

  const guard = (stanza: Stanza, { session, now }: Context): Eventually<"drop" | undefined> => {
    if (session === undefined || stanza.from === undefined || !isRecognisable(stanza)) return undefined;
    keyed = session;
    lastKey = keyOf(stanza, fingerprint);
    const row = messages.sentBefore(stanza.from.bare, lastKey, now() - rememberFor);
    return isPromise(row) ? row.then(dropIfSent) : dropIfSent(row);
  };

  const archive = (message: Message, { session }: Context): Keeping | undefined => {
    if (session === undefined || !isRecognisable(message)) return undefined;
    return { key: keyed === session ? lastKey : keyOf(message, fingerprint) };
  };

  return {
    name: "stanza-ids",
    xeps: [{ xep: "XEP-0359", version: "0.7.0" }],
    accountFeatures: [NS_STANZA_IDS],
    sending: { guard, amend: withoutForgeries, archive },
    receiving: {
      amend: withoutForgeries,
      copy: (stanza, { now }) =>
        stanza.kind === "message" && stanza.type === "error" && stanza.id !== undefined
          ? freed(messages, stanza, now() - rememberFor)
          : NOTHING,
    },
  };
};

const dropIfSent = (row: RowId | undefined): "drop" | undefined => (row === undefined ? undefined : "drop");

/** §3, rule 2. Whatever is at one of the server's own hosts gets its ids from the server alone; rooms have hosts of their own. */
const withoutForgeries = (stanza: Stanza, { isLocal }: Context): Stanza =>
  stanza.kind === "iq" || !hasChild(stanza, NS_STANZA_IDS, "stanza-id")
    ? stanza
    : withoutStanzaIds(stanza, (by: Jid) => isLocal(by.domain));

/** For groupchat the room does it, once it has accepted the message: before that nobody knows whether it counts. */
const isRecognisable = (stanza: Stanza): stanza is Message =>
  stanza.kind === "message" &&
  (stanza.type === "chat" || stanza.type === "normal") &&
  hasChild(stanza, NS_STANZA_IDS, "origin-id");

/** Of an account's messages so many are known again at most. */
const REMEMBERED = 256;

/** A message that came back as an error has not arrived: sent again, it is a new one. */
const freed = async (messages: StanzaIdsOptions["messages"], error: Message, since: number): Promise<Effects> => {
  const { from, to } = error;
  if (from === undefined || to === undefined) return NOTHING;
  const owner = to.bare;
  // Whom it was for says so, or their server.
  const peer = from.isDomain ? {} : { with: { bare: from.bare } };
  const query = { owner, ...peer, start: since, withGroupchat: false, from: "newest", limit: REMEMBERED } as const;
  const page = await messages.page(query);
  const sent = page.messages.findLast((message) => isReturned(error, from, message));
  return sent === undefined ? NOTHING : [writeSoon(messages.forgetKey(owner, sent.row))];
};

const isReturned = (error: Message, from: Jid, { sender, stanza }: StoredMessage): boolean => {
  if (sender !== error.to?.bare) return false;
  const { id, to } = readStanza(parseRaw(stanza));
  return id === error.id && to !== undefined && (to.bare === from.bare || to.domain === from.full);
};

/**
 * The same for two messages that are the same but for the resource they are for, and for what tells of a delay. Each account has keys
 * of its own, so that nobody gains by making two messages that only look the same. No attribute has a line feed of its own.
 */
const keyOf = (message: Message, fingerprint: StanzaIdsOptions["fingerprint"]): string => {
  const { to, type, id = "", lang = "", attributes } = message;
  let whole = `${to === undefined ? "" : to.toBare().attribute}\n${type}\n${id}\n${lang}\n`;
  for (let at = 0; at < attributes.length; at++) whole += `${attributes[at]}\n`;
  return fingerprint((whole + withoutAdditions(message)) as Bytes);
};

/** The payload without what the client that sends it again, or the server, may have put into it. */
const withoutAdditions = (message: Message): Bytes =>
  hasChild(message, NS_DELAY, "delay") || hasChild(message, NS_STANZA_IDS, "stanza-id")
    ? withoutChildren(message, (at) => isAddition(message, at)).payload
    : message.payload;
const isAddition = (message: Message, at: number): boolean =>
  isChild(message, at, NS_DELAY, "delay") || isChild(message, at, NS_STANZA_IDS, "stanza-id");
