import {
  type Bytes,
  type Element,
  Enable,
  Enabled,
  type EnabledStream,
  type Eventually,
  Failed,
  isAck,
  isAckRequest,
  isPromise,
  NS_STREAM_MANAGEMENT,
  type RawElement,
  Resume,
  Resumed,
  readAck,
  readElement,
  type StanzaCondition,
  StanzaError,
  streamManagementFeature,
  writeElement,
} from "@kith/protocol";
import type { Resumption } from "./door.ts";
import type { Resumable } from "./management.ts";
import type { Client, Step } from "./negotiate-step.ts";

const refuse = (client: Client, condition: StanzaCondition, h?: number, text?: string): void =>
  client.send(writeElement(Failed.build({ condition, h, text })));

const isNamed = (raw: RawElement, name: string): boolean => raw.ns === NS_STREAM_MANAGEMENT && raw.name === name;

/** What is granted (XEP-0198 §3). */
export const granted = (resumable: Resumable | undefined): EnabledStream =>
  resumable === undefined ? { resume: false } : { resume: true, id: resumable.id, max: resumable.max };

/** What is asked for, or a refusal where it makes no sense. */
const parsed = <T>(client: Client, parse: () => T): T | undefined => {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error;
    refuse(client, error.condition, undefined, error.message);
    return undefined;
  }
};

/** XEP-0198 §3, §4: a bound client's stanzas are counted. */
export const streamManagement: Step = {
  name: "stream management",
  // Some clients negotiate whatever they are offered, also what they have.
  features: ({ peer }): readonly Element[] =>
    peer.is === "session" && peer.session.manager !== undefined ? [] : [streamManagementFeature],
  takes: (raw) => raw.ns === NS_STREAM_MANAGEMENT,
  receive: (client, raw) => {
    if (client.peer.is !== "session") return;
    const { session } = client.peer;
    if (isAck(raw)) session.manager?.acknowledged(readAck(raw));
    else if (isAckRequest(raw)) session.manager?.acknowledge();
    else if (isNamed(raw, "enable")) enable(client, raw);
    // §5: a stream that has a resource cannot become another one.
    else refuse(client, "unexpected-request");
  },
};

const enable = (client: Client, raw: RawElement): void => {
  if (client.peer.is !== "session") return;
  const wanted = parsed(client, () => Enable.parse(readElement(raw)));
  if (wanted === undefined) return;
  const done = client.peer.session.manage(wanted, (resumable) => writeElement(Enabled.build(granted(resumable))));
  if (done === "managed before") refuse(client, "unexpected-request");
};

/** XEP-0198 §5: instead of binding a resource, an earlier stream goes on. */
export const resumption: Step = {
  name: "resumption",
  features: (): readonly Element[] => [streamManagementFeature],
  takes: (raw) => raw.ns === NS_STREAM_MANAGEMENT,
  receive: (client, raw) => {
    // §3: stanzas are counted once a resource has been bound, not before.
    if (!isNamed(raw, "resume")) return refuse(client, "unexpected-request");
    const asked = parsed(client, () => Resume.parse(readElement(raw)));
    if (asked === undefined || client.peer.is !== "account") return;
    const resumed = client.services.door.resume(client.peer.account, asked.previd, asked.h, client);
    return isPromise(resumed)
      ? resumed.then((settled) => concluded(client, asked.previd, settled))
      : concluded(client, asked.previd, resumed);
  },
};

const concluded = (client: Client, previd: string, resumed: Resumption): Eventually<void> => {
  if (resumed.is === "refused") return refuse(client, "item-not-found", resumed.h);
  const { session, h, replay } = resumed;
  if (!client.isOver) {
    client.peer = { is: "session", session };
    client.established();
    client.send(writeElement(Resumed.build({ previd, h })) as Bytes);
    replay();
  }
};
