/** XEP-0045 §7.10, §7.12: nicknames that people register. */
import {
  childOf,
  type Element,
  Form,
  hasAffiliation,
  type Iq,
  type Jid,
  type NickRegistration,
  NS_DATA_FORMS,
  nickRegistrationForm,
  parseNickRegistration,
  type RegisterInfo,
  RegisterResult,
  resultOf,
  StanzaError,
  tryJid,
} from "@kith/protocol";
import { inOrder } from "./room-admin.ts";
import { changeAffiliation, checkAffiliations } from "./room-affiliations.ts";
import { type RoomOutputs, route } from "./room-model.ts";
import { checkNickname } from "./room-nicknames.ts";
import type { RoomState } from "./room-state.ts";

/** What is registered, or what is to be filled in. Throws StanzaError "not-allowed" for whoever may not register. */
export const answerRegistration = (room: RoomState, request: Iq, who: Jid): RoomOutputs => {
  checkMayRegister(room, who);
  const { nick } = room.recordOf(who.bare);
  const info: RegisterInfo = {
    registered: nick !== undefined,
    instructions: undefined,
    fields: nick === undefined ? {} : { username: nick },
    form: nickRegistrationForm(nick),
    url: undefined,
  };
  return [route(resultOf(request, [RegisterResult.build(info)]))];
};

/** Registers a nickname, or gives it up. Throws "bad-request", "conflict", "not-allowed", "not-acceptable". */
export const register = (room: RoomState, request: Iq, who: Jid, query: Element): RoomOutputs => {
  checkMayRegister(room, who);
  const answer = [route(resultOf(request))];
  if (childOf(query, "remove") !== undefined) return unregister(room, who, answer);
  const x = childOf(query, "x", NS_DATA_FORMS);
  if (x === undefined) throw new StanzaError("bad-request", { text: "a form is expected" });
  const { nick } = checkedRegistration(room, who, parseNickRegistration(Form.parse(x)));
  const { affiliation } = room.recordOf(who.bare);
  const change = {
    account: who.toBare(),
    affiliation: affiliation === "none" ? ("member" as const) : affiliation,
    nick,
  };
  checkAffiliations(room, [change], undefined);
  return inOrder(room, [withoutNotices(changeAffiliation(room, change, undefined))], answer);
};

/** Whoever does it themselves is not sent a notice of it. */
const withoutNotices = (told: ReturnType<typeof changeAffiliation>): ReturnType<typeof changeAffiliation> => ({
  ...told,
  toOthers: told.toOthers.filter((output) => output.is !== "route"),
});

/** A member who gives up the nickname is a member no longer; an admin or owner stays one (XEP-0077 §3.2). */
const unregister = (room: RoomState, who: Jid, answer: RoomOutputs): RoomOutputs => {
  const { affiliation, nick } = room.recordOf(who.bare);
  if (affiliation === "none" && nick === undefined)
    throw new StanzaError("registration-required", { text: "you have not registered" });
  const left = affiliation === "member" ? ("none" as const) : affiliation;
  const change = { account: who.toBare(), affiliation: left, nick: "" };
  return inOrder(room, [withoutNotices(changeAffiliation(room, change, undefined))], answer);
};

/** §7.10: strangers where the configuration lets them, and never into a members-only room; whoever belongs to the room always. */
const checkMayRegister = (room: RoomState, who: Jid): void => {
  const affiliation = room.affiliationOf(who);
  const { allowRegistration, isMembersOnly } = room.configuration;
  const may = hasAffiliation(affiliation, "member") || (affiliation === "none" && allowRegistration && !isMembersOnly);
  if (!may || room.phase !== "open") throw new StanzaError("not-allowed", { text: "you cannot register here" });
};

const checkedRegistration = (room: RoomState, who: Jid, registration: NickRegistration): NickRegistration => {
  const nick = tryJid(`${room.jid.bare}/${registration.nick}`)?.resource;
  if (nick === undefined) throw new StanzaError("bad-request", { text: "this can be no nickname" });
  checkNickname(nick, room.limits.nickname);
  const owner = room.reservedFor(nick);
  const there = room.occupantLike(nick);
  if ((owner !== undefined && owner !== who.bare) || (there !== undefined && there.account.bare !== who.bare))
    throw new StanzaError("conflict", { text: "somebody else has this nickname" });
  return { ...registration, nick };
};
