import { type Element, parseElement, writeElement } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import type { Door, Resumption } from "./door.ts";
import type { InlineFeature } from "./inline-feature.ts";
import { inlineFeatures } from "./inline-features.ts";
import type { Client } from "./negotiate-step.ts";
import { FakeSession } from "./test-streams.ts";

const SM = "urn:xmpp:sm:3";
const account = { bare: "juliet@capulet.example" } as never;
const session = (): FakeSession => new FakeSession(account, { send: () => {} } as never, undefined);
const features = inlineFeatures([]);
type At<Where> = Extract<InlineFeature, { readonly at: Where }>;

/** What a request in `<bind/>` leads to. */
const asked = async (xml: string, bound: FakeSession): Promise<Element | undefined> => {
  const request = parseElement(xml);
  const feature = features.find((one): one is At<"bind"> => one.at === "bind" && one.takes(request));
  return feature?.handle(request, bound, {} as never, {} as never);
};

/** What a wish to resume in `<authenticate/>` leads to. */
const resumes = async (xml: string, resume: Door["resume"]): Promise<{ result: string; session: unknown }> => {
  const request = parseElement(xml);
  const feature = features.find((one): one is At<"resume"> => one.at === "resume" && one.takes(request));
  if (feature === undefined) throw new Error("nobody takes it");
  const client = { services: { door: { resume } } } as unknown as Client;
  const { result, session: resumed } = await feature.resume(request, { account } as never, client);
  return { result: writeElement(result), session: resumed };
};
const refused: Resumption = { is: "refused", h: 4 };

describe("in <bind/>", () => {
  test("XEP-0386 §4: carbons, client state and stream management are offered", () => {
    expect(features.flatMap((one) => (one.at === "bind" ? one.feature : []))).toEqual([
      "urn:xmpp:carbons:2",
      "urn:xmpp:csi:0",
      SM,
    ]);
  });

  test("XEP-0280 §4: carbons go on, without a word", async () => {
    const bound = session();
    expect(await asked("<enable xmlns='urn:xmpp:carbons:2'/>", bound)).toBeUndefined();
    expect([...bound.marks]).toEqual(["carbons"]);
  });

  test("XEP-0352 §4.2: a client may begin inactive", async () => {
    const bound = session();
    await asked("<inactive xmlns='urn:xmpp:csi:0'/>", bound);
    expect(bound.isActive).toBe(false);
  });

  test("XEP-0198 §9.1: counting begins, and <bound/> says so", async () => {
    const result = await asked(`<enable xmlns='${SM}' resume='true' max='60'/>`, session());
    expect(result?.attributes).toMatchObject({ id: "stream-7", resume: "true", max: "60" });
  });

  test("XEP-0198 §6: an enable that makes no sense fails, and the client is bound all the same", async () => {
    const bound = session();
    const result = await asked(`<enable xmlns='${SM}' max='soon'/>`, bound);
    expect(result && writeElement(result)).toContain("<bad-request");
    expect(bound.manager).toBeUndefined();
  });

  test("XEP-0198 §3: twice is unexpected", async () => {
    const bound = session();
    await asked(`<enable xmlns='${SM}'/>`, bound);
    const result = await asked(`<enable xmlns='${SM}'/>`, bound);
    expect(result && writeElement(result)).toContain("<unexpected-request");
  });
});

describe("in <authenticate/>", () => {
  test("XEP-0198 §9.2: a stream goes on; what the client has not had is sent at once", async () => {
    const steps: string[] = [];
    const resumed = session();
    const resume: Door["resume"] = (_, previd, h) => {
      steps.push(`${previd} ${h}`);
      return { is: "resumed", session: resumed, h: 5, replay: () => void steps.push("replayed") };
    };
    const { result, session: went } = await resumes(`<resume xmlns='${SM}' h='2' previd='x'/>`, resume);
    expect([result, steps]).toEqual([`<resumed xmlns='${SM}' h='5' previd='x'/>`, ["x 2", "replayed"]]);
    expect(went).toBe(resumed);
  });

  test("XEP-0198 §9.2: one that is not there fails, and says how far it had come", async () => {
    const { result, session: went } = await resumes(`<resume xmlns='${SM}' h='2' previd='x'/>`, () => refused);
    expect(result).toContain(" h='4'");
    expect(result).toContain("<item-not-found");
    expect(went).toBeUndefined();
  });

  test.each(["h='2'", "previd='x'", "h='-1' previd='x'"])("XEP-0198 §6: %s is refused unasked", async (attributes) => {
    const { result } = await resumes(`<resume xmlns='${SM}' ${attributes}/>`, () => {
      throw new Error("asked");
    });
    expect(result).toContain("<bad-request");
  });
});

describe("in every <bound/>", () => {
  test("XEP-0386 §4: what modules report", async () => {
    const report = parseElement("<metadata xmlns='urn:xmpp:mam:2'/>");
    const found = inlineFeatures([{ name: "archive", xeps: [], boundReport: () => report }]).find(
      (one): one is At<"bound"> => one.at === "bound",
    );
    const bound = new FakeSession({ toBare: () => account } as never, {} as never, undefined);
    expect(await found?.report(bound, {} as never)).toBe(report);
  });
});
