/** The hostile run: a server as anybody would start it, people who chat, and attackers. */
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { KeyCache } from "../../../../bench/generator/scram.ts";
import { connectControl } from "../../../server/src/control/control-client.ts";
import { type ProcessUse, useOf } from "../process/process-use.ts";
import { Program } from "../process/program.ts";
import { type KithServer, startServer } from "../process/server.ts";
import type { Order, Progress } from "./attack.ts";
import { BOUNDS, faultsOf, figuresOf, type Phase } from "./bounds.ts";
import { NEWCOMERS, Newcomers } from "./newcomers.ts";
import type { HostileOptions } from "./options.ts";
import { PASSWORD, Pairs, PREFIX } from "./pairs.ts";
import { DOMAIN, type Target } from "./villain.ts";

const ATTACK = join(import.meta.dirname, "attack.ts");
const OWN = { name: "mallory", password: "of bad character" } as const;
/** Before anybody attacks: what the figures are to be compared with. */
const QUIET_SECONDS = 10;
const SAMPLE_MS = 250;
const SETTLING_MS = 1_000;

/** Who attacks, and from where. */
interface Front {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly perAddress: number;
}

const ONE_ADDRESS: Front = { name: "from 127.0.0.2", addresses: ["127.0.0.2"], perAddress: 10_000 };
const MANY: Front = {
  name: "from 200 addresses in 127.1.0.0/16",
  addresses: Array.from({ length: 200 }, (_, at) => `127.1.${at >> 4}.${(at & 15) + 1}`),
  perAddress: 50,
};

/** Runs it whole; `say` is told each phase's figures. Gives what did not hold, in sentences. */
export const runHostile = async (
  options: HostileOptions,
  say: (figures: Readonly<Record<string, unknown>>) => void,
): Promise<readonly string[]> => {
  const { seconds, pairs: count, p99, connects, cores } = options;
  await using server = await startServer({ config: DEFAULTS, core: cores?.server });
  await makeAccounts(server, count);
  const scene = await Scene.begin(server, options);
  const faults: string[] = [];
  const phases: readonly (readonly [Front | undefined, number])[] = [
    [undefined, Math.min(QUIET_SECONDS, seconds / 2)],
    [ONE_ADDRESS, seconds / 2],
    [MANY, seconds / 2],
  ];
  const bounds = { ...BOUNDS, p99, connects: Math.min(200, connects) };
  for (const [front, length] of phases) {
    const phase = await scene.play(front, length);
    say(figuresOf(phase));
    faults.push(...faultsOf(phase, bounds));
  }
  await scene.end();
  faults.push(...server.log.filter((line) => line.includes('"level":"error"')));
  const code = await server.stop();
  return code === 0 ? faults : [...faults, `the server ended with ${code}`];
};

/** The default configuration, but for ports, and for clients on this machine that need no TLS. */
const DEFAULTS = { plaintextFromLoopback: true, limits: {}, registration: {} } as const;

/** By the command line's way in: nobody may register here without an invitation. */
const makeAccounts = async (server: KithServer, pairs: number): Promise<void> => {
  const control = await connectControl(join(server.folder, "data"));
  if (control === undefined) throw new Error("the server's control socket does not answer");
  const honest = [...Array.from({ length: 2 * pairs }, (_, at) => `${PREFIX}${at + 1}`), ...NEWCOMERS];
  const accounts = [...honest.map((name) => ({ name, password: PASSWORD })), OWN];
  for (const { name, password } of accounts)
    await control.run("user add", { jid: `${name}@${DOMAIN}`, password, reuseAddress: false });
  await control.close();
};

class Scene {
  readonly #server: KithServer;
  readonly #options: HostileOptions;
  readonly #target: Target;
  readonly #pairs: Pairs;
  readonly #newcomers: Newcomers;
  readonly #attackers = new Program(process.execPath, [ATTACK]);
  #broken = 0;

  private constructor(server: KithServer, options: HostileOptions, pairs: Pairs, newcomers: Newcomers) {
    this.#server = server;
    this.#options = options;
    this.#pairs = pairs;
    this.#newcomers = newcomers;
    this.#target = {
      port: server.port("c2s"),
      tlsPort: server.port("c2s-tls"),
      own: OWN,
      victims: Array.from({ length: 2 * options.pairs }, (_, at) => `${PREFIX}${at + 1}`),
    };
  }

  static async begin(server: KithServer, options: HostileOptions): Promise<Scene> {
    const load = { port: server.port("c2s"), tls: false, keys: new KeyCache(join(server.folder, "keys.json")) };
    const pairs = await Pairs.meet(load, options.pairs);
    await after(SETTLING_MS);
    return new Scene(server, options, pairs, new Newcomers(server, load));
  }

  /** So many seconds of chatting, under attack from somewhere or in peace. Rejects where the attackers could not go on. */
  play(front: Front | undefined, seconds: number): Promise<Phase> {
    const fallen = this.#attackers.exited.then((code) => {
      throw new Error(`the attackers ended with ${code}: ${this.#attackers.errors.all.join("\n")}`);
    });
    return Promise.race([this.#play(front, seconds), fallen]);
  }

  async #play(front: Front | undefined, seconds: number): Promise<Phase> {
    const meter = new Meter(this.#server.pid, this.#attackers.pid ?? 0);
    if (front !== undefined) this.#attack(front);
    await meter.begin();
    const chatted = await this.#pairs.chat(this.#options.rate, seconds);
    const use = await meter.end();
    const attack = front === undefined ? undefined : this.#progress();
    const broken = this.#pairs.broken - this.#broken;
    this.#broken = this.#pairs.broken;
    return { name: front?.name ?? "nobody attacks", chatted, welcome: this.#newcomers.take(), attack, broken, ...use };
  }

  async end(): Promise<void> {
    await this.#newcomers.stop();
    this.#attackers.closeInput();
    await this.#attackers.exited;
    await this.#pairs.leave();
  }

  #attack(front: Front): void {
    const { connects, kinds } = this.#options;
    const order: Order = { do: "attack", target: this.#target, ...front, kinds, connectsPerSecond: connects };
    this.#attackers.tell(JSON.stringify(order));
  }

  #progress(): Progress | undefined {
    const latest = this.#attackers.output.all.at(-1);
    return latest === undefined ? undefined : (JSON.parse(latest) as Progress);
  }
}

/** What server and load use between two moments. */
class Meter {
  readonly #server: number;
  readonly #attackers: number;
  #most = 0;
  #before: ProcessUse | undefined;
  #ownBefore = 0;
  #begun = 0;
  #sampling: NodeJS.Timeout | undefined;

  constructor(server: number, attackers: number) {
    this.#server = server;
    this.#attackers = attackers;
  }

  async begin(): Promise<void> {
    this.#before = await useOf(this.#server);
    this.#ownBefore = await this.#load();
    this.#begun = performance.now();
    this.#sampling = setInterval(() => void this.#sample(), SAMPLE_MS);
  }

  async end(): Promise<Pick<Phase, "rss" | "serverPercent" | "waitedPercent" | "loadPercent">> {
    clearInterval(this.#sampling);
    const passed = performance.now() - this.#begun;
    const use = await useOf(this.#server);
    const load = await this.#load();
    return {
      rss: Math.max(this.#most, use.rss),
      serverPercent: (100 * (use.cpu - (this.#before?.cpu ?? 0))) / passed,
      waitedPercent: (100 * (use.waited - (this.#before?.waited ?? 0))) / passed,
      loadPercent: (100 * (load - this.#ownBefore)) / passed,
    };
  }

  async #load(): Promise<number> {
    const uses = await Promise.all([process.pid, this.#attackers].map(useOf));
    return uses.reduce((sum, { cpu }) => sum + cpu, 0);
  }

  async #sample(): Promise<void> {
    try {
      this.#most = Math.max(this.#most, (await useOf(this.#server)).rss);
    } catch {
      // It has ended; whoever talks to it says so.
    }
  }
}
