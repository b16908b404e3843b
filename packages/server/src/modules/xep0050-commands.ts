import {
  andThen,
  Command,
  type CommandRequest,
  CommandResult,
  type CommandState,
  commandError,
  type DiscoItem,
  type Eventually,
  type Jid,
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

export interface CommandsOptions {
  /** Every module there is; the commands are those they declare. */
  readonly modules: () => readonly Module[];
}

/** A command that waits for its form. */
interface Begun {
  readonly node: string;
  /** The full JID of who began it. */
  readonly by: string;
  readonly at: string;
  readonly since: number;
}
/** How many wait at most; the oldest is forgotten first. */
const MOST_BEGUN = 1_000;
/** How long somebody may take over a form, in milliseconds. */
const PATIENCE = 600_000;

/** XEP-0050: runs the commands that modules declare. */
export const commands = ({ modules }: CommandsOptions): Module => {
  const begun = new Map<string, Begun>();
  const declared = (): readonly Declared[] => modules().flatMap((module) => module.commands ?? []);

  const allowed = (who: Jid, host: Jid): Eventually<readonly Declared[]> =>
    filtered(declared(), (command) => command.mayRun(who, host));

  const node = (name: string, { at, from }: Request): Eventually<DiscoNode | undefined> => {
    if (name === NS_COMMANDS) {
      return andThen(allowed(from, at), (found) => ({
        info: { identities: [{ category: "automation", type: "command-list" }], features: [], forms: [], node: name },
        items: found.map((command): DiscoItem => ({ jid: at, node: command.node, name: command.name })),
      }));
    }
    const command = declared().find((candidate) => candidate.node === name);
    if (command === undefined) return undefined;
    return andThen(command.mayRun(from, at), (mayRun) => {
      if (!mayRun) throw new StanzaError("forbidden", { type: "cancel" });
      const identities = [{ category: "automation", type: "command-node", name: command.name }];
      return { info: { identities, features: [NS_COMMANDS, NS_DATA_FORMS], forms: [], node: name }, items: [] };
    });
  };

  const begin = (command: Declared, { from, at }: Request, context: Context): CommandState => {
    const sessionId = context.newId();
    begun.set(sessionId, { node: command.node, by: from.full, at: at.full, since: context.now() });
    const [oldest] = begun.keys();
    if (begun.size > MOST_BEGUN && oldest !== undefined) begun.delete(oldest);
    const actions = { execute: "complete", allowed: ["complete"] } as const;
    return { node: command.node, sessionId, status: "executing", actions, form: command.form?.(), notes: [] };
  };

  /** The session a request continues; throws where it is not this requester's, or over. */
  const resumed = ({ sessionId = "", node: name }: CommandRequest, { from, at }: Request, context: Context): string => {
    const session = begun.get(sessionId);
    if (session === undefined || context.now() - session.since > PATIENCE) {
      begun.delete(sessionId);
      throw commandError("session-expired");
    }
    if (session.by !== from.full || session.at !== at.full || session.node !== name)
      throw commandError("bad-sessionid");
    return sessionId;
  };

  const step = (asked: CommandRequest, command: Declared, request: Request, context: Context): Eventually<Answer> => {
    const { sessionId, action, form } = asked;
    const running = sessionId === undefined ? undefined : resumed(asked, request, context);
    if (action === "cancel") {
      if (running !== undefined) begun.delete(running);
      return [CommandResult.build({ ...ended(asked, running ?? context.newId()), status: "canceled" })];
    }
    if (action === "prev" || action === "next") throw commandError("bad-action");
    // Who knows the form already may send it with the first request.
    if (running === undefined && command.form !== undefined && form === undefined) {
      return [CommandResult.build(begin(command, request, context))];
    }
    if (command.form !== undefined && form === undefined) throw commandError("bad-payload");
    return andThen(command.run(form, request, context), ({ before = [], form: result, notes = [] }): Answer => {
      if (running !== undefined) begun.delete(running);
      const state = { ...ended(asked, running ?? context.newId()), form: result, notes };
      return { before, result: [CommandResult.build(state)] };
    });
  };

  return {
    name: "commands",
    xeps: [{ xep: "XEP-0050", version: "1.3.0", note: "commands of the server, with one form at most" }],
    features: [NS_COMMANDS],
    node,
    iq: [
      onSet(Command, ["server"], (asked, request, context) => {
        const command = declared().find((candidate) => candidate.node === asked.node);
        if (command === undefined) throw new StanzaError("item-not-found");
        return andThen(command.mayRun(request.from, request.at), (mayRun) => {
          if (!mayRun) throw new StanzaError("forbidden", { type: "cancel" });
          return step(asked, command, request, context);
        });
      }),
    ],
  };
};

const ended = ({ node }: CommandRequest, sessionId: string): CommandState => ({
  node,
  sessionId,
  status: "completed",
  actions: undefined,
  form: undefined,
  notes: [],
});

const filtered = <T>(items: readonly T[], test: (item: T) => Eventually<boolean>): Eventually<readonly T[]> =>
  items.reduce<Eventually<readonly T[]>>(
    (kept, item) => andThen(kept, (list) => andThen(test(item), (passes) => (passes ? [...list, item] : list))),
    [],
  );
