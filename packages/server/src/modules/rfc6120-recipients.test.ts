import { eachFabric } from "@kith/testing";
import { expect, test } from "vitest";
import { recipients } from "./rfc6120-recipients.ts";

const ROMEO = "romeo@example.org/orchard";
const NAMES = ["juliet", "nurse", "benvolio", "mercutio"] as const;
const message = (to: string, id: string): string =>
  `<message type='chat' to='${to}' id='${id}'><body>${id}</body></message>`;
const refusal = (kind: string, to: string, id: string): string =>
  `<${kind} type='error' from='${to}' to='${ROMEO}' id='${id}'><error type='wait'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>no more than 3 addressees a minute</text></error></${kind}>`;

eachFabric("recipients", (open) => {
  const stage = async (mostPerMinute: number | undefined) => {
    const accounts = ["romeo@example.org", ...NAMES.map((name) => `${name}@example.org`)];
    const scene = await open({ modules: () => [recipients({ mostPerMinute })], accounts });
    const romeo = await scene.login(ROMEO);
    const others = await Promise.all(NAMES.map((name) => scene.login(`${name}@example.org/home`)));
    return { scene, romeo, others };
  };

  test("RFC 6120 §13.12: the fourth addressee of a minute is refused, those before are not, and the next minute is new", async () => {
    const { scene, romeo, others } = await stage(3);
    const to = NAMES.map((name) => `${name}@example.org/home`);
    for (let round = 0; round < 3; round++) {
      for (const at of [0, 1, 2]) {
        await romeo.sends(message(to[at] ?? "", `r${round}`));
        others[at]?.receives(
          `<message type='chat' from='${ROMEO}' to='${to[at]}' id='r${round}'><body>r${round}</body></message>`,
        );
      }
    }
    // Another resource of the same account is the same addressee.
    await romeo.sends(message("nurse@example.org/nowhere", "same"));
    await romeo.sends(message(to[3] ?? "", "x"));
    others[3]?.receivesNothing();
    scene.clock.advance(60_000);
    await romeo.sends(message(to[3] ?? "", "later"));
    others[3]?.receives(`<message type='chat' from='${ROMEO}' to='${to[3]}' id='later'><body>later</body></message>`);
  });

  test.each([
    ["message", message("mercutio@example.org/home", "m")],
    ["iq", "<iq type='get' to='mercutio@example.org/home' id='m'><ping xmlns='urn:xmpp:ping'/></iq>"],
  ])("RFC 6120 §8.3.3.12: <%s/> is answered policy-violation, and nothing of it happens", async (kind, stanza) => {
    const { romeo, others } = await stage(3);
    for (const name of ["a", "b", "c"]) await romeo.sends(`<presence type='probe' to='${name}@elsewhere.example'/>`);
    romeo.received();
    await romeo.sends(stanza);
    romeo.receives(refusal(kind, "mercutio@example.org/home", "m"));
    others[3]?.receivesNothing();
  });

  test("RFC 6120 §13.12: answers and farewells are not counted, and each session counts by itself", async () => {
    const { scene, romeo, others } = await stage(1);
    await romeo.sends(message("juliet@example.org/home", "1"));
    others[0]?.receives(
      `<message type='chat' from='${ROMEO}' to='juliet@example.org/home' id='1'><body>1</body></message>`,
    );
    romeo.received();
    for (const type of ["result", "error"])
      await romeo.sends(`<iq type='${type}' to='nurse@example.org/home' id='a'/>`);
    await romeo.sends("<presence type='unavailable' to='nurse@example.org/home'/>");
    romeo.receivesNothing();
    const phone = await scene.login("romeo@example.org/phone");
    await phone.sends(message("nurse@example.org/home", "2"));
    expect(others[1]).toBeDefined();
    phone.receivesNothing();
  });

  test("RFC 6120 §13.12: without a limit there is none", async () => {
    const { romeo, others } = await stage(undefined);
    for (const name of NAMES) await romeo.sends(message(`${name}@example.org/home`, name));
    romeo.receivesNothing();
    others[3]?.receives(
      `<message type='chat' from='${ROMEO}' to='mercutio@example.org/home' id='mercutio'><body>mercutio</body></message>`,
    );
  });
});
