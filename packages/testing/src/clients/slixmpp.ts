import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Happenings } from "../process/happenings.ts";
import { Program } from "../process/program.ts";
import {
  type At,
  type ChatClient,
  type ClientKind,
  type Contact,
  type Credentials,
  type Heard,
  Refused,
} from "./chat-client.ts";

/** Debian's Python, which its package python3-slixmpp is for; `python3` on the path may be another. */
const PYTHON = "/usr/bin/python3";
const DRIVER = join(import.meta.dirname, "slixmpp-driver.py");

export const slixmpp: ClientKind = {
  name: "slixmpp",
  get missing() {
    const isThere = spawnSync(PYTHON, ["-c", "import slixmpp"], { stdio: "ignore" }).status === 0;
    return isThere ? undefined : "slixmpp is not on this machine: apt-get install python3-slixmpp";
  },
  takesInvitations: true,
  registersOver: ["starttls", "direct"],
  login: (credentials, at) => Slixmpp.login(credentials, at),
  register: (credentials, at, token) => Slixmpp.start(credentials, at, { register: true, token }),
};

type Happening =
  | {
      event: "message";
      type: string;
      jid: string;
      text: string;
      id: string | null;
      delayed: boolean;
      condition: string | null;
    }
  | { event: "carbon"; direction: "received" | "sent"; jid: string; text: string; id: string | null }
  | { event: "presence"; type: "available" | "unavailable" | "subscribe"; jid: string }
  | { event: "contact"; jid: string; name: string | null; subscription: string }
  | { event: "stream"; what: SlixmppStream; jid: string }
  | { event: "acknowledged"; text: string }
  | { event: "disconnected" };
type Answer = { readonly answer: number; readonly error: string | null; readonly result?: unknown };
/** What becomes of the stream of one that moves about. */
export type SlixmppStream = "bound" | "resumed" | "refused" | "lost";

/** What to look for in an archive, and how. Instants as text (ISO 8601). */
export interface ArchiveQuery {
  readonly with?: string;
  readonly start?: string;
  readonly end?: string;
  /** From the latest to the oldest. */
  readonly reverse?: boolean;
  /** Messages a page. */
  readonly page?: number;
}

export interface ArchivedMessage {
  readonly id: string;
  /** Its sender, bare. */
  readonly jid: string;
  readonly text: string;
  readonly stamp: string;
}
type Of<E extends Happening["event"]> = Extract<Happening, { event: E }>;

/** slixmpp, with more than other kinds can do. */
export class Slixmpp implements ChatClient {
  readonly jid: string;
  readonly #program: Program;
  readonly #happenings = new Happenings<Happening>();
  readonly #answers = new Happenings<Answer>();
  #commands = 0;

  private constructor(jid: string, options: object) {
    this.jid = jid;
    this.#program = new Program(PYTHON, [DRIVER, JSON.stringify(options)], { heard: (line) => this.#heard(line) });
    const end = (): void => {
      const reason = new Error(`slixmpp has ended, saying:\n${this.#program.errors.all.slice(-20).join("\n")}`);
      this.#answers.end(reason);
      this.#happenings.end(reason);
    };
    this.#program.exited.then(end, end);
  }

  static login(credentials: Credentials, at: At): Promise<Slixmpp> {
    return Slixmpp.start(credentials, at, { register: false });
  }

  static async start(
    { jid, password }: Credentials,
    at: At,
    how: { register: boolean; token?: string | undefined; mobile?: boolean },
  ): Promise<Slixmpp> {
    const { certificateFile: certificate, port, tls } = at;
    const client = new Slixmpp(jid, { jid, password, port, certificate, direct: tls === "direct", ...how });
    try {
      await client.#do("online");
    } catch (error) {
      await client.kill();
      throw error;
    }
    return client;
  }

  /** One that manages its stream (XEP-0198), and connects again by itself whenever its connection breaks. */
  static loginMobile(credentials: Credentials, at: At): Promise<Slixmpp> {
    return Slixmpp.start(credentials, at, { register: false, mobile: true });
  }

  async addContact(jid: string, name: string): Promise<void> {
    await this.#do("contact", { jid, name });
    await this.whenContact({ jid, name, subscription: "none" });
  }

  async whenContact(wanted: Contact): Promise<void> {
    const isWanted = ({ jid, name, subscription }: Of<"contact">): boolean =>
      jid === wanted.jid && (name ?? undefined) === wanted.name && subscription === wanted.subscription;
    await this.#next("contact", JSON.stringify(wanted), isWanted);
  }

  async askForPresence(of: string): Promise<void> {
    await this.#do("subscribe", { jid: of });
  }

  whenAsked(by: string): Promise<void> {
    return this.#presence("subscribe", by);
  }

  async allowPresence(to: string): Promise<void> {
    await this.#do("subscribed", { jid: to });
  }

  whenAvailable(jid: string): Promise<void> {
    return this.#presence("available", jid);
  }

  whenUnavailable(jid: string): Promise<void> {
    return this.#presence("unavailable", jid);
  }

  async say(to: string, text: string): Promise<void> {
    await this.#do("say", { jid: to, text });
  }

  whenTold(by: string, text: string): Promise<Heard> {
    return this.#next("message", `${by} says ${text}`, (message) => isSaying(message, by, text));
  }

  async wasTold(by: string, text: string): Promise<boolean> {
    await this.#do("settle");
    return this.#happenings.all.some((happening) => happening.event === "message" && isSaying(happening, by, text));
  }

  async whenRefused(to: string): Promise<void> {
    const isError = ({ type, jid }: Of<"message">): boolean => type === "error" && jid === to;
    const { condition } = await this.#next("message", `an error from ${to}`, isError);
    if (condition !== "service-unavailable") throw new Refused(condition ?? "nothing");
  }

  async block(jid: string): Promise<void> {
    await this.#do("block", { jid });
  }

  async unblock(jid: string): Promise<void> {
    await this.#do("unblock", { jid });
  }

  /** XEP-0280. */
  async enableCarbons(): Promise<void> {
    await this.#do("carbons");
  }

  /** Settles when it has been shown a copy of what was received from, or sent to, somebody. */
  async whenCopied(direction: "received" | "sent", other: string, text: string): Promise<void> {
    const isCopy = (copy: Of<"carbon">): boolean =>
      copy.direction === direction && copy.jid === other && copy.text === text;
    await this.#next("carbon", `a copy of ${text} as ${direction}`, isCopy);
  }

  /** How often it has been shown a text: as a message, and as a copy. */
  async timesShown(text: string): Promise<{ readonly told: number; readonly copied: number }> {
    await this.#do("settle");
    const shown = this.#happenings.all.filter((one) => "text" in one && one.text === text);
    const told = shown.filter(({ event }) => event === "message").length;
    return { told, copied: shown.length - told };
  }

  /** Settles when its stream is lost, resumed, refused or bound; with its full address. */
  async whenStream(what: SlixmppStream): Promise<string> {
    return (await this.#next("stream", `that its stream is ${what}`, (stream) => stream.what === what)).jid;
  }

  async whenAcknowledged(text: string): Promise<void> {
    // It asks before it sends, and so about what came before.
    await this.settle();
    await this.#next("acknowledged", `an acknowledgement of ${text}`, (stanza) => stanza.text === text);
  }

  /** Everything that somebody said to it, in order, however often, with the id in its archive. */
  heard(from: string): readonly { readonly text: string; readonly id: string | null; readonly delayed: boolean }[] {
    return this.#happenings.all.flatMap((one) =>
      one.event === "message" && one.type !== "error" && one.jid === from
        ? [{ text: one.text, id: one.id, delayed: one.delayed }]
        : [],
    );
  }

  /** Every copy that it was shown, in order. */
  copies(): readonly { readonly direction: string; readonly text: string; readonly id: string | null }[] {
    return this.#happenings.all.flatMap((one) =>
      one.event === "carbon" ? [{ direction: one.direction, text: one.text, id: one.id }] : [],
    );
  }

  /** XEP-0313, page by page. */
  async archive(query: ArchiveQuery = {}): Promise<readonly ArchivedMessage[]> {
    return (await this.#do("archive", query)) as readonly ArchivedMessage[];
  }

  /** What was sent to it so far has been shown. */
  async settle(): Promise<void> {
    await this.#do("settle");
  }

  /** XEP-0352. */
  async setActive(isActive: boolean): Promise<void> {
    await this.#do(isActive ? "active" : "inactive");
  }

  /** How many available presences of somebody it has been sent so far. Asks the server nothing. */
  timesAvailable(jid: string): number {
    return this.#happenings.all.filter((one) => one.event === "presence" && one.type === "available" && one.jid === jid)
      .length;
  }

  async leave(): Promise<void> {
    await this.#do("leave");
    this.#program.closeInput();
    await this.#program.exited;
  }

  async kill(): Promise<void> {
    this.#program.kill("SIGKILL");
    await this.#program.exited;
  }

  async #do(what: string, more: object = {}): Promise<unknown> {
    const id = this.#commands++;
    this.#program.tell(JSON.stringify({ id, do: what, ...more }));
    const { error, result } = await this.#answers.next(`the answer to ${what}`, ({ answer }) => answer === id);
    if (error !== null) throw new Refused(error);
    return result;
  }

  async #presence(type: Of<"presence">["type"], from: string): Promise<void> {
    await this.#next(
      "presence",
      `presence ${type} of ${from}`,
      (presence) => presence.type === type && presence.jid === from,
    );
  }

  #next<E extends Happening["event"]>(event: E, what: string, matches: (happening: Of<E>) => boolean): Promise<Of<E>> {
    return this.#happenings.next(what, (one) => one.event === event && matches(one as Of<E>)) as Promise<Of<E>>;
  }

  #heard(line: string): void {
    const said = JSON.parse(line) as Happening | Answer;
    if ("answer" in said) this.#answers.add(said);
    else this.#happenings.add(said);
  }
}

const isSaying = (message: Of<"message">, by: string, text: string): boolean =>
  message.type !== "error" && message.jid === by && message.text === text;
