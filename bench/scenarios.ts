/** What is measured, by name. */
import type { ArchiveSwitch } from "./contenders/contender.ts";
import type { Load } from "./generator/drive.ts";
import type { ChatTask } from "./generator/measure-tasks.ts";
import type { MeasureTask, SetupTask } from "./generator/task.ts";
import type { Fill } from "./history.ts";

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
  readonly archive: ArchiveSwitch;
  /** Messages that are there beforehand, in servers that can be given any. Every run begins with these and no others. */
  readonly history?: History;
}

export interface History {
  /** Of the data that have it: they are no other scenario's, unless that has the same. */
  readonly name: string;
  readonly fill: Fill;
  /** It is what is measured: servers without it take no part. */
  readonly isNeeded: boolean;
}

export type Unit = "message" | "delivery" | "login" | "session" | "page";

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
  "archive-w10",
  "archive-text-w10",
  "archive-rate",
  "sm-w10",
  "sm-archive-w10",
  "mam-page",
] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

const TEXT_LENGTH = 100;
const CHAT_RATE = 2_000;
const PRESENCE = { users: 500, contacts: 20 } as const;
const LOGIN = { users: 1_000, logins: 3_000, atOnce: 50 } as const;
const IDLE_CONTACTS = 10;
const ARCHIVE_PAIRS = 200;
const ARCHIVED = 1_000_000;
const ACKS_EVERY = 10;
const PAGE = { size: 50, pairs: 50, rate: 500 } as const;

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
      return chat(name, 200, { window: 10 }, { tls: true });
    case "presence":
      return presence();
    case "login":
      return login();
    case "idle":
      return idle(name, sizes, false);
    case "tls-idle":
      return idle(name, sizes, true);
    case "archive-w10":
      return archiveChat(name, { window: 10 });
    case "archive-text-w10":
      return archiveChat(name, { window: 10 }, "full-text");
    case "archive-rate":
      return archiveChat(name, { rate: CHAT_RATE });
    case "sm-w10":
      return chat(name, 200, { window: 10 }, { acksEvery: ACKS_EVERY });
    case "sm-archive-w10":
      return archiveChat(name, { window: 10 }, "on", ACKS_EVERY);
    case "mam-page":
      return archivePages();
  }
};

interface ChatVariant {
  readonly tls?: boolean;
  readonly acksEvery?: number;
}

const chat = (name: ScenarioName, pairs: number, load: Load, variant: ChatVariant = {}): Scenario => ({
  name,
  title: `Chat, ${grouped(pairs)} pairs, ${loadTitle(load)}${variantTitle(variant)}`,
  unit: "message",
  tls: variant.tls === true,
  setup: [{ do: "register", prefix: "chat", count: 2 * pairs }],
  task: { ...chatTask("chat", pairs, load), ...managedTask(variant.acksEvery) },
  archive: "off",
});

const chatTask = (prefix: string, pairs: number, load: Load): ChatTask => ({
  do: "chat",
  prefix,
  pairs,
  load,
  bodyLength: TEXT_LENGTH,
});

const managedTask = (acksEvery: number | undefined): Pick<ChatTask, "acksEvery"> =>
  acksEvery === undefined ? {} : { acksEvery };

const loadTitle = (load: Load): string =>
  "window" in load ? `window ${load.window}` : `${grouped(load.rate)} messages/s`;

const variantTitle = ({ tls, acksEvery }: ChatVariant): string =>
  `${tls === true ? ", TLS" : ""}${acksEvery === undefined ? "" : ", stream management"}`;

/** Chat that is kept, of people who have said a lot before. */
const archiveChat = (
  name: ScenarioName,
  load: Load,
  archive: "on" | "full-text" = "on",
  acksEvery?: number,
): Scenario => {
  const users = 2 * ARCHIVE_PAIRS;
  const withText = archive === "full-text" ? ", full-text index" : "";
  return {
    name,
    title: `Chat, ${ARCHIVE_PAIRS} pairs, ${loadTitle(load)}, archive${withText}${variantTitle(managedTask(acksEvery))}`,
    unit: "message",
    tls: false,
    setup: [{ do: "register", prefix: "archive", count: users }],
    task: {
      ...chatTask("archive", ARCHIVE_PAIRS, load),
      ...managedTask(acksEvery),
      originIds: true,
      // The index is made in the background: what a message costs is known when it is in there.
      toRest: archive === "full-text",
    },
    archive,
    history: {
      name: archive === "full-text" ? "searchable" : "archive",
      fill: { do: "fill", prefix: "archive", count: ARCHIVED, users, between: "pairs" },
      isNeeded: archive === "full-text",
    },
  };
};

const archivePages = (): Scenario => ({
  name: "mam-page",
  title: `Pages of ${PAGE.size} from an archive of ${grouped(ARCHIVED)} messages`,
  unit: "page",
  tls: false,
  setup: [{ do: "register", prefix: "pages", count: 2 * PAGE.pairs }],
  task: {
    do: "pages",
    prefix: "pages",
    pairs: PAGE.pairs,
    load: { rate: PAGE.rate },
    bodyLength: TEXT_LENGTH,
    pageSize: PAGE.size,
  },
  archive: "on",
  history: {
    name: "pages",
    fill: { do: "fill", prefix: "pages", count: ARCHIVED, users: 2 * PAGE.pairs, between: "first-and-others" },
    isNeeded: true,
  },
});

const presence = (): Scenario => ({
  name: "presence",
  title: `Presence, ${PRESENCE.users} users with ${PRESENCE.contacts} contacts each`,
  unit: "delivery",
  tls: false,
  setup: ring("presence", PRESENCE.users, PRESENCE.contacts),
  task: { do: "presence", prefix: "presence", ...PRESENCE, window: 1, statusLength: TEXT_LENGTH },
  archive: "off",
});

const login = (): Scenario => ({
  name: "login",
  title: `Login, SCRAM-SHA-1, ${LOGIN.atOnce} at a time`,
  unit: "login",
  tls: false,
  setup: [{ do: "register", prefix: "login", count: LOGIN.users }],
  task: { do: "login", prefix: "login", ...LOGIN },
  archive: "off",
});

const idle = (name: ScenarioName, { connections, hold }: Sizes, tls: boolean): Scenario => ({
  name,
  title: `Idle, ${grouped(connections)} sessions with ${IDLE_CONTACTS} contacts each${tls ? ", TLS" : ""}`,
  unit: "session",
  tls,
  // Accounts are kept between runs, and a ring of another size is another one.
  setup: ring(`idle-${connections}-`, connections, IDLE_CONTACTS),
  task: { do: "idle", prefix: `idle-${connections}-`, connections, hold },
  archive: "off",
});

const ring = (prefix: string, count: number, contacts: number): readonly SetupTask[] => [
  { do: "register", prefix, count },
  { do: "befriend", prefix, count, contacts },
];

/** With a comma between thousands. */
const grouped = (number: number): string => number.toLocaleString("en");
