import { eachFabric } from "@kith/testing";
import { test } from "vitest";
import { time } from "./xep0202-time.ts";

eachFabric("time", (open) => {
  test("XEP-0202 §2, §6: the server tells the time, and not where it stands", async () => {
    const scene = await open({ modules: () => [time()], accounts: ["romeo@example.org"] });
    const romeo = await scene.login("romeo@example.org/orchard");
    scene.clock.advance(90_061_005);
    await romeo.sends("<iq type='get' to='example.org' id='t'><time xmlns='urn:xmpp:time'/></iq>");
    romeo.receives(
      "<iq type='result' from='example.org' to='romeo@example.org/orchard' id='t'><time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>2031-05-18T10:31:01.005Z</utc></time></iq>",
    );
  });
});
