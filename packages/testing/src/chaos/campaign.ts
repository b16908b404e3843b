/** A run from its beginning to its end: who there is, what happens to them, and what became of what they said. */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connectControl } from "../../../server/src/control/control-client.ts";
import type { FaultOrder } from "../../../server/src/faults.ts";
import { Random } from "../fuzz/random.ts";
import { type KithServer, startServer } from "../process/server.ts";
import { Account } from "./account.ts";
import { readArchive } from "./audit.ts";
import { Device, type Trait } from "./device.ts";
import { Findings } from "./findings.ts";
import type { Entry } from "./history.ts";
import { Ledger } from "./ledger.ts";
import { PASSWORD } from "./login.ts";
import { Network } from "./network.ts";
import type { ChaosOptions } from "./options.ts";
import { judge } from "./oracle.ts";
import { type Kill, planOf } from "./plan.ts";
import { type Killed, Report } from "./report.ts";
import { Speech } from "./speech.ts";

/** Everybody, with their devices. */
const CAST: Readonly<Record<string, Readonly<Record<string, Trait>>>> = {
  alice: { phone: { managed: {} }, laptop: { managed: {} } },
  bob: { phone: { managed: {} }, desk: {} },
  carol: { phone: { managed: {} } },
  dave: { desk: {} },
  erin: { phone: { managed: { max: 1 } }, laptop: { managed: {}, isRestless: true } },
  frank: { phone: { managed: { max: 2 } } },
};

const CONFIG = { plaintextFromLoopback: true, scram: { iterations: 4_096 } } as const;

/** In milliseconds. */
const COMING = 3_000;
const DYING = 6_000;
const SETTLING = 60_000;
/** Where a promise was broken, some never come to rest. */
const SETTLING_BROKEN = 8_000;
const MOMENT = 20;
/** So slow that what a broken promise leads to is certain to be seen. */
const SLOW_DISK = 60;

/** Runs it whole; `say` is told of every kill as it happens. */
export const runChaos = async (options: ChaosOptions, say: (killed: Killed) => void = () => {}): Promise<Report> => {
  await using server = await startServer({ config: CONFIG });
  await makeAccounts(server);
  await server.stop();
  const campaign = await Campaign.open(server, options);
  try {
    await campaign.run(say);
  } finally {
    await campaign.close();
  }
  return campaign.report;
};

const makeAccounts = async (server: KithServer): Promise<void> => {
  const control = await connectControl(join(server.folder, "data"));
  if (control === undefined) throw new Error("the server's control socket does not answer");
  for (const name of Object.keys(CAST))
    await control.run("user add", { jid: `${name}@localhost`, password: PASSWORD, reuseAddress: false });
  await control.close();
};

/** A device and the network between it and the server. */
interface Member {
  readonly device: Device;
  readonly network: Network;
}

class Campaign {
  readonly report: Report;
  readonly #server: KithServer;
  readonly #options: ChaosOptions;
  readonly #random: Random;
  readonly #ledger: Ledger;
  readonly #findings: Findings;
  #members: readonly Member[] = [];
  #lives: readonly Promise<void>[] = [];
  #port: number | undefined;
  #isTalking = false;
  #isOver = false;

  static async open(server: KithServer, options: ChaosOptions): Promise<Campaign> {
    const campaign = new Campaign(server, options);
    await campaign.#gather();
    return campaign;
  }

  private constructor(server: KithServer, options: ChaosOptions) {
    const began = performance.now();
    this.#server = server;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#ledger = new Ledger(() => performance.now() - began);
    this.#findings = new Findings(() => this.#ledger.now);
    this.report = new Report(options, this.#ledger, this.#findings);
  }

  async run(say: (killed: Killed) => void): Promise<void> {
    const { kills, minutes, at } = this.#options;
    this.#isTalking = true;
    for (const kill of planOf(kills, this.#random, at)) {
      if (minutes !== undefined && this.#ledger.now > minutes * 60_000) break;
      const killed = await this.#life(kill);
      this.report.add(killed);
      say(killed);
    }
    await this.#peace();
  }

  async close(): Promise<void> {
    this.#isOver = true;
    for (const { device } of this.#members) device.go();
    await Promise.all(this.#members.map(({ network }) => network.close()));
    await Promise.all(this.#lives);
  }

  async #gather(): Promise<void> {
    const accounts = Object.keys(CAST).map((name) => new Account(name));
    const members: Member[] = [];
    for (const account of accounts)
      for (const [name, trait] of Object.entries(CAST[account.name] ?? {}))
        members.push(await this.#join(accounts, account, name, trait));
    this.#members = members;
    this.#lives = members.flatMap(({ device }) => [device.live(), this.#talk(device, new Random(this.#random.fork()))]);
  }

  async #join(accounts: readonly Account[], account: Account, name: string, trait: Trait): Promise<Member> {
    const network = await Network.open(() => this.#port);
    const others = accounts.filter((other) => other !== account);
    const device = new Device({
      account,
      name,
      trait,
      port: network.port,
      ledger: this.#ledger,
      findings: this.#findings,
      random: new Random(this.#random.fork()),
      speech: new Speech({
        ledger: this.#ledger,
        random: new Random(this.#random.fork()),
        sender: account,
        device: name,
        others,
        isForgetful: trait.managed !== undefined,
      }),
    });
    return { device, network };
  }

  async #talk(device: Device, random: Random): Promise<void> {
    while (!this.#isOver) {
      await pause(random.between(20, 200));
      if (this.#isTalking) device.talk(random.between(1, 5));
      else device.ask();
    }
  }

  async #life(kill: Kill): Promise<Killed> {
    await this.#start(kill);
    if (!kill.isEarly) await this.#until(COMING, () => this.#members.every(({ device }) => device.isThere));
    this.#trouble(kill.after);
    const ended = await Promise.race([pause(kill.after, undefined), this.#server.exited]);
    if (ended !== undefined) this.#findings.violated("defect", `the server ended by itself, with ${ended}`);
    const isAsPlanned = await this.#kill(kill);
    this.#port = undefined;
    this.#ledger.happens("server", `is killed: ${kill.at}`);
    const sending = this.#members.map(({ device }) => device.unacknowledged);
    const receiving = this.#members.map(({ device }) => device.untold);
    this.#inspectLog();
    return {
      at: kill.at,
      isEarly: kill.isEarly,
      isAsPlanned,
      there: this.#members.filter(({ device }) => device.isThere).length,
      toServer: sum(sending),
      fromServer: sum(receiving),
    };
  }

  async #start(kill: Kill | undefined): Promise<void> {
    const { breaks } = this.#options;
    const at = kill?.at ?? "any moment";
    const order: FaultOrder = {
      ...(at === "any moment" ? {} : { kill: { at, passage: kill?.passage ?? 1 } }),
      ...(kill?.commitsAfter === undefined ? {} : { commitsAfter: kill.commitsAfter }),
      ...(breaks === undefined || kill === undefined ? {} : { breaks, commitsAfter: SLOW_DISK }),
    };
    this.#ledger.life++;
    await this.#server.start({ KITH_FAULTS: JSON.stringify(order) });
    this.#port = this.#server.port("c2s");
    this.#ledger.happens("server", `begins its life ${this.#ledger.life}`);
  }

  /** Answers whether it died where it was to die. */
  async #kill({ at }: Kill): Promise<boolean> {
    if (at === "any moment") {
      await this.#server.crash();
      return true;
    }
    this.#server.kill("SIGUSR2");
    const late = new AbortController();
    const died = await Promise.race([
      this.#server.exited.then(() => true),
      pause(DYING, false, { signal: late.signal }).catch(() => false),
    ]);
    late.abort();
    if (!died) await this.#server.crash();
    return died;
  }

  /** What networks do, to some of them, within so many milliseconds. */
  #trouble(within: number): void {
    for (const { network } of this.#members) {
      if (!this.#random.oneIn(4)) continue;
      const happen = this.#mishap(network);
      setTimeout(happen, this.#random.int(within));
    }
  }

  #mishap(network: Network): () => void {
    const random = this.#random;
    const counted = (what: string, happen: () => void) => (): void => {
      this.#findings.count(what);
      happen();
    };
    const after = random.oneIn(2) ? 0 : random.between(1, 3_000);
    const ms = random.between(50, 4_000);
    return random.choose<() => void>([
      [3, () => counted("cut", () => network.cut(after))],
      [2, () => counted("stalled", () => network.stall(ms))],
      [1, () => counted("half-opened", () => network.halfOpen("client"))],
      [1, () => counted("half-opened", () => network.halfOpen("server"))],
    ]);
  }

  /** Nothing is broken any more: everybody comes back, and in the end it is seen what there is. */
  async #peace(): Promise<void> {
    this.#isTalking = false;
    for (const { device } of this.#members) device.isCalm = true;
    await this.#start(undefined);
    const isSettled = await this.#until(this.#settling, () => this.#members.every(({ device }) => device.isSettled));
    if (!isSettled) this.#reportUnsettled();
    await Promise.all(this.#members.map(({ device }) => this.#echo(device)));
    const archives = new Map<string, readonly Entry[]>();
    for (const name of Object.keys(CAST)) archives.set(name, await readArchive(this.#server.port("c2s"), name));
    const histories = this.#members.map(({ device }) => ({
      account: device.account.name,
      device: device.name,
      entries: device.history.entries,
    }));
    judge({ ledger: this.#ledger, archives, histories }, this.#findings);
    this.#isOver = true;
    for (const { device } of this.#members) device.go();
    const code = await this.#server.stop();
    if (code !== 0) this.#findings.violated("defect", `the server ended with ${code}`);
    this.#inspectLog();
  }

  get #settling(): number {
    return this.#options.breaks === undefined ? SETTLING : SETTLING_BROKEN;
  }

  /** Everything that is on its way to it comes before the answer. */
  async #echo(device: Device): Promise<void> {
    for (let tries = 0; tries < 5; tries++) {
      const has = await device.echo().then(
        () => true,
        () => false,
      );
      if (has) return;
      await this.#until(this.#settling, () => device.isSettled);
    }
    this.#reportUnsettled();
  }

  #reportUnsettled(): void {
    for (const { device } of this.#members)
      if (!device.isSettled)
        this.#findings.violated(
          "wrong answer",
          `${device.account.name}/${device.name} does not come to rest: ${JSON.stringify({ there: device.isThere, unacknowledged: device.unacknowledged, catchingUp: device.history.isCatchingUp })}`,
        );
  }

  #inspectLog(): void {
    for (const line of this.#server.log)
      if (line.includes('"level":"error"') || line.includes('"level":"fatal"')) this.#findings.violated("defect", line);
  }

  /** Settles when it is so, or after so many milliseconds; answers whether it is. */
  async #until(ms: number, isSo: () => boolean): Promise<boolean> {
    const end = this.#ledger.now + ms;
    while (!isSo() && this.#ledger.now < end) await pause(MOMENT);
    return isSo();
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
