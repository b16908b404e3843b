import { attributeOf, findChild, idBytes, NS_STANZA_IDS, parseRaw, readChild } from "@kith/protocol";
import type { IdQuestion } from "./message-disk.ts";
import { type DiskMessage, isGroupchat } from "./message-side.ts";

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
