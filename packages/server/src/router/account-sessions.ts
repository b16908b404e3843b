import { type BareJid, type Eventually, type FullJid, type Iq, isPromise, StreamError } from "@kith/protocol";
import type { Ending, Frame, Holder } from "../fabric/fabric.ts";
import { byAvailability } from "../fabric/ranking.ts";
import type { AvailableResource, Which } from "../module.ts";
import type { Session } from "../session/session.ts";
import type { Ticket } from "../store/store.ts";

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

  receive(frame: Frame, after: Ticket | undefined): Eventually<number> {
    if (typeof frame.for === "string" && frame.for.includes("/")) return this.#receiveOne(frame, after);
    let live = 0;
    for (const session of this.#sessions) {
      if (session.jid.full === frame.except || !isMeant(session, frame.for)) continue;
      deliver(session, frame, after);
      live++;
    }
    return live;
  }

  #receiveOne(frame: Frame, after: Ticket | undefined): Eventually<number> {
    const session = this.find(frame.for as FullJid);
    if (session === undefined) return 0;
    const { stanza } = frame;
    if (stanza.kind !== "iq" || (stanza.type !== "get" && stanza.type !== "set")) return deliver(session, frame, after);
    const admitted = this.#admit(stanza, session);
    if (isPromise(admitted)) return admitted.then((yes) => (yes ? deliver(session, frame, after) : 0));
    return admitted ? deliver(session, frame, after) : 0;
  }

  available(): readonly AvailableResource[] {
    const available: AvailableResource[] = [];
    for (const { jid, presence, priority, since } of this.#sessions) {
      if (presence !== undefined) available.push({ jid, presence, priority, since });
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

const deliver = (session: Session, { stanza, row }: Frame, after: Ticket | undefined): 1 => {
  session.send(stanza, after, row);
  return 1;
};
