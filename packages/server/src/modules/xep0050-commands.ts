import {
  andThen,
  Command,
  type CommandAction,
  type CommandRequest,
  CommandResult,
  type CommandState,
  commandError,
  type DiscoItem,
  type Eventually,
  NS_COMMANDS,
  NS_DATA_FORMS,
  StanzaError,
} from "@kith/protocol";
import {
  type Answer,
  type Context,
  type Command as Declared,
  type DiscoNode,
  type Module,
  onSet,
  type Request,
} from "../module.ts";

/** XEP-0050: runs the commands that modules declare. `modules`: every module there is. */
export const commands = (modules: () => readonly Module[]): Module => {
  const begun = new BegunCommands();
  const declared = (): readonly Declared[] => modules().flatMap((module) => module.commands ?? []);
  return {
    name: "commands",
    xeps: [{ xep: "XEP-0050", version: "1.3.0", note: "commands of the server, with one form at most" }],
    features: [NS_COMMANDS],
    node: (node, request) => (node === NS_COMMANDS ? listOf(declared(), request) : nodeOf(declared(), node, request)),
    iq: [
      onSet(Command, ["server"], (asked, request, context) => {
        const command = declared().find(({ node }) => node === asked.node);
        if (command === undefined) throw new StanzaError("item-not-found");
        return andThen(mustRun(command, request), () => begun.step(command, asked, request, context));
      }),
    ],
  };
};

/** §3.2: the commands that whoever asks may run. */
const listOf = (declared: readonly Declared[], { from, at }: Request): Eventually<DiscoNode> => {
  const allowed = declared.reduce<Eventually<readonly Declared[]>>(
    (kept, command) =>
      andThen(kept, (list) => andThen(command.mayRun(from, at), (mayRun) => (mayRun ? [...list, command] : list))),
    [],
  );
  return andThen(allowed, (list) => ({
    info: { identities: [{ category: "automation", type: "command-list" }], features: [], forms: [] },
    items: list.map(({ node, name }): DiscoItem => ({ jid: at, node, name })),
  }));
};

const nodeOf = (declared: readonly Declared[], node: string, request: Request): Eventually<DiscoNode | undefined> => {
  const command = declared.find((candidate) => candidate.node === node);
  if (command === undefined) return undefined;
  const identities = [{ category: "automation", type: "command-node", name: command.name }];
  const info = { identities, features: [NS_COMMANDS, NS_DATA_FORMS], forms: [] };
  return andThen(mustRun(command, request), () => ({ info, items: [] }));
};

const mustRun = (command: Declared, { from, at }: Request): Eventually<void> =>
  andThen(command.mayRun(from, at), (mayRun) => {
    if (!mayRun) throw new StanzaError("forbidden", { type: "cancel" });
  });

/** A command that waits for its form. */
interface Begun {
  readonly node: string;
  /** The full JIDs of who began it, and of whom it was asked. */
  readonly by: string;
  readonly at: string;
  readonly since: number;
}
/** How many wait at most; the oldest is forgotten first. */
const MOST_BEGUN = 1_000;
/** How long somebody may take over a form, in milliseconds. */
const PATIENCE = 600_000;

class BegunCommands {
  readonly #begun = new Map<string, Begun>();

  /** One request of a command that the requester may run (§3.4). */
  step(command: Declared, asked: CommandRequest, request: Request, context: Context): Eventually<Answer> {
    const { sessionId, action, form } = asked;
    if (sessionId !== undefined) this.#check(sessionId, asked, request, context);
    const id = sessionId ?? context.newId();
    if (action === "cancel") return this.#end({ ...overview(command, id), status: "canceled" });
    refuseMove(action);
    if (command.form !== undefined && form === undefined) {
      if (sessionId !== undefined) throw commandError("bad-payload");
      return this.#begin(command, id, request, context);
    }
    // Who knows the form already may send it with the first request.
    return andThen(command.run(form, request, context), ({ before = [], form: result, notes = [] }) => ({
      before,
      result: this.#end({ ...overview(command, id), form: result, notes }),
    }));
  }

  #begin(command: Declared, sessionId: string, { from, at }: Request, context: Context): Answer {
    this.#begun.set(sessionId, { node: command.node, by: from.full, at: at.full, since: context.now() });
    const [oldest] = this.#begun.keys();
    if (this.#begun.size > MOST_BEGUN && oldest !== undefined) this.#begun.delete(oldest);
    const actions = { execute: "complete", allowed: ["complete"] } as const;
    const form = command.form?.();
    return [CommandResult.build({ ...overview(command, sessionId), status: "executing", actions, form })];
  }

  /** A session continues for whoever began it, and not after its end (§5.4). */
  #check(sessionId: string, { node }: CommandRequest, { from, at }: Request, context: Context): void {
    const begun = this.#begun.get(sessionId);
    if (begun === undefined || context.now() - begun.since > PATIENCE) throw commandError("session-expired");
    if (begun.by !== from.full || begun.at !== at.full || begun.node !== node) throw commandError("bad-sessionid");
  }

  #end(state: CommandState): readonly [ReturnType<typeof CommandResult.build>] {
    if (state.sessionId !== undefined) this.#begun.delete(state.sessionId);
    return [CommandResult.build(state)];
  }
}

/** There is one stage: nothing before it, and nothing but the end after it (§3.4.2). */
const refuseMove = (action: CommandAction): void => {
  if (action === "prev" || action === "next") throw commandError("bad-action");
};

const overview = ({ node }: Declared, sessionId: string): CommandState => ({
  node,
  sessionId,
  status: "completed",
  actions: undefined,
  form: undefined,
  notes: [],
});
