import { type Jid, parseJid } from "@kith/protocol";

/** One person with one or more devices: as much as all that watch need to know of each other. Times are milliseconds since the run began. */
export class Account {
  readonly name: string;
  readonly jid: Jid;
  /** The resource that each device has, or had last. */
  readonly resources = new Map<string, string>();
  #changedAt = 0;
  readonly #lostAt = new Map<string, number>();
  readonly #ending = new Set<string>();

  constructor(name: string) {
    this.name = name;
    this.jid = parseJid(`${name}@localhost`);
  }

  /** A device comes or goes. */
  changes(now: number): void {
    this.#changedAt = now;
  }

  /** Has no device come or gone since? */
  isUnchangedSince(then: number): boolean {
    return this.#changedAt < then;
  }

  /** The server ends a session of the device's at some time from now on: what is on its way to it goes to others. */
  losing(session: string, now: number): void {
    this.#ending.add(session);
    this.#lostAt.set(session, now);
  }

  /** It has another one, or goes on with the one it had. */
  keeps(session: string, now: number): void {
    if (this.#ending.delete(session)) this.#lostAt.set(session, now);
  }

  /** Has a session other than this device's been lost since, or may it be at any time? */
  hasLostAnother(device: string, since: number): boolean {
    for (const session of this.#ending) if (session !== device) return true;
    for (const [session, at] of this.#lostAt) if (session !== device && at >= since) return true;
    return false;
  }
}
