/** Messages that are in Kith's archive before anything is measured: written by its own store, as the server would have. */
import type { BareJid, Bytes } from "@kith/protocol";
import { type NewMessage, openSqliteStore, type Store } from "@kith/server";
import { DOMAIN } from "./generator/connection.ts";
import { userName } from "./generator/crowd.ts";

export interface Fill {
  readonly do: "fill";
  readonly prefix: string;
  /** Messages. */
  readonly count: number;
  readonly users: number;
  /** Who has said them: each two users to one another, in turn, or all users to the first, who answers. */
  readonly between: "pairs" | "first-and-others";
}

/** Messages in one transaction. */
const AT_ONCE = 1_000;
/** They are as old as a year at most; and a day at least, so that nothing takes them for what was said just now. */
const YEAR_MS = 365 * 86_400_000;
const DAY_MS = 86_400_000;
const LOOK_AGAIN_MS = 10;
const DIGEST_AFTER = { messages: 3 * AT_ONCE, delay: LOOK_AGAIN_MS };

/** Fills the store in a directory, which nobody else may have open. Settles when everything is on disk, and indexed. */
export const fillStore = async (directory: string, fill: Fill, isSearchable: boolean): Promise<void> => {
  const end = Date.now() - DAY_MS;
  let written = 0;
  const now = (): number => end - Math.round((YEAR_MS * (fill.count - written)) / fill.count);
  const store = await openSqliteStore({ directory, now, synchronous: "NORMAL", digestAfter: DIGEST_AFTER });
  try {
    for (; written < fill.count; written += AT_ONCE)
      await keep(store, messagesOf(fill, written, Math.min(written + AT_ONCE, fill.count), isSearchable));
    await caughtUp(store);
  } finally {
    await store.close();
  }
};

const keep = (store: Store, messages: Iterable<NewMessage>): Promise<void> =>
  new Promise((resolve, reject) => {
    const unit = store.begin();
    for (const message of messages) unit.keep(message);
    unit.commit().onSettled((isCommitted) => {
      if (isCommitted) resolve();
      else reject(new Error("messages could not be stored"));
    });
  });

const caughtUp = async ({ messages }: Store): Promise<void> => {
  while (messages.lag.index > 0 || messages.lag.search > 0)
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
};

/** The messages from one number to before another. */
export function* messagesOf(fill: Fill, from: number, to: number, isSearchable: boolean): Iterable<NewMessage> {
  for (let number = from; number < to; number++) yield messageOf(fill, number, isSearchable);
}

const messageOf = (fill: Fill, number: number, isSearchable: boolean): NewMessage => {
  const [one, other] = sidesOf(fill, number);
  const isAnswer = Math.floor(number / conversationsOf(fill)) % 2 === 1;
  const [sender, recipient] = isAnswer ? [other, one] : [one, other];
  return {
    stanza: stanzaOf(sender, recipient, number),
    sender,
    recipient,
    isArchived: { sent: true, received: true },
    waits: false,
    from: sender,
    to: recipient,
    isGroupchat: false,
    isSearchable,
    origin: undefined,
    key: number.toString(36).padStart(KEY_LENGTH, "k"),
  };
};

/** As long as those by which the server recognises messages. */
const KEY_LENGTH = 12;

const conversationsOf = ({ users, between }: Fill): number => (between === "pairs" ? users / 2 : users - 1);

const sidesOf = (fill: Fill, number: number): readonly [BareJid, BareJid] => {
  const conversation = number % conversationsOf(fill);
  const [one, other] = fill.between === "pairs" ? [2 * conversation, 2 * conversation + 1] : [0, conversation + 1];
  return [addressOf(fill.prefix, one), addressOf(fill.prefix, other)];
};

const addressOf = (prefix: string, number: number): BareJid => `${userName(prefix, number)}@${DOMAIN}` as BareJid;

/** With as many octets of text as the messages that are measured have. */
const stanzaOf = (from: BareJid, to: BareJid, number: number): Bytes =>
  (`<message from='${from}/phone' to='${to}' type='chat' id='m${number}'><origin-id xmlns='urn:xmpp:sid:0' id='history-${number}'/>` +
    `<body>${sentenceOf(number)}</body></message>`) as Bytes;

const TEXT_LENGTH = 100;
const WORDS = "but soft what light through yonder window breaks it is the east and juliet is the sun".split(" ");

/** Other words in every message: an index of texts is no smaller than that of real ones. */
const sentenceOf = (number: number): string => {
  let text = `${number}`;
  for (let at = number; text.length < TEXT_LENGTH; at = Math.imul(at, 1_103_515_245) + 12_345)
    text += ` ${WORDS[(at >>> 8) % WORDS.length]}`;
  return text.slice(0, TEXT_LENGTH);
};
