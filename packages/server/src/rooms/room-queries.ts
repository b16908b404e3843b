/** XEP-0045 §17.4, §6.6: IQs between occupants; XEP-0410: pings to oneself. */
import {
  detached,
  type Iq,
  idOf,
  isChild,
  isChildIn,
  type Jid,
  iq as makeIq,
  NS_DISCO_INFO,
  NS_DISCO_ITEMS,
  NS_PING,
  NS_PUBSUB,
  NS_VCARD,
  resultOf,
  StanzaError,
  withPayload,
} from "@kith/protocol";
import { NOTHING, type RoomOutputs, route } from "./room-model.ts";
import type { Occupant, Session } from "./room-occupants.ts";
import type { RoomState } from "./room-state.ts";

/** A request to an occupant: goes to its leading client, without saying who asks or who is asked (§17.4). */
export const forwardRequest = (room: RoomState, request: Iq, who: Jid, nick: string): RoomOutputs => {
  const session = room.sessionOf(who) ?? refuseStranger(request);
  const { occupant } = session;
  const isPing = isChild(request, 0, NS_PING, "ping");
  // XEP-0410 §3.3: is this very client in the room?
  if (isPing && occupant.nick === nick) return [route(resultOf(request))];
  const asked = room.occupantAt(nick);
  if (asked === undefined) throw new StanzaError("item-not-found", { text: "there is nobody of this nickname" });
  return [route(passOn(room, request, session, asked))];
};

/** §6.6 and XEP-0410 §3.2: who is not in the room learns nothing of those who are. */
const refuseStranger = (request: Iq): never => {
  const isDisco = isChildIn(request, 0, NS_DISCO_INFO) || isChildIn(request, 0, NS_DISCO_ITEMS);
  throw new StanzaError(isDisco ? "bad-request" : "not-acceptable", {
    ...(isDisco ? {} : { type: "cancel" as const }),
    text: "you are not in the room",
  });
};

const passOn = (room: RoomState, request: Iq, { jid, occupant }: Session, asked: Occupant): Iq => {
  const id = room.options.newId();
  // What an account answers for its clients is asked of the account.
  const isForAccount = isChildIn(request, 0, NS_VCARD) || isChildIn(request, 0, NS_PUBSUB);
  const to = isForAccount ? asked.account : asked.leader.jid;
  room.forwarded.set(id, { requester: jid, id: detached(idOf(request) ?? ""), asked: to, occupant: asked.jid });
  for (const [oldest] of room.forwarded) {
    if (room.forwarded.size <= room.limits.requests) break;
    room.forwarded.delete(oldest);
  }
  const type = request.type === "set" ? "set" : "get";
  return withPayload(makeIq({ type, id, from: occupant.jid, to }), request.payload, request.index);
};

/** What an occupant's client answers, for the one who asked. Whatever nobody asked for is dropped. */
export const returnAnswer = (room: RoomState, answer: Iq, who: Jid): RoomOutputs => {
  const key = idOf(answer) ?? "";
  const request = room.forwarded.get(key);
  if (request === undefined || !request.asked.equals(who)) return NOTHING;
  room.forwarded.delete(key);
  if (room.sessionOf(request.requester) === undefined) return NOTHING;
  const type = answer.type === "error" ? "error" : "result";
  const passed = makeIq({ type, id: request.id, from: request.occupant, to: request.requester });
  return [route(withPayload(passed, answer.payload, answer.index))];
};
