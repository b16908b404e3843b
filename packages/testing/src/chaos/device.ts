import { setTimeout as pause } from "node:timers/promises";
import {
  ACK_REQUEST,
  ArchiveFin,
  ArchiveQuery,
  type Bytes,
  Enable,
  EnableCarbons,
  Enabled,
  element,
  find,
  hasChild,
  type Iq,
  idOf,
  iq,
  isAck,
  isAckRequest,
  isStanza,
  NS_PING,
  NS_STREAM_MANAGEMENT,
  Ping,
  presence,
  type RawElement,
  readAck,
  readElement,
  readStanza,
  resultOf,
  type Stanza,
  writeAck,
  writeElement,
  writeStanza,
} from "@kith/protocol";
import type { Random } from "../fuzz/random.ts";
import type { Account } from "./account.ts";
import type { Findings } from "./findings.ts";
import { ManagedFlow, type Outgoing, PlainFlow } from "./flow.ts";
import { History } from "./history.ts";
import { Incoming } from "./incoming.ts";
import type { Ledger } from "./ledger.ts";
import { authenticate, bind, resume } from "./login.ts";
import { delayed, type Speech } from "./speech.ts";
import { Wire } from "./wire.ts";
import { Witness } from "./witness.ts";

/** What a device can do. */
export interface Trait {
  /** XEP-0198; `max`: how long it may be away at most, in seconds. */
  readonly managed?: { readonly max?: number };
  /** When it begins anew it takes another resource, and its last session is left where it is. */
  readonly isRestless?: boolean;
}

export interface DeviceOptions {
  readonly account: Account;
  readonly name: string;
  readonly trait: Trait;
  /** Where its server, or what stands between, can be reached. */
  readonly port: number;
  readonly ledger: Ledger;
  readonly findings: Findings;
  readonly random: Random;
  readonly speech: Speech;
}

/** In milliseconds: how long it takes for somebody to give up a connection that does not answer, and a login that does not get on. */
const DEAF = 2_500;
const SLOW = 5_000;
const LOOK_EVERY = 250;
const NS_PRIVATE = "jabber:iq:private";

type State = "away" | "coming" | "there" | "gone";

/** A client that comes back however often it is thrown out, and remembers what it has seen and what it has to send. */
export class Device {
  readonly account: Account;
  readonly name: string;
  readonly history = new History();
  readonly #options: DeviceOptions;
  readonly #witness: Witness;
  readonly #incoming: Incoming;
  readonly #plain: PlainFlow;
  #managed: ManagedFlow | undefined;
  /** From a stream that is over: to be sent again on the next. */
  #unsent: readonly Outgoing[] = [];
  #state: State = "away";
  #wire: Wire | undefined;
  #isCounting = false;
  #queries = 0;
  #begun = 0;
  #echo: { readonly id: string; readonly come: () => void } | undefined;
  /** Does it talk, and may it be unreasonable? */
  isCalm = false;

  constructor(options: DeviceOptions) {
    const { account, name, ledger, findings } = options;
    this.#options = options;
    this.account = account;
    this.name = name;
    this.#witness = new Witness(ledger, findings, account, name);
    this.#incoming = new Incoming({
      ledger,
      findings,
      account,
      device: name,
      history: this.history,
      witness: this.#witness,
    });
    this.#plain = new PlainFlow(ledger);
    account.resources.set(name, name);
  }

  get isThere(): boolean {
    return this.#state === "there";
  }

  /** Is it there, has it seen everything, and has everything of its own been acknowledged? */
  get isSettled(): boolean {
    return this.isThere && this.unacknowledged === 0 && !this.history.isCatchingUp;
  }

  /** Stanzas that the server has not acknowledged. */
  get unacknowledged(): number {
    return (this.#managed ?? this.#plain).length + this.#unsent.length;
  }

  /** Stanzas that it has not acknowledged to the server. */
  get untold(): number {
    return this.#managed?.untold ?? 0;
  }

  /** Lives until it is told to go. */
  async live(): Promise<void> {
    const { random } = this.#options;
    const watch = setInterval(() => this.#look(), LOOK_EVERY);
    while (this.#state !== "gone") {
      await this.#visit();
      const isLong = !this.isCalm && random.oneIn(12);
      await pause(isLong ? random.between(2_300, 4_000) : random.between(10, 150));
    }
    clearInterval(watch);
  }

  /** Says so much more, if it is there. */
  talk(items: number): void {
    if (!this.isThere) return;
    for (let item = 0; item < items; item++) this.#send(this.#options.speech.next());
    if (this.#managed === undefined || this.#options.random.oneIn(2)) this.ask();
  }

  /** Asks what has arrived. */
  ask(): void {
    if (!this.isThere || this.unacknowledged === 0) return;
    if (this.#managed !== undefined) {
      this.#managed.ask();
      this.#wire?.send(ACK_REQUEST);
      return;
    }
    // The result leaves when it is on disk, and with it everything that was sent before.
    const note = element(NS_PRIVATE, "query", {}, [element("urn:example:note", "note", {}, ["sign"])]);
    this.#wire?.send(writeStanza(iq({ type: "set", id: this.#plain.ask() }, [note])));
  }

  /** Settles when everything has come that was on its way to it. Rejects when its connection goes first. */
  async echo(): Promise<void> {
    const wire = this.#wire;
    if (wire === undefined || !this.isThere) throw new Error("not there");
    const come = Promise.withResolvers<void>();
    this.#echo = { id: `echo-${++this.#queries}`, come: come.resolve };
    this.#send({
      bytes: writeStanza(iq({ type: "get", id: this.#echo.id }, [Ping.build(undefined)])),
      said: undefined,
    });
    await Promise.race([
      come.promise,
      wire.closed.then(() => {
        throw new Error("its connection is gone");
      }),
    ]);
  }

  go(): void {
    this.#state = "gone";
    this.#wire?.leave();
    this.#wire?.destroy();
  }

  /** One connection, from its beginning to its end. */
  async #visit(): Promise<void> {
    const { port, ledger } = this.#options;
    const wire = new Wire(port);
    this.#wire = wire;
    if (this.#state !== "gone") this.#state = "coming";
    const slow = setTimeout(() => wire.destroy(), SLOW);
    try {
      await this.#enter(wire);
    } catch {
      wire.destroy();
    }
    clearTimeout(slow);
    await wire.closed;
    if (this.isThere) ledger.happens(this.#who, "has no connection");
    if (this.#state !== "gone") this.#state = "away";
    this.account.changes(ledger.now);
    this.#left();
  }

  #left(): void {
    const { trait, ledger } = this.#options;
    if (this.#managed === undefined) {
      this.#unsent = [...this.#unsent, ...this.#plain.lost()];
      this.account.losing(this.name, ledger.now);
    } else if (this.#managed.previd === undefined || trait.managed?.max !== undefined) {
      this.account.losing(this.name, ledger.now);
    }
  }

  async #enter(wire: Wire): Promise<void> {
    await authenticate(wire, this.account.name);
    if (this.#managed !== undefined && (await this.#resumed(wire, this.#managed))) return;
    await this.#bindAnew(wire);
  }

  async #resumed(wire: Wire, flow: ManagedFlow): Promise<boolean> {
    const { random, findings, ledger } = this.#options;
    if (flow.previd === undefined) return this.#giveUp(flow, undefined);
    const isWrong = !this.isCalm && random.oneIn(8);
    const outcome = await resume(wire, isWrong ? `not ${flow.previd}` : flow.previd, flow.tell());
    if (outcome.is === "failed") {
      this.account.losing(this.name, ledger.now);
      ledger.happens(this.#who, `cannot resume: ${JSON.stringify(outcome.failure)}`);
      findings.count(isWrong ? "wrong resumptions" : "failed resumptions");
      return this.#giveUp(flow, outcome.failure.h);
    }
    findings.count("resumptions");
    ledger.happens(this.#who, "resumes");
    if (!flow.acknowledged(outcome.h, "by <resumed/>"))
      findings.violated("wrong answer", `<resumed h='${outcome.h}'/> is more than ${this.#who} sent`);
    this.account.keeps(this.name, ledger.now);
    this.account.changes(ledger.now);
    this.#state = "there";
    for (const outgoing of flow.unacknowledged) this.#repeat(outgoing);
    wire.takenBy((raw) => this.#take(wire, raw));
    if (this.history.isCatchingUp) this.#catchUp();
    this.ask();
    return true;
  }

  /** XEP-0198 §5: as it was, with the number it had. */
  #repeat(outgoing: Outgoing): void {
    const { said } = outgoing;
    if (said !== undefined) {
      said.sendings++;
      this.#options.ledger.note(said, `sent again on the same stream of ${this.#who}`);
      this.#options.findings.count("sent again after a resumption");
    }
    this.#sendBytes(outgoing);
  }

  #giveUp(flow: ManagedFlow, h: number | undefined): false {
    const { findings } = this.#options;
    if (h !== undefined && !flow.acknowledged(h, "by <failed/>"))
      findings.violated("wrong answer", `<failed h='${h}'/> is more than ${this.#who} sent`);
    this.#unsent = [...this.#unsent, ...flow.unacknowledged].filter(({ said }) => isWorthSending(said?.kind));
    this.#managed = undefined;
    return false;
  }

  async #bindAnew(wire: Wire): Promise<void> {
    const { trait, ledger, findings } = this.#options;
    this.#begun++;
    if (trait.isRestless === true) {
      // What is left of the last one the server ends when it likes.
      this.account.losing(`${this.name} before`, ledger.now);
      this.account.resources.set(this.name, `${this.name}-${this.#begun}`);
    }
    await bind(wire, this.account.resources.get(this.name) ?? this.name);
    findings.count("bindings");
    ledger.happens(this.#who, `binds ${this.account.resources.get(this.name)}`);
    this.account.keeps(this.name, ledger.now);
    this.account.changes(ledger.now);
    this.#witness.began();
    this.#isCounting = false;
    this.#state = "there";
    wire.send(writeStanza(iq({ type: "set", id: "carbons" }, [EnableCarbons.build(undefined)])));
    if (trait.managed !== undefined) {
      this.#managed = new ManagedFlow(ledger);
      wire.send(writeElement(Enable.build({ resume: true, max: trait.managed.max })));
    }
    wire.takenBy((raw) => this.#take(wire, raw));
    this.#send({ bytes: writeStanza(presence({})), said: undefined });
    this.#catchUp();
    this.#sendAgain();
  }

  #sendAgain(): void {
    const { ledger, findings } = this.#options;
    const again = this.#unsent;
    this.#unsent = [];
    for (const outgoing of again) {
      const { said } = outgoing;
      if (said === undefined || !isWorthSending(said.kind)) continue;
      said.sendings++;
      said.isSentAnew = true;
      ledger.note(said, `sent again on another stream of ${this.#who}`);
      findings.count("sent again with a delay");
      // The delay is of the first time that it is sent again: one is enough (XEP-0203 §2).
      const isDelayed = outgoing.bytes.includes("urn:xmpp:delay");
      this.#send(isDelayed ? outgoing : delayed(outgoing, Date.now()));
    }
    this.ask();
  }

  #catchUp(): void {
    this.history.beginCatchingUp();
    this.#queryOn();
  }

  #queryOn(): void {
    const { cursor } = this.history;
    const queryId = `query-${++this.#queries}`;
    this.#incoming.queryId = queryId;
    const position = cursor === undefined ? ({ is: "start" } as const) : ({ is: "after", id: cursor } as const);
    const page = { max: this.#options.random.between(5, 50), position };
    const query = ArchiveQuery.build({ queryId, filter: {}, page, isFlipped: false });
    this.#send({ bytes: writeStanza(iq({ type: "set", id: queryId }, [query])), said: undefined });
  }

  #take(wire: Wire, raw: RawElement): void {
    if (wire !== this.#wire || wire.isClosed) return;
    if (raw.ns === NS_STREAM_MANAGEMENT) this.#manage(wire, raw);
    if (!isStanza(raw)) return;
    this.#stanza(readStanza(raw));
    if (this.#isCounting) this.#managed?.received();
  }

  #manage(wire: Wire, raw: RawElement): void {
    const flow = this.#managed;
    if (flow === undefined) return;
    if (isAckRequest(raw)) wire.send(writeAck(flow.tell()));
    else if (isAck(raw)) this.#acknowledged(flow, readAck(raw));
    else if (raw.name === "enabled") {
      this.#isCounting = true;
      flow.previd = Enabled.parse(readElement(raw)).id;
    }
  }

  #acknowledged(flow: ManagedFlow, h: number): void {
    const { findings } = this.#options;
    if (!flow.acknowledged(h, "by <a/>"))
      findings.violated("wrong answer", `<a h='${h}'/> is more than ${this.#who} sent`);
  }

  #stanza(stanza: Stanza): void {
    if (stanza.kind === "message") this.#incoming.message(stanza);
    else if (stanza.kind === "presence") this.#incoming.presence(stanza);
    else if (stanza.type === "get" || stanza.type === "set") this.#request(stanza);
    else this.#answer(stanza);
  }

  #request(request: Iq): void {
    const id = idOf(request) ?? "";
    this.#incoming.request(id);
    if (hasChild(request, NS_PING, "ping")) this.#send({ bytes: writeStanza(resultOf(request)), said: undefined });
  }

  #answer(answer: Iq): void {
    const id = idOf(answer) ?? "";
    const { findings } = this.#options;
    if (id === this.#echo?.id) this.#echo.come();
    else if (id.startsWith("sign-") && answer.type === "result") this.#plain.answered(id);
    else if (id === this.#incoming.queryId) this.#page(answer);
    else if (id.startsWith("sign-")) findings.violated("wrong answer", `to ${id}: ${answer.payload}`);
  }

  #page(answer: Iq): void {
    const { findings } = this.#options;
    const fin = answer.type === "result" ? find(answer, ArchiveFin) : undefined;
    if (fin === undefined) findings.violated("wrong answer", `to a query of the archive: ${answer.payload}`);
    else if (fin.isComplete) this.#caughtUp();
    else this.#queryOn();
  }

  /** Should the query be sent again, since the server does not know that it has answered it, that is no news. */
  #caughtUp(): void {
    this.#incoming.queryId = undefined;
    this.history.caughtUp();
  }

  #send(outgoing: Outgoing): void {
    (this.#managed ?? this.#plain).sent(outgoing);
    this.#sendBytes(outgoing);
  }

  #sendBytes({ bytes }: { readonly bytes: Bytes }): void {
    this.#wire?.send(bytes);
  }

  /** A connection that does not answer is given up. */
  #look(): void {
    const since = (this.#managed ?? this.#plain).waitingSince;
    if (this.isThere && since > 0 && this.#options.ledger.now - since > DEAF) {
      this.#options.findings.count("given up");
      this.#wire?.destroy();
    }
  }

  get #who(): string {
    return `${this.account.name}/${this.name}`;
  }
}

const isWorthSending = (kind: string | undefined): boolean => kind === "kept" || kind === "no-store";
