/** XEP-0045 §7.13, §8.6: visitors ask for voice, moderators decide. */
import { type DataForm, Form, type Jid, message, parseVoiceForm, StanzaError, voiceApprovalForm } from "@kith/protocol";
import { doerOf, inOrder } from "./room-admin.ts";
import { noteMoment } from "./room-messages.ts";
import { NOTHING, type RoomOutputs, send } from "./room-model.ts";
import type { Session } from "./room-occupants.ts";
import { changeRole } from "./room-roles.ts";
import type { RoomState } from "./room-state.ts";

/** A form of muc#request that somebody has sent to the room. */
export const handleVoiceForm = (room: RoomState, who: Jid, form: DataForm, at: number): RoomOutputs => {
  const session = room.sessionFor(who, "forbidden");
  const voice = parseVoiceForm(form);
  if (voice.is === "request") return askForVoice(room, session, at);
  if (session.occupant.role !== "moderator") throw new StanzaError("forbidden", { text: "for moderators to decide" });
  if (!voice.isGranted) return NOTHING;
  const occupant = room.occupantAt(voice.nick);
  // They have left, changed nicknames, or been given voice by another moderator meanwhile.
  if (occupant === undefined || occupant.role !== "visitor") return NOTHING;
  if (voice.jid !== undefined && voice.jid.bare !== occupant.account.bare) return NOTHING;
  return inOrder(room, [changeRole(room, { occupant, role: "participant" }, doerOf(room, who))], NOTHING);
};

const askForVoice = (room: RoomState, { jid, occupant }: Session, at: number): RoomOutputs => {
  const { allowVoiceRequests, voiceRequestInterval } = room.configuration;
  if (occupant.role !== "visitor") return NOTHING;
  if (!allowVoiceRequests) throw new StanzaError("not-allowed", { text: "voice cannot be asked for here" });
  const last = room.askedForVoice.get(occupant.account.bare);
  if (last !== undefined && at - last < voiceRequestInterval * 1000)
    throw new StanzaError("resource-constraint", { text: `ask again after ${voiceRequestInterval} seconds` });
  noteMoment(room.askedForVoice, occupant.account.bare, at, voiceRequestInterval * 1000);
  const form = Form.build(voiceApprovalForm(jid, occupant.nick));
  return send([message({ from: room.jid, id: room.options.newId() }, [form])], room.moderators());
};
