import { type Bytes, carbonOf, type Jid, type Message, readdressed, withStanzaId, writeStanza } from "@kith/protocol";
import type { Frame } from "../fabric/fabric.ts";
import type { Shown } from "../module.ts";
import type { MessageSide } from "../store/messages.ts";
import type { RowId } from "../store/store.ts";

/** The id by which an archive knows a message (XEP-0359). */
export type StanzaIdOf = (row: RowId, side: MessageSide) => string;

/**
 * A frame as it goes to one session: with the id that its account's archive gave it, as a carbon where it is to be one.
 * What has no `to` of its own, such as a roster push, gets the session's address (RFC 6121 §2.1.6).
 */
export const render = ({ stanza, stored, carbon }: Frame, jid: Jid, idOf: StanzaIdOf): Bytes => {
  if (stored !== undefined || carbon !== undefined) return renderMessage(stanza as Message, stored, carbon, jid, idOf);
  return writeStanza(stanza.to === undefined ? readdressed(stanza, stanza.from, jid) : stanza);
};

const renderMessage = (
  message: Message,
  stored: Shown | undefined,
  carbon: MessageSide | undefined,
  jid: Jid,
  idOf: StanzaIdOf,
): Bytes => {
  const account = jid.toBare();
  const shown = stored?.isArchived ? withStanzaId(message, idOf(stored.row, stored.side), account) : message;
  return writeStanza(carbon === undefined ? shown : carbonOf(shown, carbon, account, jid));
};
