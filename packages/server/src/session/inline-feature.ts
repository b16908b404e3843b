/** What a client may ask for together with logging in, so that it need not ask in flights of its own (XEP-0388 §2.3, XEP-0386). */
import type { Element, Eventually, Jid } from "@kith/protocol";
import type { ClientLogin } from "../access-tokens.ts";
import type { BoundSession } from "./door.ts";
import type { Client } from "./negotiate-step.ts";

/** Who has logged in, and how. */
export interface Login extends ClientLogin {
  readonly account: Jid;
}

/** Asked for in `<bind/>`; done once the resource is bound, before anything reaches the client: carbons, CSI, stream management. */
export interface SessionFeature {
  readonly at: "bind";
  /** For log lines. */
  readonly name: string;
  /** How Bind 2 announces it: its namespace, or its feature in service discovery. */
  readonly feature: string;
  readonly takes: (request: Element) => boolean;
  /** The child of `<bound/>` that its specification defines, if any. */
  readonly handle: (
    request: Element,
    session: BoundSession,
    login: Login,
    client: Client,
  ) => Eventually<Element | undefined>;
}

/** Asked for in `<authenticate/>`: an earlier session is taken up again, and nothing is bound (XEP-0198 §9). */
export interface Resumption {
  readonly at: "resume";
  readonly name: string;
  /** Its child of `<inline/>` in the feature. */
  readonly announced: Element;
  readonly takes: (request: Element) => boolean;
  /** The child of `<success/>`; the session that goes on with this stream, or `undefined` where binding goes on. */
  readonly resume: (
    request: Element,
    login: Login,
    client: Client,
  ) => Eventually<{ readonly result: Element; readonly session: BoundSession | undefined }>;
}

/** Not asked for: what every `<bound/>` tells, such as the state of the archive. */
export interface BoundReport {
  readonly at: "bound";
  readonly name: string;
  readonly report: (session: BoundSession, login: Login) => Eventually<Element | undefined>;
}

/**
 * One thing to be had inline. A StreamError that it throws ends the stream; anything else is a defect of its own: logged, and
 * the login goes on without it. What it sends to the client follows `<success/>` and the features.
 */
export type InlineFeature = SessionFeature | Resumption | BoundReport;
