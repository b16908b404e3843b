import {
  type Bytes,
  Failed,
  NS_STREAM_MANAGEMENT,
  type RawElement,
  Resume,
  Resumed,
  readElement,
  type StreamManagementFailure,
  toBytes,
  writeElement,
} from "@kith/protocol";
import { bindRequest, NS_SASL, plainAuth } from "../process/raw-client.ts";
import type { Wire } from "./wire.ts";

export const PASSWORD = "wherefore art thou 7";

/** To the features of an authenticated stream. Rejects where the connection goes, or the server says no. */
export const authenticate = async (wire: Wire, name: string): Promise<void> => {
  wire.open();
  await next(wire, "features");
  wire.send(toBytes(plainAuth(name, PASSWORD)));
  const answer = await next(wire, "success");
  if (answer.ns !== NS_SASL) throw new Error("not SASL");
  wire.open();
  await next(wire, "features");
};

/** Settles with the result of binding; everything after it is for whoever takes it. */
export const bind = async (wire: Wire, resource: string): Promise<void> => {
  wire.send(toBytes(bindRequest(resource)));
  await next(wire, "iq");
};

export type ResumptionOutcome =
  | { readonly is: "resumed"; readonly h: number }
  | { readonly is: "failed"; readonly failure: StreamManagementFailure };

export const resume = async (wire: Wire, previd: string, h: number): Promise<ResumptionOutcome> => {
  wire.send(writeElement(Resume.build({ previd, h })) as Bytes);
  const raw = await wire.next();
  if (raw.ns !== NS_STREAM_MANAGEMENT) throw new Error(`not an answer to <resume/>: ${raw.name}`);
  if (raw.name === "resumed") return { is: "resumed", h: Resumed.parse(readElement(raw)).h };
  return { is: "failed", failure: Failed.parse(readElement(raw)) };
};

const next = async (wire: Wire, name: string): Promise<RawElement> => {
  const raw = await wire.next();
  if (raw.name !== name) throw new Error(`${raw.name} in place of ${name}`);
  return raw;
};
