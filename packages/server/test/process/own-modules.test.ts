import { join } from "node:path";
import { bindRequest, kith, plainAuth, RawClient, runtime, startServer, streamHeader } from "@kith/testing/process";
import { describe, expect, test } from "vitest";

/** Shown in docs/modules.md. */
const EXAMPLE = join(import.meta.dirname, "../../../../docs/examples/own-modules.config.ts");
const PASSWORD = "wherefore7";
const VISITS = "<iq type='get' id='v'><visits xmlns='urn:example:visits'/></iq>";

describe(`modules of one's own (${runtime})`, () => {
  test("kith start runs the modules of its configuration, and keeps for them what they keep", async () => {
    await using server = await startServer({ base: EXAMPLE, config: { plaintextFromLoopback: true } });
    await server.addUser("romeo@localhost", PASSWORD);
    const asked = async (): Promise<string> => {
      const client = await RawClient.connect({ port: server.port("c2s") });
      client.send(streamHeader("localhost") + plainAuth("romeo", PASSWORD));
      await client.until("<success");
      client.send(streamHeader("localhost") + bindRequest("orchard"));
      await client.until("</jid></bind></iq>");
      client.send(VISITS);
      const answer = await client.until("</iq>");
      client.destroy();
      return answer;
    };
    expect(await asked()).toContain("<visits xmlns='urn:example:visits' count='1'/>");
    expect(await asked()).toContain("count='2'");
    expect(await server.stop()).toBe(0);
    await server.start();
    expect(await asked()).toContain("count='3'");
  });

  test("kith check takes the example as it stands", async () => {
    const { code, errors } = await kith(["check", "--config", EXAMPLE]);
    expect(errors).toContain("is all right");
    expect(code).toBe(0);
  });

  test("what is no module is told before anything is opened", async () => {
    const given = { modules: [{ features: ["x"] }] };
    await expect(startServer({ config: given })).rejects.toThrow(/modules: .*allowed: a list of modules/);
  });
});
