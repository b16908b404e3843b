import { type DataForm, parseJid } from "@kith/protocol";
import { eachFabric, type Party } from "@kith/testing";
import { expect, test } from "vitest";
import type { Command, Module } from "../module.ts";
import { disco } from "./xep0030-disco.ts";
import { commands } from "./xep0050-commands.ts";

const ran: (DataForm | undefined)[] = [];
const GREET: Command = {
  node: "greet",
  name: "Greet",
  mayRun: (who) => who.local === "ada",
  run: (form, { from }) => {
    ran.push(form);
    return { notes: [{ type: "info", text: `Good day, ${from.local}.` }] };
  },
};
const HELD: Command = {
  node: "held",
  name: "Held",
  mayRun: async () => true,
  form: () => ({ type: "form", fields: [{ var: "word", type: "text-single" }] }),
  run: async (form) => ({
    before: [],
    ...(form === undefined ? {} : { form: { type: "result", fields: form.fields } }),
  }),
};

eachFabric("commands that modules declare", (open) => {
  const opened = () =>
    open({
      accounts: ["ada@example.org", "grace@example.org"],
      modules: (_, { modules }): readonly Module[] => [
        commands(modules),
        disco({
          modules,
          name: "Kith",
          items: () => [{ jid: parseJid("rooms.example.org") }],
          subscriptionOf: () => "none",
        }),
        { name: "greeter", xeps: [], commands: [GREET] },
        { name: "holder", xeps: [], commands: [HELD] },
      ],
    });
  const run = (node: string, attributes = "", children = ""): string =>
    `<iq type='set' id='c' to='example.org'><command xmlns='http://jabber.org/protocol/commands' node='${node}' ${attributes}>${children}</command></iq>`;
  const sessionOf = (party: Party): string => / sessionid='([^']*)'/.exec(party.received()[0] ?? "")?.[1] ?? "";

  test("XEP-0050 §3.4.1: one without a form runs at once", async () => {
    const ada = await (await opened()).login("ada@example.org/desk");
    ran.length = 0;
    await ada.sends(run("greet"));
    ada.receives(
      `<iq type='result' id='c' from='example.org' to='${ada.jid}'><command xmlns='http://jabber.org/protocol/commands' node='greet' sessionid='*' status='completed'><note type='info'>Good day, ada.</note></command></iq>`,
    );
    expect(ran).toEqual([undefined]);
  });

  test("XEP-0050 §3.4.3: one that was never begun may be cancelled", async () => {
    const ada = await (await opened()).login("ada@example.org/desk");
    ran.length = 0;
    await ada.sends(run("greet", "action='cancel'"));
    expect(ada.received()).toEqual([expect.stringContaining("status='canceled'")]);
    expect(ran).toEqual([]);
  });

  test("XEP-0050 §4.5.1: a form of type cancel counts as submitted", async () => {
    const grace = await (await opened()).login("grace@example.org/desk");
    await grace.sends(run("held"));
    const session = sessionOf(grace);
    await grace.sends(run("held", `sessionid='${session}'`, "<x xmlns='jabber:x:data' type='cancel'/>"));
    expect(grace.received()).toEqual([expect.stringContaining("status='completed'")]);
  });

  test("a session of one command is none of another", async () => {
    const ada = await (await opened()).login("ada@example.org/desk");
    await ada.sends(run("held"));
    const session = sessionOf(ada);
    await ada.sends(run("greet", `sessionid='${session}'`));
    expect(ada.received()).toEqual([expect.stringContaining("<bad-sessionid ")]);
  });

  test("whoever begins too many loses the first of them; nothing grows without end", async () => {
    const grace = await (await opened()).login("grace@example.org/desk");
    await grace.sends(run("held"));
    const session = sessionOf(grace);
    for (let at = 0; at < 1_000; at++) await grace.sendsUnsettled(run("held"));
    await grace.sends(run("held", `sessionid='${session}'`, "<x xmlns='jabber:x:data' type='submit'/>"));
    expect(grace.received().at(-1)).toContain("<session-expired ");
  });

  test("XEP-0030 §4: without node the server's items are what they were", async () => {
    const ada = await (await opened()).login("ada@example.org/desk");
    await ada.sends(
      "<iq type='get' id='d' to='example.org'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
    );
    ada.receives(
      `<iq type='result' id='d' from='example.org' to='${ada.jid}'><query xmlns='http://jabber.org/protocol/disco#items'><item jid='rooms.example.org'/></query></iq>`,
    );
  });

  test("XEP-0030 §8: accounts have no commands", async () => {
    const ada = await (await opened()).login("ada@example.org/desk");
    await ada.sends(
      "<iq type='get' id='d'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>",
    );
    expect(ada.received()).toEqual([expect.stringContaining("<item-not-found ")]);
    await ada.sends(run("greet").replace("example.org", "grace@example.org"));
    expect(ada.received()).toEqual([expect.stringContaining("<service-unavailable ")]);
  });
});
