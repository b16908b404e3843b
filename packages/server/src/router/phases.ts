import { type Eventually, isPromise, type Message, type Stanza } from "@kith/protocol";
import type { Context, Effects, Module, Side, Verdict } from "../module.ts";
import type { Write } from "../store/store.ts";
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

/** Gives every write to `add`; answers the message as this account's own sessions are shown it. */
export const runArchives = (
  archives: Phases["archive"],
  message: Message,
  context: Context,
  add: (write: Write) => void,
  first = 0,
): Eventually<Message> => {
  let archived = message;
  for (let at = first; at < archives.length; at++) {
    const kept = (archives[at] as Phases["archive"][number])(archived, context);
    if (isPromise(kept)) {
      return kept.then((settled) => {
        settled.writes.forEach(add);
        return runArchives(archives, settled.message, context, add, at + 1);
      });
    }
    kept.writes.forEach(add);
    archived = kept.message;
  }
  return archived;
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

/** `amended` is for the other side; `archived`, which may bear this account's stanza-id, for this account only. */
export interface Passed {
  readonly amended: Stanza;
  readonly archived: Stanza;
}

type CarryOut = (turn: Turn, effects: Effects) => Eventually<void>;

/** Amend, archive, copy: one side of a stanza that has passed the guards. */
export const passPhases = (
  phases: Phases,
  turn: Turn,
  stanza: Stanza,
  context: Context,
  carryOut: CarryOut,
): Eventually<Passed> => {
  if (phases.amend.length === 0 && phases.archive.length === 0 && phases.copy.length === 0)
    return { amended: stanza, archived: stanza };
  const amended = runAmends(phases.amend, stanza, context);
  if (isPromise(amended)) return amended.then((settled) => passAmended(phases, turn, settled, context, carryOut));
  return passAmended(phases, turn, amended, context, carryOut);
};

const passAmended = (
  phases: Phases,
  turn: Turn,
  amended: Stanza,
  context: Context,
  carryOut: CarryOut,
): Eventually<Passed> => {
  const archived =
    amended.kind === "message" && phases.archive.length > 0
      ? runArchives(phases.archive, amended, context, (change) => turn.write(change))
      : amended;
  if (isPromise(archived))
    return archived.then((settled) => passArchived(phases, turn, amended, settled, context, carryOut));
  return passArchived(phases, turn, amended, archived, context, carryOut);
};

const passArchived = (
  phases: Phases,
  turn: Turn,
  amended: Stanza,
  archived: Stanza,
  context: Context,
  carryOut: CarryOut,
): Eventually<Passed> => {
  const passed = { amended, archived };
  if (phases.copy.length === 0) return passed;
  const copied = runCopies(phases.copy, archived, context, (effects) => carryOut(turn, effects));
  return isPromise(copied) ? copied.then(() => passed) : passed;
};
