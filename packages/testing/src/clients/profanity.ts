import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  type At,
  type ChatClient,
  type ClientKind,
  type Contact,
  type Credentials,
  type Heard,
  localpartOf,
  Refused,
} from "./chat-client.ts";
import { Terminal } from "./terminal.ts";

const isOnPath = (program: string): boolean => spawnSync("which", [program], { stdio: "ignore" }).status === 0;

/** Profanity, a client for the terminal: the tests type into it and read its screen. */
export const profanity: ClientKind = {
  name: "Profanity",
  get missing() {
    const missing = ["profanity", "tmux"].filter((program) => !isOnPath(program));
    if (missing.length === 0) return undefined;
    return `${missing.join(" and ")} not on this machine: apt-get install ${missing.join(" ")}`;
  },
  takesInvitations: false,
  // Over direct TLS its registration never begins.
  registersOver: ["starttls"],
  login: (credentials, at) => Profanity.login(credentials, at),
  register: (credentials, at) => Profanity.register(credentials, at),
};

const PREFERENCES = `[ui]
splash=false
beep=false
flash=false
[notifications]
message=off
room=off
invite=false
sub=false
typing=false
`;

/** What it calls the two ways; with both it checks the certificate. */
const POLICIES: Readonly<Record<At["tls"], string>> = { starttls: "force", direct: "legacy" };

const CONSOLE = "/win 1";

class Profanity implements ChatClient {
  readonly jid: string;
  readonly #terminal: Terminal;
  readonly #folder: string;
  /** It shows contacts by name. */
  readonly #names = new Map<string, string>();

  private constructor(jid: string, terminal: Terminal, folder: string) {
    this.jid = jid;
    this.#terminal = terminal;
    this.#folder = folder;
  }

  static login(credentials: Credentials, at: At): Promise<Profanity> {
    return Profanity.#open(credentials, at, (client) => client.#connect(credentials.password, at));
  }

  static async register(credentials: Credentials, at: At): Promise<Profanity> {
    const first = await Profanity.#open(credentials, at, (client) => client.#register(credentials.password, at));
    // After registering it takes its next connection for the same one, and loses it; or it crashes.
    await first.kill();
    return Profanity.login(credentials, at);
  }

  static async #open(
    { jid }: Credentials,
    { certificateFile }: At,
    begin: (client: Profanity) => Promise<void>,
  ): Promise<Profanity> {
    const folder = await mkdtemp(join(tmpdir(), "kith-profanity-"));
    const config = join(folder, "config");
    await mkdir(join(config, "profanity"), { recursive: true });
    await writeFile(join(config, "profanity", "profrc"), PREFERENCES);
    // It trusts whom OpenSSL trusts.
    const env = `SSL_CERT_FILE=${certificateFile} HOME=${folder} XDG_CONFIG_HOME=${config} XDG_DATA_HOME=${join(folder, "data")}`;
    const terminal = await Terminal.open(basename(folder), `env ${env} profanity`);
    const client = new Profanity(jid, terminal, folder);
    try {
      await terminal.shows(/Type '\/help'/);
      await begin(client);
    } catch (error) {
      await client.kill();
      throw error;
    }
    return client;
  }

  async addContact(jid: string, name: string): Promise<void> {
    this.#names.set(jid, name);
    await this.#inConsole(`/roster add ${jid} ${name}`, `Roster item added: ${jid} (${name})`);
  }

  async whenContact({ jid, name, subscription }: Contact): Promise<void> {
    await this.#terminal.type(CONSOLE);
    const shown = `${jid}${name === undefined ? "" : ` (${name})`} - ${subscription}`;
    await this.#terminal.shows(new RegExp(`- +${literally(shown)}(?:,.*)?$`), { again: "/roster" });
  }

  askForPresence(of: string): Promise<void> {
    return this.#inConsole(`/sub request ${of}`, `Sent subscription request to ${of}`);
  }

  whenAsked(by: string): Promise<void> {
    return this.#inConsole(CONSOLE, `Received authorization request from ${by}`);
  }

  allowPresence(to: string): Promise<void> {
    return this.#inConsole(`/sub allow ${to}`, `Accepted subscription for ${to}`);
  }

  async whenAvailable(jid: string): Promise<void> {
    await this.#terminal.type(CONSOLE);
    await this.#terminal.shows(new RegExp(`\\+\\+ ${this.#shown(jid)} .*is online`));
  }

  async whenUnavailable(jid: string): Promise<void> {
    await this.#terminal.type(CONSOLE);
    await this.#terminal.shows(new RegExp(`-- ${this.#shown(jid)} .*is offline`));
  }

  async say(to: string, text: string): Promise<void> {
    await this.#chatWith(to);
    await this.#terminal.type(text);
    await this.#terminal.shows(new RegExp(`me: ${literally(text)}`));
  }

  async whenTold(by: string, text: string): Promise<Heard> {
    await this.#chatWith(by);
    await this.#terminal.shows(this.#told(by, text));
    return { delayed: undefined };
  }

  async wasTold(by: string, text: string): Promise<boolean> {
    // An answer to this comes after all that was sent before.
    await this.#inConsole("/ping", "Ping response from server");
    await this.#chatWith(by);
    return this.#told(by, text).test(await this.#terminal.screen());
  }

  async whenRefused(to: string): Promise<void> {
    await this.#chatWith(to);
    await this.#terminal.shows(new RegExp(`Error from ${literally(to)}: service-unavailable`));
  }

  block(jid: string): Promise<void> {
    return this.#inConsole(`/blocked add ${jid}`, `User ${jid} successfully blocked`);
  }

  unblock(jid: string): Promise<void> {
    return this.#inConsole(`/blocked remove ${jid}`, `User ${jid} successfully unblocked`);
  }

  async leave(): Promise<void> {
    await this.#terminal.type("/quit");
    await this.#terminal.ended();
    await this.kill();
  }

  async kill(): Promise<void> {
    await this.#terminal.close();
    // It may still be writing.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }

  async #connect(password: string, { port, tls }: At): Promise<void> {
    const terminal = this.#terminal;
    await terminal.type(`/connect ${this.jid} server 127.0.0.1 port ${port} tls ${POLICIES[tls]}`);
    await terminal.shows(/Enter password:/, { key: "login" });
    await terminal.type(password);
    const [outcome] = await terminal.shows(/logged in successfully|Login failed/);
    if (outcome !== "logged in successfully") throw new Refused("not-authorized");
  }

  async #register(password: string, { port, tls }: At): Promise<void> {
    const terminal = this.#terminal;
    await terminal.type(`/register ${localpartOf(this.jid)} localhost port ${port} tls ${POLICIES[tls]}`);
    await terminal.shows(/Enter password:/, { key: "register" });
    await terminal.type(password);
    await terminal.shows(/Confirm password:/);
    await terminal.type(password);
    const [outcome] = await terminal.shows(/Registration successful|Server error: .*/);
    if (outcome !== "Registration successful") throw new Refused(outcome);
  }

  async #inConsole(command: string, answer: string): Promise<void> {
    if (command !== CONSOLE) await this.#terminal.type(CONSOLE);
    await this.#terminal.type(command);
    await this.#terminal.shows(new RegExp(literally(answer)));
  }

  async #chatWith(jid: string): Promise<void> {
    await this.#terminal.type(`/msg ${jid}`);
  }

  #told(by: string, text: string): RegExp {
    return new RegExp(`- ${this.#shown(by)}(?:/\\S+)?: ${literally(text)}`);
  }

  /** How a contact is called: by its name in the roster, which arrives when it likes. */
  #shown(jid: string): string {
    const name = this.#names.get(jid);
    return name === undefined ? literally(jid) : `(?:${literally(name)}|${literally(jid)})`;
  }
}

const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
