import { type BareJid, type Eventually, type FullJid, type Iq, isPromise, StreamError } from "@kith/protocol";
import { type Aside, type Ending, type Frame, type Holder, NOBODY, type Outcome, outcomeOf } from "../fabric/fabric.ts";
import { byAvailability } from "../fabric/ranking.ts";
import type { AvailableResource, Which } from "../module.ts";
import type { Session } from "../session/session.ts";
import type { RowId, Ticket } from "../store/store.ts";

/** May this IQ request reach this session? */
export type Admit = (request: Iq, session: Session) => Eventually<boolean>;

/** The sessions of one account that this process holds; chooses among them what a frame is for. */
export class AccountSessions implements Holder {
  readonly account: BareJid;
  readonly #admit: Admit;
  #sessions: readonly Session[] = [];

  constructor(account: BareJid, admit: Admit) {
    this.account = account;
    this.#admit = admit;
  }

  get isEmpty(): boolean {
    return this.#sessions.length === 0;
  }
  get count(): number {
    return this.#sessions.length;
  }
  add(session: Session): void {
    this.#sessions = [...this.#sessions, session];
  }
  remove(session: Session): void {
    this.#sessions = this.#sessions.filter((other) => other !== session);
  }
  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions[Symbol.iterator]();
  }
  find(full: string): Session | undefined {
    for (const session of this.#sessions) if (session.jid.full === full) return session;
    return undefined;
  }

  receive(frame: Frame, after: Ticket | undefined, aside?: Aside): Eventually<Outcome> {
    if (typeof frame.for === "string" && frame.for.includes("/")) return this.#receiveOne(frame, after, aside);
    let live = 0;
    let held = 0;
    for (const session of this.#sessions) {
      if (isExcepted(session, frame) || !isMeant(session, frame.for)) continue;
      session.send(frame, after, aside);
      if (session.isDetached) held++;
      else live++;
    }
    return outcomeOf(live, held);
  }

  #receiveOne(frame: Frame, after: Ticket | undefined, aside: Aside | undefined): Eventually<Outcome> {
    const session = this.find(frame.for as FullJid);
    if (session === undefined) return NOBODY;
    const { stanza } = frame;
    if (stanza.kind !== "iq" || (stanza.type !== "get" && stanza.type !== "set"))
      return deliver(session, frame, after, aside);
    const admitted = this.#admit(stanza, session);
    if (isPromise(admitted)) return admitted.then((yes) => (yes ? deliver(session, frame, after, aside) : NOBODY));
    return admitted ? deliver(session, frame, after, aside) : NOBODY;
  }

  underWay(rows: Set<RowId>): void {
    for (const session of this.#sessions) session.underWay(rows);
  }

  available(): readonly AvailableResource[] {
    const available: AvailableResource[] = [];
    for (const { jid, presence, priority, since, isDetached } of this.#sessions) {
      if (presence !== undefined) available.push({ jid, presence, priority, since, isDetached });
    }
    return available.length > 1 ? available.sort(byAvailability) : available;
  }

  async end({ condition, text, only, except }: Ending): Promise<void> {
    for (const session of this.#sessions) {
      const { full } = session.jid;
      if ((only === undefined || full === only) && full !== except)
        await session.close(new StreamError(condition, text));
    }
  }
}

const isMeant = (session: Session, which: Frame["for"]): boolean => {
  if (which === "bound") return true;
  if (which === "available") return session.presence !== undefined;
  if (typeof which === "string") return session.jid.full === which;
  return isMark(which) ? session.marks.has(which.marked) : which.includes(session.jid.full as FullJid);
};
const isMark = (which: Exclude<Which, string> | readonly FullJid[]): which is Exclude<Which, string> =>
  "marked" in which;

const isExcepted = ({ jid }: Session, { except }: Frame): boolean => {
  if (except === undefined) return false;
  return typeof except === "string" ? jid.full === except : except.includes(jid.full as FullJid);
};

const deliver = (session: Session, frame: Frame, after: Ticket | undefined, aside: Aside | undefined): Outcome => {
  session.send(frame, after, aside);
  return session.isDetached ? outcomeOf(0, 1) : outcomeOf(1, 0);
};
