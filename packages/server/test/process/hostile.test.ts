import { describe, test } from "vitest";
import { configOf, expectEnd, hostile } from "./hostile-scene.ts";

hostile("XML from strangers", configOf({ authenticated: { stanzaBytes: "32 KiB" } }), ({ stranger }) => {
  const both = [
    ["before authentication", () => stranger.arrive()],
    ["after binding", () => stranger.login()],
  ] as const;

  describe.each(both)("%s", (_, arrive) => {
    test("RFC 6120 §4.9.3.14: a stanza that never ends is refused at the limit", async () => {
      const client = await arrive();
      client.send(`<message><body>${"x".repeat(40_000)}`);
      await expectEnd(client, "policy-violation");
    });

    test("RFC 6120 §4.9.3.14: so are elements inside one another", async () => {
      const client = await arrive();
      client.send(`<message>${"<a>".repeat(2_000)}`);
      await expectEnd(client, "policy-violation");
    });

    test("RFC 6120 §4.9.3.14: and attributes, and namespace prefixes", async () => {
      for (const many of [
        Array.from({ length: 200 }, (_, at) => ` a${at}=''`),
        Array.from({ length: 200 }, (_, at) => ` xmlns:p${at}='urn:p'`),
      ]) {
        const client = await arrive();
        client.send(`<message${many.join("")}/>`);
        await expectEnd(client, "policy-violation");
      }
    });

    test("RFC 6120 §11.1: an entity bomb is refused at its first bytes", async () => {
      const client = await arrive();
      const entities = Array.from({ length: 10 }, (_, at) => `<!ENTITY e${at + 1} "${`&e${at};`.repeat(10)}">`);
      client.send(`<!DOCTYPE b [<!ENTITY e0 "boom">${entities.join("")}]><message><body>&e10;</body></message>`);
      await expectEnd(client, "restricted-xml");
    });

    test.each(["<!-- x -->", "<?php evil() ?>", "<message><body>&e;</body></message>"])(
      "RFC 6120 §11.1: %s is refused",
      async (xml) => {
        const client = await arrive();
        client.send(xml);
        await expectEnd(client, "restricted-xml");
      },
    );

    test.each([
      ["overlong", [0xc0, 0xaf]],
      ["a surrogate", [0xed, 0xa0, 0x80]],
      ["beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
      ["a lone continuation", [0x80]],
    ])("RFC 6120 §11.6: what is no UTF-8 is refused (%s)", async (_name, bytes) => {
      const client = await arrive();
      client.send(
        Buffer.concat([Buffer.from("<message><body>"), Buffer.from(bytes), Buffer.from("</body></message>")]),
      );
      await expectEnd(client, "unsupported-encoding");
    });

    test("RFC 6120 §4.9.3.13: what is not well-formed is refused", async () => {
      const client = await arrive();
      client.send("<message></presence>");
      await expectEnd(client, "not-well-formed");
    });
  });
});
