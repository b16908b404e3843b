import {
  type BareJid,
  type DomainJid,
  type Eventually,
  errorOf,
  type FullJid,
  type Iq,
  isPromise,
  type Jid,
  type Message,
  type Presence,
  readChild,
  resultOf,
  type Stanza,
  StanzaError,
} from "@kith/protocol";
import type { Fabric } from "../fabric/fabric.ts";
import type { Addressee, Answer, AvailableResource, Context, Effects, Module, Shown, Verdict } from "../module.ts";
import type { Departure } from "./departure.ts";
import { type Availability, messageAction } from "./message-rules.ts";
import { type Phases, passPhases, phasesOf, runGuards } from "./phases.ts";
import type { Storing } from "./storing.ts";
import { IqTable, type PresenceTable } from "./tables.ts";
import type { Otherwise, Turn } from "./turn.ts";

export interface RecipientOptions {
  readonly modules: readonly Module[];
  readonly fabric: Fabric;
  readonly context: Context;
  readonly presences: PresenceTable;
  readonly departure: Departure;
  /** Has it a session in this process? */
  readonly isOnline: (account: BareJid) => boolean;
  readonly exists: (account: BareJid) => Eventually<boolean>;
  /** Domains that a component or another server serves, connected or not. */
  readonly isServed: (domain: DomainJid) => boolean;
  readonly carryOut: (turn: Turn, effects: Eventually<Effects>, storing?: Storing) => Eventually<void>;
}

/** What is, or will be, stored of the message at hand. */
interface Kept {
  readonly storing?: Storing | undefined;
  readonly stored?: Shown | undefined;
}
const UNKEPT: Kept = {};

/** The recipient's side: what becomes of a stanza by its `to` (RFC 6120 §10, RFC 6121 §8). */
export class Recipient {
  readonly #options: RecipientOptions;
  readonly #context: Context;
  readonly #phases: Phases;
  readonly #iqs: IqTable;
  readonly #services: ReadonlyMap<string, NonNullable<Module["service"]>>;
  readonly #undelivered: readonly NonNullable<Module["undelivered"]>[];
  readonly #answered: readonly NonNullable<Module["answered"]>[];

  constructor(options: RecipientOptions) {
    const { modules } = options;
    this.#options = options;
    this.#context = options.context;
    this.#phases = phasesOf(modules, "receiving");
    this.#iqs = new IqTable(modules);
    this.#services = new Map(
      modules.flatMap(({ service }) => (service === undefined ? [] : [[service.domain, service] as const])),
    );
    this.#undelivered = modules.flatMap((module) => module.undelivered ?? []);
    this.#answered = modules.flatMap((module) => module.answered ?? []);
  }

  /** Throws or rejects `StanzaError` where the sender is to be told. */
  arrive(turn: Turn, stanza: Stanza, storing?: Storing): Eventually<void> {
    const { to } = stanza;
    if (to === undefined) return this.#answer(turn, stanza as Iq, (stanza.from as Jid).toBare(), "own-account");
    // Whoever is online here has an account here; that settles it for nearly every stanza.
    if (to.local !== undefined && this.#options.isOnline(to.bare))
      return this.#arriveAtAccount(turn, stanza, to, true, storing);
    const service = this.#services.get(to.domain);
    if (service !== undefined) return this.#options.carryOut(turn, service.receive(stanza, this.#context));
    if (!this.#context.isLocal(to.domain)) return this.#arriveElsewhere(turn, stanza, to.domain);
    if (to.local === undefined) return this.#arriveAtServer(turn, stanza, to);
    const exists = this.#options.exists(to.bare);
    if (isPromise(exists)) return exists.then((settled) => this.#arriveAtAccount(turn, stanza, to, settled, storing));
    return this.#arriveAtAccount(turn, stanza, to, exists, storing);
  }

  /** RFC 6120 §10.4. */
  #arriveElsewhere(turn: Turn, stanza: Stanza, domain: DomainJid): void {
    if (!this.#options.isServed(domain)) throw new StanzaError("remote-server-not-found");
    turn.outputs.push({
      kind: "deliver",
      address: { kind: "domain", domain },
      frame: { stanza, for: "bound" },
      otherwise: "domain is absent",
    });
  }

  /** RFC 6120 §10.5.1, §10.5.2: handled, or answered with an error. */
  #arriveAtServer(turn: Turn, stanza: Stanza, to: Jid): Eventually<void> {
    if (stanza.kind === "iq") return this.#answer(turn, stanza, to, "server");
    if (stanza.kind === "message") throw new StanzaError("service-unavailable");
  }

  #arriveAtAccount(
    turn: Turn,
    stanza: Stanza,
    to: Jid,
    exists: boolean,
    storing: Storing | undefined,
  ): Eventually<void> {
    if (!exists) return this.#arriveAtNobody(turn, stanza);
    const verdict = runGuards(this.#phases.guard, stanza, this.#context);
    if (isPromise(verdict)) return verdict.then((settled) => this.#arriveGuarded(turn, stanza, to, settled, storing));
    return this.#arriveGuarded(turn, stanza, to, verdict, storing);
  }

  /** RFC 6121 §8.5.1. */
  #arriveAtNobody(turn: Turn, stanza: Stanza): Eventually<void> {
    if (stanza.kind === "message" && messageAction(stanza.type, "no account", "bare") === "ignore") return;
    if (stanza.kind !== "presence") throw new StanzaError("service-unavailable");
    const handler = stanza.type === "probe" ? this.#options.presences.get("received", "probe") : undefined;
    if (handler !== undefined) return this.#options.carryOut(turn, handler.handle(stanza, this.#context));
  }

  #arriveGuarded(
    turn: Turn,
    stanza: Stanza,
    to: Jid,
    verdict: Verdict,
    storing: Storing | undefined,
  ): Eventually<void> {
    if (verdict === "drop") return;
    const { carryOut } = this.#options;
    const passing = { phases: this.#phases, side: "received", turn, context: this.#context, carryOut } as const;
    const passed = passPhases(passing, stanza, storing);
    if (isPromise(passed)) return passed.then((settled) => this.#deliver(turn, settled.stanza, to, settled));
    return this.#deliver(turn, passed.stanza, to, passed);
  }

  #deliver(turn: Turn, stanza: Stanza, to: Jid, kept: Kept): Eventually<void> {
    if (stanza.kind === "presence") return this.#deliverPresence(turn, stanza, to);
    if (stanza.kind === "message") {
      return to.resource === undefined
        ? this.deliverToAccount(turn, stanza, kept)
        : this.#deliverToFull(turn, stanza, to, "resource is gone", kept);
    }
    if (to.resource !== undefined) return this.#deliverToFull(turn, stanza, to, "unavailable", UNKEPT);
    return this.#answer(turn, stanza, to, (stanza.from as Jid).bare === to.bare ? "own-account" : "account");
  }

  #deliverToFull(turn: Turn, stanza: Stanza, to: Jid, otherwise: Otherwise, kept: Kept): void {
    const { storing, stored } = kept;
    const full = to.full as FullJid;
    turn.deliversTo(to.bare, [full]);
    const frame =
      storing === undefined && stored === undefined
        ? { stanza, for: full, isAddressed: true }
        : { stanza, for: full, isAddressed: true, storing, stored };
    const carbons = stanza.kind === "message" ? turn.takeCarbons(stanza) : undefined;
    turn.outputs.push({ kind: "deliver", address: { kind: "account", bare: to.bare }, frame, otherwise, carbons });
  }

  #deliverPresence(turn: Turn, presence: Presence, to: Jid): Eventually<void> {
    const handler = this.#options.presences.get("received", presence.type);
    if (handler !== undefined) return this.#options.carryOut(turn, handler.handle(presence, this.#context));
    if (to.resource !== undefined) return this.#deliverToFull(turn, presence, to, "ignore", UNKEPT);
    turn.outputs.push({
      kind: "cast",
      address: { kind: "account", bare: to.bare },
      frame: { stanza: presence, for: "available" },
    });
  }

  /** RFC 6121 §8.5.2, §8.5.3.2: a message to an account as a whole, or to a resource of it that is gone. */
  deliverToAccount(turn: Turn, message: Message, kept: Kept): Eventually<void> {
    const available = this.#options.fabric.available((message.to as Jid).bare);
    if (isPromise(available)) return available.then((resources) => this.#deliverAmong(turn, message, resources, kept));
    return this.#deliverAmong(turn, message, available, kept);
  }

  #deliverAmong(turn: Turn, message: Message, resources: readonly AvailableResource[], kept: Kept): Eventually<void> {
    const to = message.to as Jid;
    const reachable = resources.filter(({ priority }) => priority >= 0);
    const action = messageAction(
      message.type,
      availabilityOf(resources, reachable),
      to.resource === undefined ? "bare" : "full, unmatched",
    );
    if (action === "ignore") return;
    if (action === "bounce") throw new StanzaError("service-unavailable");
    if (action === "store") return this.keep(turn, message, kept);
    const chosen = (action === "most available" ? reachable.slice(0, 1) : reachable).map(
      ({ jid }) => jid.full as FullJid,
    );
    turn.deliversTo(to.bare, chosen);
    turn.outputs.push({
      kind: "deliver",
      address: { kind: "account", bare: to.bare },
      frame: { stanza: message, for: chosen, isAddressed: true, storing: kept.storing, stored: kept.stored },
      otherwise: "resource is gone",
      carbons: turn.takeCarbons(message),
    });
  }

  /** Nobody is there. What is stored already waits; of anything else the first module that can takes care; if none does, the sender is told. */
  keep(turn: Turn, message: Message, kept: Kept): Eventually<void> {
    turn.miss(message);
    return kept.stored?.waits === true ? undefined : this.#careFor(turn, message, kept.storing);
  }

  #careFor(turn: Turn, message: Message, storing: Storing | undefined, first = 0): Eventually<void> {
    for (let at = first; at < this.#undelivered.length; at++) {
      const effects = this.#undelivered[at]?.(message, (message.to as Jid).bare, this.#context);
      if (isPromise(effects)) {
        return effects.then((settled) =>
          settled === undefined
            ? this.#careFor(turn, message, storing, at + 1)
            : this.#options.carryOut(turn, settled, storing),
        );
      }
      if (effects !== undefined) return this.#options.carryOut(turn, effects, storing);
    }
    throw new StanzaError("service-unavailable");
  }

  /** RFC 6120 §8.2.3, §10.3.3: every request is answered; results and errors nobody asked for are ignored. */
  #answer(turn: Turn, iq: Iq, at: Jid, addressee: Addressee): Eventually<void> {
    if (iq.type !== "get" && iq.type !== "set") return this.answered(turn, iq);
    const handler = this.#iqs.get(iq, addressee);
    if (handler === undefined) throw new StanzaError("service-unavailable");
    // What is answered on behalf of another account does not learn which local session asked.
    const context = addressee !== "account" && turn.origin !== undefined ? turn.origin.context : this.#context;
    const answer = handler.answer(
      handler.payload.parse(readChild(iq, 0)),
      { iq, from: iq.from as Jid, at, addressee },
      context,
    );
    return isPromise(answer)
      ? answer.then((settled) => this.#respond(turn, iq, settled))
      : this.#respond(turn, iq, answer);
  }

  /** For those who have asked something; anybody else ignores it. */
  answered(turn: Turn, answer: Iq, first = 0): Eventually<void> {
    for (let at = first; at < this.#answered.length; at++) {
      const effects = this.#answered[at]?.(answer, this.#context) ?? [];
      const done = this.#options.carryOut(turn, effects);
      if (isPromise(done)) return done.then(() => this.answered(turn, answer, at + 1));
    }
  }

  #respond(turn: Turn, iq: Iq, answer: Answer): Eventually<void> {
    const { carryOut, departure } = this.#options;
    if ("length" in answer) return departure.reply(turn, resultOf(iq, answer));
    const { before = [], result = [], refusal, after = [] } = answer;
    const prepared = carryOut(turn, before);
    const conclude = (): Eventually<void> => {
      departure.reply(turn, refusal === undefined ? resultOf(iq, result) : errorOf(iq, refusal));
      return carryOut(turn, after);
    };
    return isPromise(prepared) ? prepared.then(conclude) : conclude();
  }
}

const availabilityOf = (resources: readonly unknown[], reachable: readonly unknown[]): Availability => {
  if (reachable.length > 0) return "non-negative";
  return resources.length > 0 ? "only negative priorities" : "no active resource";
};
