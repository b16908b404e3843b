/** What this server lets clients ask for together with logging in. */
import {
  type Element,
  Enable,
  EnableCarbons,
  Enabled,
  Failed,
  NS_CARBONS,
  NS_CSI,
  NS_STREAM_MANAGEMENT,
  Resume,
  Resumed,
  StanzaError,
  streamManagementFeature,
} from "@kith/protocol";
import type { Module } from "../module.ts";
import type { InlineFeature } from "./inline-feature.ts";
import { granted } from "./negotiate-sm.ts";

const isNamed =
  (ns: string, ...names: readonly string[]) =>
  (request: Element): boolean =>
    request.ns === ns && names.includes(request.name);

/** XEP-0198 §9.2. */
const resume: InlineFeature = {
  at: "resume",
  name: "resumption",
  announced: streamManagementFeature,
  takes: isNamed(NS_STREAM_MANAGEMENT, "resume"),
  resume: async (request, { account }, client) => {
    const asked = parsed(() => Resume.parse(request));
    if ("refusal" in asked) return { result: asked.refusal, session: undefined };
    const { previd, h } = asked.value;
    const resumed = await client.services.door.resume(account, previd, h, client);
    if (resumed.is === "refused")
      return { result: Failed.build({ condition: "item-not-found", h: resumed.h }), session: undefined };
    // What is sent from now on follows the result.
    resumed.replay();
    return { result: Resumed.build({ previd, h: resumed.h }), session: resumed.session };
  },
};

/** What is asked for, or why it cannot be (XEP-0198 §6). */
const parsed = <T>(parse: () => T): { readonly value: T } | { readonly refusal: Element } => {
  try {
    return { value: parse() };
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error;
    return { refusal: Failed.build({ condition: error.condition }) };
  }
};

/** XEP-0198 §9.1. */
const enable: InlineFeature = {
  at: "bind",
  name: "stream management",
  feature: NS_STREAM_MANAGEMENT,
  takes: isNamed(NS_STREAM_MANAGEMENT, "enable"),
  handle: (request, session) => {
    const wanted = parsed(() => Enable.parse(request));
    if ("refusal" in wanted) return wanted.refusal;
    let result = Failed.build({ condition: "unexpected-request" });
    session.manage(wanted.value, (resumable) => {
      result = Enabled.build(granted(resumable));
      return undefined;
    });
    return result;
  },
};

/** XEP-0280 §4, XEP-0386 §4.2. */
const carbons: InlineFeature = {
  at: "bind",
  name: "carbons",
  feature: NS_CARBONS,
  takes: isNamed(NS_CARBONS, EnableCarbons.name),
  handle: (_, session) => {
    session.mark("carbons", true);
    return undefined;
  },
};

/** XEP-0352 §4.2, XEP-0386 §4.2. */
const csi: InlineFeature = {
  at: "bind",
  name: "client state indication",
  feature: NS_CSI,
  takes: isNamed(NS_CSI, "active", "inactive"),
  handle: ({ name }, session) => {
    session.setActive(name === "active");
    return undefined;
  },
};

/** Stream management last of all, since it counts from there on. */
export const inlineFeatures = (modules: readonly Module[]): readonly InlineFeature[] => [
  resume,
  carbons,
  csi,
  enable,
  ...modules.flatMap(({ name, boundReport }): readonly InlineFeature[] =>
    boundReport === undefined ? [] : [{ at: "bound", name, report: ({ jid }) => boundReport(jid.toBare().bare) }],
  ),
];
