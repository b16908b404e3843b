import {
  type Bytes,
  buildHint,
  Delay,
  type Element,
  element,
  iq,
  message,
  NS_CONTENT,
  OriginId,
  Ping,
  parseJid,
  presence,
  writeElement,
  writeStanza,
} from "@kith/protocol";
import type { Random } from "../fuzz/random.ts";
import type { Account } from "./account.ts";
import type { Outgoing } from "./flow.ts";
import type { Kind, Lane, Ledger, Said } from "./ledger.ts";

export interface SpeechOptions {
  readonly ledger: Ledger;
  readonly random: Random;
  readonly sender: Account;
  readonly device: string;
  readonly others: readonly Account[];
  /** Some messages bear no origin-id: what is sent again is known again by its place in the stream alone. */
  readonly isForgetful: boolean;
}

/** What somebody says next, and how: mostly messages to keep, others between them, to bare and to full addresses. */
export class Speech {
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #isForgetful: boolean;
  readonly #lanes: readonly { readonly lane: Lane; readonly to: Account }[];

  constructor({ ledger, random, sender, device, others, isForgetful }: SpeechOptions) {
    this.#ledger = ledger;
    this.#random = random;
    this.#isForgetful = isForgetful;
    this.#lanes = others.map((to) => ({ lane: ledger.lane(sender.name, device, to.name), to }));
  }

  next(): Outgoing {
    const { lane, to } = this.#random.pick(this.#lanes);
    const kind = this.#random.choose<Kind>([
      [10, () => "kept"],
      [2, () => "no-store"],
      [1, () => "presence"],
      [1, () => "iq"],
    ]);
    const said = this.#ledger.say(lane, kind, !(this.#isForgetful && this.#random.oneIn(4)));
    const isFull = kind === "presence" || kind === "iq" || this.#random.oneIn(3);
    const resource = this.#random.pick([...to.resources.values()]);
    const address = isFull && resource !== undefined ? `${to.jid.bare}/${resource}` : to.jid.bare;
    said.sendings = 1;
    this.#ledger.note(said, `sent to ${address}, ${kind}`);
    return { bytes: written(said, address), said };
  }
}

const written = (said: Said, address: string): Bytes => {
  const { id, kind } = said;
  const to = parseJid(address);
  if (kind === "presence") return writeStanza(presence({ to }, [element(NS_CONTENT, "status", {}, [id])]));
  if (kind === "iq") return writeStanza(iq({ type: "get", id, to }, [Ping.build(undefined)]));
  const hint: readonly Element[] = kind === "no-store" ? [buildHint("no-store")] : [];
  const origin: readonly Element[] = said.isRecognisable ? [OriginId.build(id)] : [];
  const body = element(NS_CONTENT, "body", {}, [id]);
  return writeStanza(message({ type: "chat", id, to }, [body, ...origin, ...hint]));
};

/** Sent again on another stream, by somebody who does not know whether it has arrived (XEP-0203). `stamp`: milliseconds since 1970. */
export const delayed = ({ bytes, said }: Outgoing, stamp: number): Outgoing => {
  const end = bytes.lastIndexOf("</message>");
  const delay = writeElement(Delay.build({ stamp }));
  return { bytes: `${bytes.slice(0, end)}${delay}${bytes.slice(end)}` as Bytes, said };
};
