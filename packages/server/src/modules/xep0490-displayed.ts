import {
  assistedDisplay,
  type BareJid,
  DISPLAYED_SERVER_ASSIST,
  type Element,
  type Eventually,
  hasChild,
  NS_DISPLAYED,
} from "@kith/protocol";
import type { Context, Effects, Module, SessionView } from "../module.ts";

/** Publishes an item at one of an account's own nodes, made as XEP-0490 §4.2 wants it if it is not there yet. */
export type PublishDisplayed = (
  account: BareJid,
  item: string,
  displayed: Element,
  context: Context,
) => Eventually<Effects>;

export interface DisplayedOptions {
  /** By personal eventing (XEP-0163). Where there is none, clients are not told that the server assists them. */
  readonly publish?: PublishDisplayed | undefined;
}

const NOTHING: Effects = [];

/**
 * XEP-0490: what a client says of how far a conversation has been displayed is for its own account: it is taken out of what it sends before
 * anybody else sees it, archives and carbons included (§5.2, §7), and published for the account's other clients (§4.5).
 */
export const displayed = ({ publish }: DisplayedOptions = {}): Module => {
  /** What the message that a session is sending right now says; from its amend phase to its copy phase. */
  const said = new WeakMap<SessionView, { readonly item: string; readonly displayed: Element }>();
  return {
    name: "displayed",
    xeps: [
      {
        xep: "XEP-0490",
        version: "1.0.1",
        ...(publish === undefined
          ? { note: "markers for the server are stripped; publishing them needs XEP-0163" }
          : {}),
      },
    ],
    ...(publish === undefined ? {} : { accountFeatures: [DISPLAYED_SERVER_ASSIST] }),
    sending: {
      amend: (stanza, { session }) => {
        if (stanza.kind !== "message" || !hasChild(stanza, NS_DISPLAYED, "displayed")) return stanza;
        const assisted = assistedDisplay(stanza);
        if (assisted === undefined) return stanza;
        if (session !== undefined && stanza.type !== "error") said.set(session, assisted);
        return assisted.message;
      },
      copy: (stanza, context) => {
        const { session } = context;
        const one = session === undefined || stanza.kind !== "message" ? undefined : said.get(session);
        if (one === undefined || session === undefined) return NOTHING;
        said.delete(session);
        return publish?.(session.jid.bare, one.item, one.displayed, context) ?? NOTHING;
      },
    },
  };
};
