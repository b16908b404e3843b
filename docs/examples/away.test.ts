import { eachFabric } from "@kith/testing";
import { expect, test } from "vitest";
import { away } from "./away.ts";

const ROMEO = "romeo@example.org";
const JULIET = "juliet@example.org";
const note = (text: string) => `<away xmlns='urn:example:away'>${text}</away>`;
const chat = (text: string) => `<message type='chat' to='${JULIET}'><body>${text}</body></message>`;
const answer = `<message type='chat' id='*' from='${JULIET}' to='${ROMEO}/orchard'><body>back at nine</body>${note("")}</message>`;

eachFabric("away", (open) => {
  const cast = async () => {
    const scene = await open({ modules: (store) => [away(store.collection("away"))], accounts: [ROMEO, JULIET] });
    const romeo = await scene.online(`${ROMEO}/orchard`);
    const juliet = await scene.online(`${JULIET}/balcony`);
    await juliet.sends(`<iq type='set' id='a1'>${note("back at nine")}</iq>`);
    juliet.receives(`<iq type='result' id='a1' to='${JULIET}/balcony'/>`);
    return { scene, romeo, juliet };
  };

  test("whoever writes is told once", async () => {
    const { romeo } = await cast();
    await romeo.sends(chat("Good morrow."));
    romeo.receives(answer);
    await romeo.sends(chat("Still there?"));
    romeo.receivesNothing();
  });

  test("the note can be read and taken back", async () => {
    const { romeo, juliet } = await cast();
    await juliet.sends("<iq type='get' id='a2'><away xmlns='urn:example:away'/></iq>");
    juliet.receives(`<iq type='result' id='a2' to='${JULIET}/balcony'>${note("back at nine")}</iq>`);
    await juliet.sends(`<iq type='set' id='a3'>${note("")}</iq>`);
    await romeo.sends(chat("Good morrow."));
    romeo.receivesNothing();
  });

  test("the account's other devices hear of it", async () => {
    const { scene, juliet } = await cast();
    const phone = await scene.online(`${JULIET}/phone`);
    await juliet.sends(`<iq type='set' id='a4'>${note("asleep")}</iq>`);
    phone.receives(`<message type='headline' id='*' from='${JULIET}' to='${JULIET}/phone'>${note("asleep")}</message>`);
  });

  test("two who are away do not tell each other for ever", async () => {
    const { romeo, juliet } = await cast();
    await romeo.sends(`<iq type='set' id='a5'>${note("at the friar's")}</iq>`);
    romeo.received();
    await romeo.sends(chat("Good morrow."));
    romeo.receives(answer);
    // What he said, and nothing that was said for him.
    juliet.receives(`<message type='chat' from='${ROMEO}/orchard' to='${JULIET}'><body>Good morrow.</body></message>`);
  });

  test("nobody else may read or change it, and it goes with the account", async () => {
    const { scene, romeo } = await cast();
    await romeo.sends(`<iq type='set' to='${JULIET}' id='a6'>${note("gone for good")}</iq>`);
    expect(romeo.received()).toEqual([expect.stringContaining("service-unavailable")]);
    await scene.removeAccount(JULIET);
    await romeo.sends(chat("Good morrow."));
    expect(romeo.received()).toEqual([expect.stringContaining("service-unavailable")]);
  });
});
