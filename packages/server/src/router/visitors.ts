import {
  type Bytes,
  type Eventually,
  errorOf,
  type Iq,
  isPromise,
  readChild,
  resultOf,
  StanzaError,
  writeStanza,
} from "@kith/protocol";
import type { Context, Effects, Module, Visitor, VisitorAnswer } from "../module.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "./log.ts";
import { VisitorTable } from "./tables.ts";

/** What `Visitors` asks of the router. */
interface Performer {
  perform(effects: () => Eventually<Effects>): Eventually<void>;
}

/** Answers the few requests that a stream may make before it has authenticated (XEP-0077, XEP-0445). */
export class Visitors {
  readonly #table: VisitorTable;
  readonly #store: Store;
  readonly #context: Context;
  readonly #log: Log;
  readonly #router: Performer;

  constructor(modules: readonly Module[], store: Store, context: Context, log: Log, router: Performer) {
    this.#router = router;
    this.#table = new VisitorTable(modules);
    this.#store = store;
    this.#context = context;
    this.#log = log;
  }

  /** The answer, once what it promises is durable; `undefined` where no module answers such a request. */
  answer(iq: Iq, visitor: Visitor): Eventually<Bytes | undefined> {
    const handler = iq.problem === undefined ? this.#table.get(iq) : undefined;
    if (iq.problem === undefined && handler === undefined) return undefined;
    try {
      if (iq.problem !== undefined) throw iq.problem;
      const answered = handler?.answer(
        handler.payload.parse(readChild(iq, 0)),
        visitor,
        this.#context,
      ) as Eventually<VisitorAnswer>;
      if (!isPromise(answered)) return this.#conclude(iq, answered);
      return answered
        .then((settled) => this.#conclude(iq, settled))
        .catch((error: unknown) => this.#refusal(iq, error));
    } catch (error) {
      return this.#refusal(iq, error);
    }
  }

  #conclude(iq: Iq, { writes = [], result, after = [] }: VisitorAnswer): Eventually<Bytes> {
    const answer = writeStanza(resultOf(iq, result));
    if (writes.length === 0) return this.#answered(answer, after);
    const unit = this.#store.begin();
    for (const change of writes) unit.add(change);
    const { promise, resolve } = Promise.withResolvers<Bytes>();
    unit
      .commit()
      .onSettled((committed) =>
        resolve(committed ? this.#answered(answer, after) : this.#refusal(iq, new StanzaError("resource-constraint"))),
      );
    return promise;
  }

  /** What follows goes to others; the visitor does not wait for it. */
  #answered(answer: Bytes, after: Effects): Bytes {
    if (after.length > 0) void this.#router.perform(() => after);
    return answer;
  }

  #refusal(iq: Iq, error: unknown): Bytes {
    if (!(error instanceof StanzaError)) this.#log.error({ err: error }, "defect");
    return writeStanza(errorOf(iq, error instanceof StanzaError ? error : new StanzaError("internal-server-error")));
  }
}
