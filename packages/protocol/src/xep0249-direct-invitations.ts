/** XEP-0249: inviting somebody to a room without the room. */
import { StanzaError } from "./errors.ts";
import { type Jid, parseJid } from "./jid.ts";
import { payload } from "./payload.ts";
import { booleanOf } from "./xep0004-data-forms.ts";
import { element } from "./xml/element.ts";

export const NS_DIRECT_INVITATION = "jabber:x:conference";

export interface DirectInvitation {
  readonly room: Jid;
  readonly password?: string | undefined;
  readonly reason?: string | undefined;
  /** The room goes on with a conversation between two (XEP-0045 §7.9). */
  readonly continues?: { readonly thread?: string | undefined } | undefined;
}

/** `<x/>` (§2). Throws StanzaError "bad-request" where no room is named, "jid-malformed" where it is none. */
export const DirectInvitationPayload = payload<DirectInvitation, "message">({
  ns: NS_DIRECT_INVITATION,
  name: "x",
  places: ["message"],
  parse: ({ attributes: { jid, password, reason, continue: continues, thread } }) => {
    if (jid === undefined) throw new StanzaError("bad-request", { text: "an invitation is to a room" });
    return {
      room: parseJid(jid).toBare(),
      password,
      reason,
      continues: booleanOf(continues) === true ? { thread } : undefined,
    };
  },
  build: ({ room, password, reason, continues }) =>
    element(NS_DIRECT_INVITATION, "x", {
      jid: room.bare,
      password,
      reason,
      continue: continues === undefined ? undefined : true,
      thread: continues?.thread,
    }),
});
