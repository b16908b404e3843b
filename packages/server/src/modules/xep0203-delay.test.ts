import { eachFabric } from "@kith/testing";
import { describe, test } from "vitest";
import { delay } from "./xep0203-delay.ts";

const stamp = (from: string) =>
  `<delay xmlns='urn:xmpp:delay' ${from === "" ? "" : `from='${from}'`} stamp='2031-05-17T09:30:05Z'/>`;

eachFabric("delay", (open) => {
  const stage = async () => {
    const scene = await open({ modules: () => [delay()], accounts: ["romeo@example.org", "juliet@example.org"] });
    return {
      romeo: await scene.online("romeo@example.org/orchard"),
      juliet: await scene.online("juliet@example.org/balcony"),
    };
  };
  const FROM = "from='romeo@example.org/orchard' to='juliet@example.org/balcony'";

  test.each(["example.org", "EXAMPLE.org"])(
    "XEP-0203 §5: nobody gives out a delay as the server's (from='%s')",
    async (from) => {
      const { romeo, juliet } = await stage();
      await romeo.sends(
        `<message to='juliet@example.org/balcony' id='m'><body>late</body>${stamp(from)}<thread>t</thread>${stamp(from)}</message>`,
      );
      juliet.receives(`<message ${FROM} id='m'><body>late</body><thread>t</thread></message>`);
    },
  );

  describe("XEP-0203 §5: other delays are passed on", () => {
    test.each(["", "romeo@example.org/orchard", "rooms.example.org", "example.net", "@", "juliet@example.org"])(
      "from='%s'",
      async (from) => {
        const { romeo, juliet } = await stage();
        await romeo.sends(`<message to='juliet@example.org/balcony'><body>late</body>${stamp(from)}</message>`);
        juliet.receives(`<message ${FROM}><body>late</body>${stamp(from)}</message>`);
      },
    );
  });

  test("XEP-0203 §2: presence is delayed by servers, and passed on", async () => {
    const { romeo, juliet } = await stage();
    await romeo.sends(`<presence to='juliet@example.org/balcony'>${stamp("example.org")}</presence>`);
    juliet.receives(`<presence ${FROM}>${stamp("example.org")}</presence>`);
  });
});
