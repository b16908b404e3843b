import {
  ArchiveResult,
  Delay,
  find,
  hasChild,
  idOf,
  type Message,
  NS_ARCHIVE,
  type Presence,
  readCarbon,
  stanzaIdBy,
  textNamed,
} from "@kith/protocol";
import type { Account } from "./account.ts";
import type { Findings } from "./findings.ts";
import type { History } from "./history.ts";
import type { Ledger, Said } from "./ledger.ts";
import type { Way, Witness } from "./witness.ts";

export interface IncomingOptions {
  readonly ledger: Ledger;
  readonly findings: Findings;
  readonly account: Account;
  readonly device: string;
  readonly history: History;
  readonly witness: Witness;
}

/** What a device makes of what it is sent. */
export class Incoming {
  readonly #options: IncomingOptions;
  /** Results of any other query are not its own (XEP-0313 §8.2). */
  queryId: string | undefined;

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  message(message: Message): void {
    const { account } = this.#options;
    const carbon = readCarbon(message, account.jid);
    if (message.type === "error") this.#refused(message);
    else if (hasChild(message, NS_ARCHIVE, "result")) this.#found(message);
    else if (carbon !== undefined) this.#shown(carbon.stanza, "carbon");
    else this.#shown(message, isLate(message) ? "from offline storage" : "live");
  }

  presence(presence: Presence): void {
    const said = this.#options.ledger.find(textNamed(presence, "status") ?? "");
    if (said !== undefined) this.#options.witness.saw(said, "live", undefined);
  }

  /** A request that another device has sent. */
  request(id: string): void {
    const said = this.#options.ledger.find(id);
    if (said !== undefined) this.#options.witness.saw(said, "live", undefined);
  }

  #refused(message: Message): void {
    const { ledger, findings } = this.#options;
    const said = ledger.find(idOf(message) ?? "");
    if (said === undefined) return;
    said.isRefused = true;
    ledger.note(said, `refused: ${message.payload}`);
    if (said.kind === "kept") findings.violated("refused", message.payload, said);
  }

  #found(message: Message): void {
    const { ledger, history, account, device } = this.#options;
    const result = find(message, ArchiveResult);
    const said = saidIn(ledger, result?.stanza as Message | undefined);
    if (result === undefined || said === undefined || result.queryId !== this.queryId) return;
    ledger.note(said, `${account.name}/${device} finds it in the archive as ${result.id}`);
    history.found({ stanzaId: result.id, id: said.id });
  }

  #shown(message: Message, way: Way): void {
    const { ledger, findings, history, witness, account, device } = this.#options;
    const said = saidIn(ledger, message);
    if (said === undefined) return;
    const stanzaId = stanzaIdBy(message, account.jid);
    witness.saw(said, way, stanzaId);
    if (said.kind !== "kept") return;
    if (stanzaId === undefined)
      findings.violated("shown but not archived", `at ${account.name}/${device}, without a stanza-id`, said);
    else history.shown({ stanzaId, id: said.id });
  }
}

const saidIn = (ledger: Ledger, message: Message | undefined): Said | undefined =>
  message === undefined ? undefined : ledger.find(idOf(message) ?? "");

/** Was it kept by the server for somebody who was away (XEP-0160)? */
const isLate = (message: Message): boolean => find(message, Delay)?.from?.full === "localhost";
