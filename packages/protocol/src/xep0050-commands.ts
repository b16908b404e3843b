/** XEP-0050: commands that anything on the network may offer. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { type DataForm, Form, NS_DATA_FORMS } from "./xep0004-data-forms.ts";
import { childOf, childrenOf, type Element, element, elementsOf, textOf } from "./xml/element.ts";

export const NS_COMMANDS = "http://jabber.org/protocol/commands";

const ACTIONS = ["execute", "cancel", "prev", "next", "complete"] as const;
export type CommandAction = (typeof ACTIONS)[number];
const STATUSES = ["executing", "completed", "canceled"] as const;
export type CommandStatus = (typeof STATUSES)[number];
/** Where a command may go from a stage. */
export type CommandMove = "prev" | "next" | "complete";
const MOVES = ["prev", "next", "complete"] as const satisfies readonly CommandMove[];

export interface CommandNote {
  readonly type: "info" | "warn" | "error";
  readonly text: string;
}

/** A request (§4.4). `sessionId` undefined: begins the command. */
export interface CommandRequest {
  readonly node: string;
  readonly sessionId: string | undefined;
  readonly action: CommandAction;
  readonly form: DataForm | undefined;
}

/** Where a command stands (§4.4). */
export interface CommandState {
  readonly node: string;
  readonly sessionId: string | undefined;
  readonly status: CommandStatus;
  /** Where it may go; `execute` is what the action "execute" means. */
  readonly actions: { readonly execute: CommandMove | undefined; readonly allowed: readonly CommandMove[] } | undefined;
  readonly form: DataForm | undefined;
  readonly notes: readonly CommandNote[];
}

export type CommandProblem =
  | "malformed-action"
  | "bad-action"
  | "bad-locale"
  | "bad-payload"
  | "bad-sessionid"
  | "session-expired";

/** One of the errors of §5.4. */
export const commandError = (problem: CommandProblem, text?: string): StanzaError =>
  new StanzaError(problem === "session-expired" ? "not-allowed" : "bad-request", {
    ...(text === undefined ? {} : { text }),
    extra: [element(NS_COMMANDS, problem)],
  });

/** Throws StanzaError "bad-request" for a command without node, with an empty session id, an unknown action or a broken form. */
export const Command = payload({
  ns: NS_COMMANDS,
  name: "command",
  places: ["iq-set"],
  parse: (command): CommandRequest => {
    const { node, sessionid, action = "execute" } = command.attributes;
    if (node === undefined || node === "") throw new StanzaError("bad-request", { text: "a command needs a node" });
    if (sessionid === "") throw commandError("bad-sessionid");
    const known = ACTIONS.find((candidate) => candidate === action);
    if (known === undefined) throw commandError("malformed-action");
    return { node, sessionId: sessionid, action: known, form: formIn(command, "bad-payload") };
  },
  build: ({ node, sessionId, action, form }) =>
    element(NS_COMMANDS, "command", { node, sessionid: sessionId, action }, [form !== undefined && Form.build(form)]),
});

export const CommandResult = payload({
  ns: NS_COMMANDS,
  name: "command",
  places: ["iq-result"],
  parse: (command): CommandState => {
    const { node = "", sessionid, status } = command.attributes;
    const actions = childOf(command, "actions");
    return {
      node,
      sessionId: sessionid,
      status: STATUSES.find((known) => known === status) ?? "completed",
      actions: actions === undefined ? undefined : actionsIn(actions),
      form: formIn(command, "bad-payload"),
      notes: childrenOf(command, "note").map((note) => ({
        type: note.attributes.type === "warn" || note.attributes.type === "error" ? note.attributes.type : "info",
        text: textOf(note),
      })),
    };
  },
  build: ({ node, sessionId, status, actions, form, notes }) =>
    element(NS_COMMANDS, "command", { node, sessionid: sessionId, status }, [
      actions !== undefined &&
        element(
          NS_COMMANDS,
          "actions",
          { execute: actions.execute },
          actions.allowed.map((move) => element(NS_COMMANDS, move)),
        ),
      ...notes.map(({ type, text }) => element(NS_COMMANDS, "note", { type }, [text])),
      form !== undefined && Form.build(form),
    ]),
});

const actionsIn = (actions: Element): NonNullable<CommandState["actions"]> => ({
  execute: MOVES.find((move) => move === actions.attributes.execute),
  allowed: elementsOf(actions).flatMap(({ ns, name }) => MOVES.filter((move) => ns === NS_COMMANDS && move === name)),
});

const formIn = (command: Element, problem: CommandProblem): DataForm | undefined => {
  const form = childOf(command, "x", NS_DATA_FORMS);
  if (form === undefined) return undefined;
  try {
    return Form.parse(form);
  } catch {
    throw commandError(problem);
  }
};
