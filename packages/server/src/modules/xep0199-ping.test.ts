import { eachFabric } from "@kith/testing";
import { test } from "vitest";
import { ping } from "./xep0199-ping.ts";

const PING = "<ping xmlns='urn:xmpp:ping'/>";
const ROMEO = "romeo@example.org/orchard";
const unavailable = (id: string, from: string) =>
  `<iq type='error' id='${id}' from='${from}' to='${ROMEO}'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`;

eachFabric("ping", (open) => {
  const login = async () => {
    const scene = await open({ modules: () => [ping()], accounts: ["romeo@example.org", "juliet@example.org"] });
    return scene.login(ROMEO);
  };

  test.each([
    ["nobody", "", ""],
    ["the server", "to='example.org'", "from='example.org'"],
    ["one's own account", "to='romeo@example.org'", "from='romeo@example.org'"],
  ])("XEP-0199 §4.2: a ping to %s is answered", async (_, to, from) => {
    const romeo = await login();
    await romeo.sends(`<iq type='get' ${to} id='p1'>${PING}</iq>`);
    romeo.receives(`<iq type='result' ${from} to='${ROMEO}' id='p1'/>`);
  });

  test("XEP-0199 §8: somebody else's account does not answer, whether it is there or not", async () => {
    const romeo = await login();
    for (const to of ["juliet@example.org", "nobody@example.org"]) {
      await romeo.sends(`<iq type='get' to='${to}' id='p2'>${PING}</iq>`);
      romeo.receives(unavailable("p2", to));
    }
  });

  test("XEP-0199 §3: a ping is never a set", async () => {
    const romeo = await login();
    await romeo.sends(`<iq type='set' to='example.org' id='p3'>${PING}</iq>`);
    romeo.receives(unavailable("p3", "example.org"));
  });
});
