/** What has to be there before anything is measured: accounts, and contacts. */
import { setTimeout as after } from "node:timers/promises";
import { DOMAIN } from "./connection.ts";
import { assemble, type Crowd, inTurn, ROSTER_REQUEST, userName } from "./crowd.ts";
import { register, type Server } from "./login.ts";
import { attributeOf } from "./splitter.ts";

export interface RegisterTask {
  readonly do: "register";
  readonly prefix: string;
  readonly count: number;
}

const AT_ONCE = 20;

export const registerAll = async ({ prefix, count }: RegisterTask, { port }: Server): Promise<void> => {
  await inTurn(count, AT_ONCE, (number) => register(port, userName(prefix, number)));
};

/** Users in a ring, each with a subscription "both" to so many neighbours, half of them on either side. */
export interface BefriendTask {
  readonly do: "befriend";
  readonly prefix: string;
  readonly count: number;
  readonly contacts: number;
}

export const neighboursOf = (number: number, { count, contacts }: Pick<BefriendTask, "count" | "contacts">): number[] =>
  Array.from({ length: contacts / 2 }, (_, at) => at + 1).flatMap((distance) => [
    (number + distance) % count,
    (number - distance + count) % count,
  ]);

/** Subscriptions under way. */
const REQUESTS_AT_ONCE = 200;
/** Attempts, since a server may have lost what it was told while we were logging in. */
const ROUNDS = 5;
const LOOK_AGAIN_MS = 2_000;

/** Makes everybody everybody's contact, by subscription requests and approvals. Rejects if rosters do not say so afterwards. */
export const befriendAll = async (task: BefriendTask, server: Server): Promise<void> => {
  const { prefix, count, contacts } = task;
  const crowd = await assemble({ server, prefix, count, atOnce: AT_ONCE, withRoster: true });
  const ring = new Ring(crowd);
  for (let round = 1; round <= ROUNDS; round++) {
    const lonely = await ring.withFewerThan(contacts);
    if (lonely.length === 0) break;
    if (round === ROUNDS) throw new Error(`${lonely.length} of ${count} rosters are not complete`);
    await inTurn(lonely.length, REQUESTS_AT_ONCE, async (at) => {
      const number = lonely[at] ?? 0;
      for (const contact of neighboursOf(number, task)) await ring.subscribe(number, userName(prefix, contact));
    });
    await after(LOOK_AGAIN_MS);
  }
  await crowd.leave();
};

const ANSWER_MS = 1_000;

/** Clients that approve every subscription request. */
class Ring {
  readonly #crowd: Crowd;
  /** By user, what they wait for: the roster, or a contact's approval. */
  readonly #waiting: readonly Map<string, (element: string) => void>[];

  constructor(crowd: Crowd) {
    this.#crowd = crowd;
    this.#waiting = crowd.clients.map(() => new Map());
    crowd.clients.forEach((_, number) => {
      crowd.hear(number, (text, start, end) => this.#take(number, text.slice(start, end)));
    });
  }

  /** The users whose rosters hold fewer mutual subscriptions. */
  async withFewerThan(contacts: number): Promise<readonly number[]> {
    const { clients } = this.#crowd;
    const found: number[] = [];
    await inTurn(clients.length, REQUESTS_AT_ONCE, async (number) => {
      const roster = await this.#answer(number, "roster", ROSTER_REQUEST);
      if (roster.split(/\ssubscription=['"]both['"]/).length - 1 < contacts) found.push(number);
    });
    return found;
  }

  /** Settles with the approval, or after a while without: there is none where there has been one. */
  async subscribe(number: number, contact: string): Promise<void> {
    const jid = `${contact}@${DOMAIN}`;
    await this.#answer(number, jid, `<presence type='subscribe' to='${jid}'/>`);
  }

  #answer(number: number, key: string, request: string): Promise<string> {
    return new Promise((resolve) => {
      const waiting = this.#waiting[number];
      const timer = setTimeout(resolve, key === "roster" ? ROSTER_MS : ANSWER_MS, "");
      waiting?.set(key, (element) => {
        waiting.delete(key);
        clearTimeout(timer);
        resolve(element);
      });
      this.#crowd.clients[number]?.connection.send(request);
    });
  }

  #take(number: number, element: string): void {
    const type = attributeOf(element, "type");
    const waiting = this.#waiting[number];
    if (type === "result" && attributeOf(element, "id") === "roster") waiting?.get("roster")?.(element);
    const from = attributeOf(element, "from")?.split("/", 1)[0] ?? "";
    if (type === "subscribed") waiting?.get(from)?.(element);
    if (type === "subscribe")
      this.#crowd.clients[number]?.connection.send(`<presence type='subscribed' to='${from}'/>`);
  }
}
const ROSTER_MS = 30_000;
