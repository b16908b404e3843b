import type { Bytes } from "@kith/protocol";
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
  return peer.full === undefined || peerAddress(message.stanza, message.sender === owner) === peer.full;
};

/** The address in the start tag that `writeStanza` makes, where `from` and `to` come first. */
const peerAddress = (stanza: Bytes, isSent: boolean): string => {
  const [, from = "", to = ""] = ADDRESSES.exec(stanza) ?? [];
  const escaped = Buffer.from(isSent ? to : from, "latin1").toString();
  return escaped.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ENTITIES[name] ?? "");
};
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
const ADDRESSES = /^<message(?: from='([^']*)')?(?: to='([^']*)')?/;

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
