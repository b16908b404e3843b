import { type ClientState, clientStateOf, csiFeature, type Element } from "@kith/protocol";
import type { Step } from "./negotiate-step.ts";

/** XEP-0352 §4.1. Before a resource is bound there is nobody to be inactive. */
export const csiAnnouncement: Step = {
  name: "client state indication",
  features: (): readonly Element[] => [csiFeature],
  takes: () => false,
  receive: () => {},
};

/** XEP-0352 §4.2: no answer; what was held back has left before the next element is looked at (§5.1). */
export const clientStates: Step = {
  name: "client states",
  features: (): readonly Element[] => [csiFeature],
  takes: (raw) => clientStateOf(raw) !== undefined,
  receive: ({ peer }, raw) => {
    const state: ClientState | undefined = clientStateOf(raw);
    if (peer.is === "session" && state !== undefined) peer.session.setActive(state === "active");
  },
};
