import { away } from "./away.ts";
import { eachFabric } from "@kith/testing";
import { test } from "vitest";

const ROMEO = "romeo@example.org";
const JULIET = "juliet@example.org";
const note = (text: string) => `<away xmlns='urn:example:away'>${text}</away>`;
const says = (text: string) => `<message type='chat' to='${JULIET}'><body>${text}</body></message>`;
const NOTE = `<message type='chat' id='*' from='${JULIET}' to='${ROMEO}/orchard'><body>back at nine</body><away xmlns='urn:example:away'/></message>`;

eachFabric("away", (open) => {
  const cast = async () => {
    const scene = await open({ modules: (store) => [away(store.collection("away"))], accounts: [ROMEO, JULIET] });
    const [romeo, juliet] = [await scene.online(`${ROMEO}/orchard`), await scene.online(`${JULIET}/balcony`)];
    await juliet.sends(`<iq type='set' id='a1'>${note("back at nine")}</iq>`);
    juliet.receives(`<iq type='result' id='a1' to='${JULIET}/balcony'/>`);
    return { scene, romeo, juliet };
  };

  test("whoever writes is told once", async () => {
    const { romeo, juliet } = await cast();
    await romeo.sends(says("Good morrow."));
    romeo.receives(NOTE);
    await romeo.sends(says("Still there?"));
    romeo.receivesNothing();
    juliet.receives(
      `<message type='chat' from='${ROMEO}/orchard' to='${JULIET}'><body>Good morrow.</body></message>`,
      `<message type='chat' from='${ROMEO}/orchard' to='${JULIET}'><body>Still there?</body></message>`,
    );
  });

  test("a new note is told again, no note is not, and the other devices hear of both", async () => {
    const { scene, romeo, juliet } = await cast();
    const phone = await scene.online(`${JULIET}/phone`);
    await romeo.sends(says("Good morrow."));
    romeo.received();
    await juliet.sends(`<iq type='set' id='a2'>${note("")}</iq>`);
    phone.receives(`<message type='headline' id='*' from='${JULIET}' to='${JULIET}/phone'>${note("")}</message>`);
    await romeo.sends(says("Art thou gone?"));
    romeo.receivesNothing();
  });

  test("two who are away do not tell each other for ever", async () => {
    const { romeo } = await cast();
    await romeo.sends(`<iq type='set' id='a3'>${note("asleep")}</iq>`);
    romeo.received();
    await romeo.sends(says("Good morrow."));
    romeo.receives(NOTE);
  });

  test("what was kept goes with the account", async () => {
    const { scene } = await cast();
    await scene.removeAccount(JULIET);
    // The next of this name begins without it.
  });
});
