import { eachFabric } from "@kith/testing";
import { test } from "vitest";
import { version } from "./xep0092-version.ts";

eachFabric("version", (open) => {
  test.each([
    ["only what is given", { name: "Verona", version: "1.0" }, ""],
    ["the system where that is wanted", { name: "Verona", version: "1.0", os: "Stone" }, "<os>Stone</os>"],
  ])("XEP-0092 §2, §5: the server tells %s", async (_, software, os) => {
    const scene = await open({ modules: () => [version(software)], accounts: ["romeo@example.org"] });
    const romeo = await scene.login("romeo@example.org/orchard");
    await romeo.sends("<iq type='get' to='example.org' id='v'><query xmlns='jabber:iq:version'/></iq>");
    romeo.receives(
      `<iq type='result' from='example.org' to='romeo@example.org/orchard' id='v'><query xmlns='jabber:iq:version'><name>Verona</name><version>1.0</version>${os}</query></iq>`,
    );
  });
});
