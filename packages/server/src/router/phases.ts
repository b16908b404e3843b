import { type Eventually, isPromise, type Jid, type Message, type Stanza } from "@kith/protocol";
import type { Context, Effects, Keeping, Module, Side, Verdict } from "../module.ts";
import type { MessageSide } from "../store/messages.ts";
import type { Storing } from "./storing.ts";
import type { Turn } from "./turn.ts";

/** The steps of one side, phase by phase, each in the order of modules. Built once. */
export interface Phases {
  readonly guard: readonly NonNullable<Side["guard"]>[];
  readonly amend: readonly NonNullable<Side["amend"]>[];
  readonly archive: readonly NonNullable<Side["archive"]>[];
  readonly copy: readonly NonNullable<Side["copy"]>[];
}

export const phasesOf = (modules: readonly Module[], side: "sending" | "receiving"): Phases => ({
  guard: modules.flatMap((module) => module[side]?.guard ?? []),
  amend: modules.flatMap((module) => module[side]?.amend ?? []),
  archive: modules.flatMap((module) => module[side]?.archive ?? []),
  copy: modules.flatMap((module) => module[side]?.copy ?? []),
});

/** Every guard in turn; the first that drops ends it. Stays synchronous as long as the guards do, like all phases. */
export const runGuards = (
  guards: Phases["guard"],
  stanza: Stanza,
  context: Context,
  first = 0,
): Eventually<Verdict> => {
  for (let at = first; at < guards.length; at++) {
    const verdict = (guards[at] as Phases["guard"][number])(stanza, context);
    if (isPromise(verdict)) return verdict.then((settled) => settled ?? runGuards(guards, stanza, context, at + 1));
    if (verdict !== undefined) return verdict;
  }
  return undefined;
};

export const runAmends = (amends: Phases["amend"], stanza: Stanza, context: Context, first = 0): Eventually<Stanza> => {
  let amended = stanza;
  for (let at = first; at < amends.length; at++) {
    const next = (amends[at] as Phases["amend"][number])(amended, context);
    if (isPromise(next)) return next.then((settled) => runAmends(amends, settled, context, at + 1));
    amended = next;
  }
  return amended;
};

/** What the archive phases wish, put together; `undefined` where nobody wishes anything. */
export const runArchives = (
  archives: Phases["archive"],
  message: Message,
  context: Context,
  wished?: Keeping,
  first = 0,
): Eventually<Keeping | undefined> => {
  let all = wished;
  for (let at = first; at < archives.length; at++) {
    const keeping = (archives[at] as Phases["archive"][number])(message, context);
    if (isPromise(keeping)) {
      const so = all;
      return keeping.then((settled) => runArchives(archives, message, context, joined(so, settled), at + 1));
    }
    all = joined(all, keeping);
  }
  return all;
};

const joined = (a: Keeping | undefined, b: Keeping | undefined): Keeping | undefined => {
  if (a === undefined || b === undefined) return a ?? b;
  return { ...a, ...b };
};

export const runCopies = (
  copies: Phases["copy"],
  stanza: Stanza,
  context: Context,
  carryOut: (effects: Effects) => Eventually<void>,
  first = 0,
): Eventually<void> => {
  for (let at = first; at < copies.length; at++) {
    const effects = (copies[at] as Phases["copy"][number])(stanza, context);
    if (isPromise(effects)) {
      return effects.then(async (settled) => {
        await carryOut(settled);
        await runCopies(copies, stanza, context, carryOut, at + 1);
      });
    }
    if (effects.length === 0) continue;
    const done = carryOut(effects);
    if (isPromise(done)) return done.then(() => runCopies(copies, stanza, context, carryOut, at + 1));
  }
  return undefined;
};

/** A stanza that has passed one side, and what is to be kept of it. */
export interface Passed {
  readonly stanza: Stanza;
  readonly storing: Storing | undefined;
}

/** Who passes: the side, and the account whose side it is. */
export interface Passing {
  readonly phases: Phases;
  readonly side: MessageSide;
  readonly turn: Turn;
  readonly context: Context;
  readonly carryOut: (turn: Turn, effects: Effects, storing?: Storing) => Eventually<void>;
}

/** Amend, archive, copy: one side of a stanza that has passed the guards. `storing`: what has been wished on the other side. */
export const passPhases = (passing: Passing, stanza: Stanza, storing?: Storing): Eventually<Passed> => {
  const amended = runAmends(passing.phases.amend, stanza, passing.context);
  if (isPromise(amended)) return amended.then((settled) => passAmended(passing, settled, storing));
  return passAmended(passing, amended, storing);
};

const passAmended = (passing: Passing, stanza: Stanza, storing: Storing | undefined): Eventually<Passed> => {
  const { phases, context } = passing;
  if (stanza.kind !== "message" || phases.archive.length === 0) return passArchived(passing, stanza, storing);
  const keeping = runArchives(phases.archive, stanza, context);
  if (isPromise(keeping))
    return keeping.then((settled) => passArchived(passing, stanza, wished(passing, stanza, storing, settled)));
  return passArchived(passing, stanza, wished(passing, stanza, storing, keeping));
};

/** Only what might be stored is worth an object: an archive shows it, or it may have been sent before. */
const wished = (
  { side, turn }: Passing,
  message: Message,
  storing: Storing | undefined,
  keeping: Keeping | undefined,
): Storing | undefined => {
  if (side === "received") storing?.arrivedAt((message.to as Jid).bare, message);
  if (keeping === undefined) return storing;
  if (keeping.waits === true) turn.isWorthKeeping = true;
  if (storing === undefined && keeping.isArchived !== true && keeping.key === undefined) return undefined;
  const all = storing ?? turn.storing(message);
  if (storing === undefined && side === "received") all.arrivedAt((message.to as Jid).bare, message);
  all.wish(side, keeping);
  return all;
};

const passArchived = (passing: Passing, stanza: Stanza, storing: Storing | undefined): Eventually<Passed> => {
  const { phases, turn, context, carryOut } = passing;
  const passed = { stanza, storing };
  if (phases.copy.length === 0) return passed;
  const copied = runCopies(phases.copy, stanza, context, (effects) => carryOut(turn, effects, storing));
  return isPromise(copied) ? copied.then(() => passed) : passed;
};
