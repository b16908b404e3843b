import { attributeOf, type Bytes, findChild, idBytes, NS_STANZA_IDS, parseRaw, readChild } from "@kith/protocol";
import type { IdQuestion } from "./message-disk.ts";
import { type DiskMessage, isGroupchat, peerOf } from "./message-side.ts";
import type { ArchivePage, ArchiveQuery, StoredMessage } from "./messages.ts";

/** Does a message that the owner's archive shows match the query in all but its text? */
export const matches = (query: ArchiveQuery, message: DiskMessage): boolean => {
  const { row, stamp } = message;
  const { start = -Infinity, end = Infinity, after = 0, before = Infinity, rows, withGroupchat } = query;
  if (!(row > after && row < before && stamp >= start && stamp <= end)) return false;
  if (rows !== undefined && !rows.includes(row)) return false;
  return (withGroupchat || !isGroupchat(message)) && isWith(query, message);
};

const isWith = ({ owner, with: peer }: ArchiveQuery, message: DiskMessage): boolean => {
  if (peer === undefined) return true;
  if (peerOf(owner, message) !== peer.bare) return false;
  return peer.full === undefined || peerAddress(message.stanza, message.sender === owner) === idBytes(peer.full);
};

/** The address as it is written in the start tag that `writeStanza` makes, where `from` and `to` come first. */
const peerAddress = (stanza: Bytes, isSent: boolean): string | undefined => {
  const [, from, to] = ADDRESSES.exec(stanza) ?? [];
  return isSent ? to : from;
};
const ADDRESSES = /^<message(?: from='([^']*)')?(?: to='([^']*)')?/;

/** How well a message is the one that somebody, or in a room anybody, gave this id. */
export const idMatch = (
  { with: sender, id }: IdQuestion,
  message: DiskMessage,
): "by id" | "by origin-id" | undefined => {
  const isFromThem = message.from === sender;
  if (!isFromThem && !isGroupchat(message)) return undefined;
  const raw = parseRaw(message.stanza);
  if (attributeOf(raw, "id") === idBytes(id)) return "by id";
  const at = isFromThem ? findChild(raw, NS_STANZA_IDS, "origin-id") : -1;
  return at >= 0 && readChild(raw, at).attributes.id === id ? "by origin-id" : undefined;
};

/** The newest that has the id as its attribute, or else the newest that has it as its origin-id. Newest come first. */
export const foundById = (question: IdQuestion, newestFirst: Iterable<DiskMessage>): DiskMessage | undefined => {
  let byOrigin: DiskMessage | undefined;
  for (const message of newestFirst) {
    const match = idMatch(question, message);
    if (match === "by id") return message;
    if (match === "by origin-id") byOrigin ??= message;
  }
  return byOrigin;
};

/** The page of a query among all that match it, oldest first. */
export const pageOf = <T extends StoredMessage>(
  { from, limit, page: { after = 0, before = Number.POSITIVE_INFINITY } = {}, counted = false }: ArchiveQuery,
  found: readonly T[],
  shown: (message: T) => StoredMessage,
): ArchivePage => {
  const here = found.filter(({ row }) => row > after && row < before);
  const messages = from === "oldest" ? here.slice(0, limit) : here.slice(Math.max(0, here.length - limit));
  const isComplete = messages.length === here.length;
  const [first] = messages;
  return {
    messages: messages.map(shown),
    isComplete,
    ...(counted ? { count: found.length } : {}),
    ...(counted && first !== undefined ? { index: found.indexOf(first) } : {}),
  };
};
