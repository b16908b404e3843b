/** What is measured, by name. */
import type { Load } from "./generator/drive.ts";
import type { MeasureTask, SetupTask } from "./generator/task.ts";

export interface Scenario {
  readonly name: ScenarioName;
  /** For the tables. */
  readonly title: string;
  /** What one unit of its figures is. */
  readonly unit: Unit;
  readonly tls: boolean;
  /** Accounts that have to be there, and contacts. */
  readonly setup: readonly SetupTask[];
  readonly task: MeasureTask;
}

export type Unit = "message" | "delivery" | "login" | "session";

/** What may be changed to try things out; figures are published with the defaults alone. */
export interface Sizes {
  /** Idle connections. */
  readonly connections: number;
  /** Seconds that idle connections are held. */
  readonly hold: number;
}

export const SCENARIO_NAMES = [
  "chat-w10",
  "chat-w1",
  "chat-1000",
  "chat-rate",
  "tls-chat-w10",
  "presence",
  "login",
  "idle",
  "tls-idle",
] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

const TEXT_LENGTH = 100;
const CHAT_RATE = 2_000;
const PRESENCE = { users: 500, contacts: 20 } as const;
const LOGIN = { users: 1_000, logins: 3_000, atOnce: 50 } as const;
const IDLE_CONTACTS = 10;

/** Each kind of scenario has accounts of its own, so that none finds contacts that another has made. */
export const scenarioOf = (name: ScenarioName, sizes: Sizes): Scenario => {
  switch (name) {
    case "chat-w10":
      return chat(name, 200, { window: 10 });
    case "chat-w1":
      return chat(name, 200, { window: 1 });
    case "chat-1000":
      return chat(name, 1_000, { window: 1 });
    case "chat-rate":
      return chat(name, 200, { rate: CHAT_RATE });
    case "tls-chat-w10":
      return chat(name, 200, { window: 10 }, true);
    case "presence":
      return presence();
    case "login":
      return login();
    case "idle":
      return idle(name, sizes, false);
    case "tls-idle":
      return idle(name, sizes, true);
  }
};

const chat = (name: ScenarioName, pairs: number, load: Load, tls = false): Scenario => ({
  name,
  title: `Chat, ${grouped(pairs)} pairs, ${loadTitle(load)}${tls ? ", TLS" : ""}`,
  unit: "message",
  tls,
  setup: [{ do: "register", prefix: "chat", count: 2 * pairs }],
  task: { do: "chat", prefix: "chat", pairs, load, bodyLength: TEXT_LENGTH },
});

const loadTitle = (load: Load): string =>
  "window" in load ? `window ${load.window}` : `${grouped(load.rate)} messages/s`;

const presence = (): Scenario => ({
  name: "presence",
  title: `Presence, ${PRESENCE.users} users with ${PRESENCE.contacts} contacts each`,
  unit: "delivery",
  tls: false,
  setup: ring("presence", PRESENCE.users, PRESENCE.contacts),
  task: { do: "presence", prefix: "presence", ...PRESENCE, window: 1, statusLength: TEXT_LENGTH },
});

const login = (): Scenario => ({
  name: "login",
  title: `Login, SCRAM-SHA-1, ${LOGIN.atOnce} at a time`,
  unit: "login",
  tls: false,
  setup: [{ do: "register", prefix: "login", count: LOGIN.users }],
  task: { do: "login", prefix: "login", ...LOGIN },
});

const idle = (name: ScenarioName, { connections, hold }: Sizes, tls: boolean): Scenario => ({
  name,
  title: `Idle, ${grouped(connections)} sessions with ${IDLE_CONTACTS} contacts each${tls ? ", TLS" : ""}`,
  unit: "session",
  tls,
  // Accounts are kept between runs, and a ring of another size is another one.
  setup: ring(`idle-${connections}-`, connections, IDLE_CONTACTS),
  task: { do: "idle", prefix: `idle-${connections}-`, connections, hold },
});

const ring = (prefix: string, count: number, contacts: number): readonly SetupTask[] => [
  { do: "register", prefix, count },
  { do: "befriend", prefix, count, contacts },
];

/** With a comma between thousands. */
const grouped = (number: number): string => number.toLocaleString("en");
