import type { BareJid, FullJid, Message, Stanza } from "@kith/protocol";
import type { Address, Ending, Frame } from "../fabric/fabric.ts";
import type { Effect, Shown } from "../module.ts";
import type { Session } from "../session/session.ts";
import type { MessageSide } from "../store/messages.ts";
import type { Haste, Store, Unit, Write } from "../store/store.ts";
import { Storing } from "./storing.ts";

const CARBONS = { marked: "carbons" } as const;

/** A frame in the making: what is stored gets its number when the turn ends. */
export interface Draft extends Frame {
  readonly storing?: Storing | undefined;
}

/** Something that leaves once everything the stanza caused has been decided, and committed. */
export type Output =
  | { readonly kind: "session"; readonly session: Session; readonly frame: Frame }
  | {
      readonly kind: "deliver";
      readonly address: Address;
      readonly frame: Draft;
      readonly otherwise: Otherwise;
      /** Copies of the message, which leave once somebody has taken it (XEP-0280 §7). */
      readonly carbons?: readonly CarbonOutput[] | undefined;
    }
  | CastOutput
  | { readonly kind: "end"; readonly account: BareJid; readonly ending: Ending };
/** `frame` is replaced where it turns out later who is not to get it. */
export interface CastOutput {
  readonly kind: "cast";
  readonly address: Address;
  frame: Draft;
}

export interface CarbonOutput extends CastOutput {
  readonly account: BareJid;
  frame: Draft & { readonly except: readonly FullJid[] };
}

/** What becomes of a stanza that nobody was there to take. */
export type Otherwise =
  /** A message: the rules for one to the account as a whole apply (RFC 6121 §8.5.3.2.1). */
  | "resource is gone"
  /** A request is answered with service-unavailable. */
  | "unavailable"
  /** A domain that is served, but by nobody now. */
  | "domain is absent"
  | "ignore";

/** All that one accepted stanza causes: its writes, which are one unit, and what is sent, which waits for that unit. */
export class Turn {
  /** The session whose stanza it is, when it is a local one. */
  readonly origin: Session | undefined;
  /** The stanza that is answered if the unit cannot be committed. */
  readonly cause: Stanza | undefined;
  /** Which of the stanzas of its stream the cause is, where that is counted (XEP-0198); otherwise 0. */
  readonly number: number;
  readonly outputs: Output[] = [];
  unit: Unit | undefined = undefined;
  /** "soon" as long as nothing waits for what is stored. */
  haste: Haste = "soon";
  readonly #store: Store;
  readonly #keeps: boolean;
  #storings: Storing[] | undefined;
  #carbons: CarbonOutput[] | undefined;

  /** `keeps`: false for an account that is gone, of which nothing is stored any more. */
  constructor(store: Store, origin: Session | undefined, cause: Stanza | undefined, number = 0, keeps = true) {
    this.#store = store;
    this.origin = origin;
    this.cause = cause;
    this.number = number;
    this.#keeps = keeps;
  }

  write(change: Write, haste: Haste = "now"): void {
    if (!this.#keeps) return;
    if (haste === "now") this.haste = "now";
    this.#open().add(change);
  }

  /** Begins to collect what is wished for a message. */
  storing(message: Message): Storing {
    const { origin, cause } = this;
    const isCause = cause !== undefined && origin !== undefined && cause.from === message.from;
    const storing = new Storing(
      message,
      isCause ? origin.jid.bare : undefined,
      isCause ? origin.placeOf(this.number) : undefined,
    );
    if (this.#storings === undefined) this.#storings = [storing];
    else this.#storings.push(storing);
    return storing;
  }

  /** A carbon for an account's sessions, but for the one that the message comes from. */
  copyTo(account: BareJid, message: Message, carbon: MessageSide, storing: Storing | undefined): void {
    const except = this.origin?.jid.bare === account ? [this.origin.jid.full as FullJid] : [];
    const frame = { stanza: message, for: CARBONS, except, carbon, storing };
    const output: CarbonOutput = { kind: "cast", account, address: { kind: "account", bare: account }, frame };
    this.outputs.push(output);
    this.#carbons ??= [];
    this.#carbons.push(output);
  }

  /** These sessions get the message itself, and therefore no carbons of it (XEP-0280 §7). */
  deliversTo(account: BareJid, sessions: readonly FullJid[]): void {
    if (this.#carbons === undefined) return;
    for (const output of this.#carbons) {
      const { frame } = output;
      if (output.account === account) output.frame = { ...frame, except: [...frame.except, ...sessions] };
    }
  }

  /** The carbons that the recipient's account gets of a message: they go with its delivery, since who gets it may turn out to be somebody else. */
  takeCarbons(message: Message): readonly CarbonOutput[] | undefined {
    const carbons = this.#carbons;
    if (carbons === undefined) return undefined;
    const taken: CarbonOutput[] = [];
    for (let at = carbons.length - 1; at >= 0; at--) {
      const carbon = carbons[at] as CarbonOutput;
      if (!isCopyFor(carbon, message)) continue;
      carbons.splice(at, 1);
      this.outputs.splice(this.outputs.lastIndexOf(carbon), 1);
      taken.push(carbon);
    }
    return taken.length === 0 ? undefined : taken;
  }

  /** Carbons of a message that is delivered once more, by this turn. `stored`: what is stored of it already. */
  adopt(carbons: readonly CarbonOutput[], stored: Shown | undefined): void {
    for (const { account, address, frame } of carbons) {
      const carbon: CarbonOutput = { kind: "cast", account, address, frame: { ...frame, storing: undefined, stored } };
      this.outputs.push(carbon);
      if (this.#carbons === undefined) this.#carbons = [carbon];
      else this.#carbons.push(carbon);
    }
  }

  /** Have the account's other sessions a copy of what it sends by this turn? */
  hasCopied(account: BareJid): boolean {
    return this.#carbons?.some((carbon) => carbon.account === account && carbon.frame.carbon === "sent") === true;
  }

  /** Would its message wait for whom it is for, if it were stored? What may be lost counts as soon as it is handled. */
  isWorthKeeping = false;

  /** Messages that nobody was there for: reasons to wake somebody up, once the turn is over. */
  missed: Message[] | undefined = undefined;

  miss(message: Message): void {
    if (this.missed === undefined) this.missed = [message];
    else this.missed.push(message);
  }

  /** Has the stanza that caused all this been refused? */
  isRefused = false;

  /** Nothing of what was wished so far is wished any longer, beside what the sender's own archive keeps. */
  refused(): void {
    this.isRefused = true;
    if (this.#storings !== undefined) for (const storing of this.#storings) storing.refused();
    for (const carbon of this.#carbons?.splice(0) ?? []) {
      if (carbon.frame.carbon === "received") this.outputs.splice(this.outputs.indexOf(carbon), 1);
      else this.#carbons?.push(carbon);
    }
  }

  /** Does what is stored say which of the client's stanzas it was? */
  get isPlaced(): boolean {
    return this.#storings?.[0]?.kept?.origin !== undefined;
  }

  /** Gives what is to be stored its numbers. From here to the commit nothing may be waited for. */
  settleNumbers(): void {
    if (this.#storings !== undefined && this.#keeps) this.#keep(this.#storings);
    this.unit?.number();
  }

  #keep(storings: readonly Storing[]): void {
    for (const storing of storings) {
      if (!storing.isStored) continue;
      this.haste = "now";
      storing.keepIn(this.#open());
    }
  }

  #open(): Unit {
    this.unit ??= this.#store.begin();
    return this.unit;
  }
}

/** Of a message to oneself there is but one copy, as sent. */
const isCopyFor = ({ account, frame }: CarbonOutput, { from, to }: Message): boolean =>
  account === to?.bare && (frame.carbon === "received" || account === from?.bare);

/** The output of an effect that only sends. */
export const outputOf = (
  effect: Effect & { do: "toOwnSessions" | "toSession" | "endSessions" },
  { origin, cause }: Turn,
): Output => {
  switch (effect.do) {
    case "toOwnSessions": {
      const { stanza, which, except } = effect;
      const frame = except === undefined ? { stanza, for: which } : { stanza, for: which, except };
      return { kind: "cast", address: { kind: "account", bare: effect.account }, frame };
    }
    case "toSession": {
      const { stanza, jid, stored, settles } = effect;
      const frame = { stanza, for: jid, stored, settles };
      // Whoever asked gets what it asked for in one sequence with the answer.
      if (cause?.kind === "iq" && jid === origin?.jid.full) return { kind: "session", session: origin, frame };
      return { kind: "cast", address: { kind: "account", bare: bareOf(jid) }, frame };
    }
    case "endSessions": {
      const { do: _, account, ...ending } = effect;
      return { kind: "end", account, ending };
    }
  }
};

const bareOf = (full: FullJid): BareJid => full.slice(0, full.indexOf("/")) as BareJid;
