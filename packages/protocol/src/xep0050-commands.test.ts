import { describe, expect, test } from "vitest";
import { Command, CommandResult, type CommandState, commandError } from "./xep0050-commands.ts";
import { parseElement } from "./xml/read.ts";

const command = (attributes: string, children = "") =>
  parseElement(`<command xmlns='http://jabber.org/protocol/commands' ${attributes}>${children}</command>`);
const SUBMITTED = "<x xmlns='jabber:x:data' type='submit'><field var='town'><value>Verona</value></field></x>";

describe("XEP-0050 §4.1: requests", () => {
  test.each([
    [
      "begins",
      command("node='visit' action='execute'"),
      { node: "visit", sessionId: undefined, action: "execute", form: undefined },
    ],
    [
      "goes on",
      command("node='visit' sessionid='v:1' action='complete'", SUBMITTED),
      {
        node: "visit",
        sessionId: "v:1",
        action: "complete",
        form: expect.objectContaining({ type: "submit" }),
      },
    ],
    [
      "is given up",
      command("node='visit' sessionid='v:1' action='cancel'"),
      { node: "visit", sessionId: "v:1", action: "cancel", form: undefined },
    ],
  ] as const)("one that %s", (_, xml, expected) => {
    const parsed = Command.parse(xml);
    expect(parsed).toEqual(expected);
    expect(Command.parse(Command.build(parsed))).toEqual(parsed);
  });

  test("without action it is executed; a status is ignored", () => {
    expect(Command.parse(command("node='visit' status='completed'"))).toMatchObject({ action: "execute" });
  });

  test.each([
    ["no node", command("action='execute'"), undefined],
    ["an empty node", command("node=''"), undefined],
    ["an unknown action", command("node='visit' action='explode'"), "malformed-action"],
    ["an empty session id", command("node='visit' sessionid=''"), "bad-sessionid"],
    ["a broken form", command("node='visit'", "<x xmlns='jabber:x:data' type='novel'/>"), "bad-payload"],
  ])("bad-request for %s", (_, xml, problem) => {
    const extra = problem === undefined ? undefined : [expect.objectContaining({ name: problem })];
    expect(() => Command.parse(xml)).toThrow(
      expect.objectContaining({
        condition: "bad-request",
        options: expect.objectContaining(extra === undefined ? {} : { extra }),
      }),
    );
  });
});

describe("XEP-0050 §4: results", () => {
  const states: readonly CommandState[] = [
    {
      node: "visit",
      sessionId: "v:1",
      status: "executing",
      actions: { execute: "complete", allowed: ["prev", "complete"] },
      form: {
        type: "form",
        instructions: [],
        fields: [{ var: "town", type: "text-single", values: [], required: false }],
      },
      notes: [],
    },
    {
      node: "visit",
      sessionId: "v:1",
      status: "completed",
      actions: undefined,
      form: undefined,
      notes: [
        { type: "info", text: "done" },
        { type: "warn", text: "nearly" },
        { type: "error", text: "not & at all" },
      ],
    },
    { node: "visit", sessionId: undefined, status: "canceled", actions: undefined, form: undefined, notes: [] },
  ];
  test.each(states)("$status is written and read back", (state) => {
    const read = CommandResult.parse(CommandResult.build(state));
    expect(read).toMatchObject({
      ...state,
      form: state.form === undefined ? undefined : expect.objectContaining({ type: "form" }),
    });
  });

  test("§4.4: a note without type informs; what is not understood is left out", () => {
    const xml = command(
      "status='odd'",
      "<actions><next/><explode/></actions><note>hm</note><note type='odd'>so</note>",
    );
    expect(CommandResult.parse(xml)).toMatchObject({
      node: "",
      status: "completed",
      actions: { execute: undefined, allowed: ["next"] },
      notes: [
        { type: "info", text: "hm" },
        { type: "info", text: "so" },
      ],
    });
  });
});

test.each([
  ["bad-action", "bad-request", "modify"],
  ["session-expired", "not-allowed", "cancel"],
] as const)("XEP-0050 §5.4: %s is a kind of %s", (problem, condition, type) => {
  expect(commandError(problem, "why")).toMatchObject({
    condition,
    type,
    options: { text: "why", extra: [{ name: problem }] },
  });
});
