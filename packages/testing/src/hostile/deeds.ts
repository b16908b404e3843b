/** What attackers do, in four kinds. A script is taken a step further `STEPS_PER_SECOND` times a second. */
import { NS_SASL, plainAuth, streamHeader } from "../process/raw-client.ts";
import { DOMAIN, loggedIn, opened, type Script, until, type Villain } from "./villain.ts";

export const STEPS_PER_SECOND = 10;

/** One thing to do, on a connection to one of the two ports for clients. */
export interface Deed {
  readonly port: "starttls" | "direct TLS";
  readonly script: (villain: Villain, number: number) => Script;
}

function* rest(steps: number): Script {
  for (let step = 0; step < steps; step++) yield;
}

/** A byte a second, over and over. */
function* trickle(villain: Villain, bytes: string): Script {
  for (let at = 0; ; at++) {
    villain.send(Buffer.from(bytes[at % bytes.length] ?? " ", "latin1"));
    yield* rest(STEPS_PER_SECOND);
  }
}

const STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const PROCEED = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
/** The beginning of a record that is said to be longer, and of a ClientHello in it. */
const HALF_HELLO = `\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003${"\u0000".repeat(400)}`;

/** Handshakes that get nowhere. */
const SLOW_HANDSHAKES: readonly Deed[] = [
  {
    port: "starttls",
    script: function* () {
      // Not a word.
    },
  },
  { port: "starttls", script: (villain) => trickle(villain, streamHeader(DOMAIN)) },
  {
    port: "starttls",
    script: function* (villain) {
      yield* opened(villain);
      yield* trickle(villain, " ");
    },
  },
  {
    port: "starttls",
    script: function* (villain) {
      villain.send(streamHeader(DOMAIN) + STARTTLS);
      yield* until(villain, PROCEED);
      yield* trickle(villain, HALF_HELLO);
    },
  },
  { port: "direct TLS", script: (villain) => trickle(villain, HALF_HELLO) },
  {
    port: "starttls",
    script: function* (villain) {
      villain.send(streamHeader(DOMAIN) + STARTTLS);
      yield* until(villain, PROCEED);
      villain.secure();
      yield* opened(villain);
    },
  },
];

const PIECE = "x".repeat(2_048);

/** As much as is taken, over and over. */
function* pour(villain: Villain, text: string): Script {
  for (;;) {
    villain.send(text);
    yield;
  }
}

const poured = (start: string, text: string): Deed => ({
  port: "starttls",
  script: function* (villain) {
    yield* opened(villain);
    villain.send(start);
    yield* pour(villain, text);
  },
});

/** Stanzas, tags, attributes and headers that never end. */
const NEVER_ENDING: readonly Deed[] = [
  poured("<message><body>", PIECE),
  poured("<iq type='set' id='", PIECE),
  poured("<message>", "<a>".repeat(8)),
  poured("<iq type='set'", " ".repeat(2_048)),
  poured("", " ".repeat(2_048)),
  {
    port: "starttls",
    script: function* (villain) {
      villain.send(streamHeader(DOMAIN).slice(0, -1));
      yield* pour(villain, " ".repeat(2_048));
    },
  },
  {
    port: "starttls",
    script: function* (villain, number) {
      yield* loggedIn(villain, `writer${number % OWN_SESSIONS}`);
      villain.send(`<message to='${villain.target.own.name}@${DOMAIN}'><body>`);
      yield* pour(villain, PIECE.repeat(8));
    },
  },
];

const REGISTER = "<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>";
const GREEDY_ID = "greedy";
/** Of one account; more than the server lets an account have. */
const OWN_SESSIONS = 60;
const REQUESTS = [
  "<vCard xmlns='vcard-temp'/>",
  "<query xmlns='jabber:iq:roster'/>",
  `<query xmlns='http://jabber.org/protocol/disco#info'/>`,
  `<ping xmlns='urn:xmpp:ping'/>`,
];
const ASKING = REQUESTS.map((request) => `<iq type='get' id='${GREEDY_ID}'>${request}</iq>`).join("");

/** Whoever asks and does not read what is answered: with no account, and with one of their own. */
const NOT_READING: readonly Deed[] = [
  {
    port: "starttls",
    script: function* (villain) {
      yield* opened(villain);
      villain.stopReading();
      villain.send(REGISTER.repeat(30));
    },
  },
  {
    port: "starttls",
    script: function* (villain) {
      villain.stopReading();
      villain.send(streamHeader(DOMAIN) + REGISTER.repeat(30));
      yield* trickle(villain, " ");
    },
  },
  {
    port: "starttls",
    script: function* (villain, number) {
      yield* loggedIn(villain, `reader${number % OWN_SESSIONS}`);
      villain.stopReading();
      yield* pour(villain, ASKING.repeat(5));
    },
  },
  {
    port: "starttls",
    script: function* (villain, number) {
      yield* loggedIn(villain, `crowd${number % OWN_SESSIONS}`);
      villain.stopReading();
      villain.send("<presence/>");
      const all = `<message type='headline' to='${villain.target.own.name}@${DOMAIN}'><body>`;
      for (;;) {
        villain.send(`${all}${PIECE.repeat(16)}</body></message>`);
        yield;
      }
    },
  },
];

const guessed = (number: number): string => `guess ${number}`;
const SCRAM = (name: string, number: number): string =>
  `<auth xmlns='${NS_SASL}' mechanism='SCRAM-SHA-1'>${base64Of(`n,,n=${name},r=nonce${number}`)}</auth>`;
const base64Of = (text: string): string => Buffer.from(text).toString("base64");

/** Guesses on one connection, as many as it bears. */
const WRONG_PASSWORDS: readonly Deed[] = [
  {
    port: "starttls",
    script: function* (villain, number) {
      yield* opened(villain);
      for (let attempt = 0; ; attempt++) {
        villain.send(plainAuth(victim(villain, number), guessed(number + attempt)));
        yield* until(villain, "</failure>");
      }
    },
  },
  {
    port: "starttls",
    script: function* (villain, number) {
      yield* opened(villain);
      for (;;) {
        villain.send(SCRAM(victim(villain, number), number));
        yield* until(villain, "</challenge>");
        villain.send(
          `<response xmlns='${NS_SASL}'>${base64Of("c=biws,r=nonce,p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=")}</response>`,
        );
        yield* until(villain, "</failure>");
      }
    },
  },
  {
    port: "starttls",
    script: function* (villain, number) {
      yield* opened(villain);
      for (let attempt = 0; ; attempt++) {
        villain.send(plainAuth(`nobody${number}`, guessed(attempt)));
        yield* until(villain, "</failure>");
      }
    },
  },
];

const victim = ({ target: { victims } }: Villain, number: number): string => victims[number % victims.length] ?? "";

export const KINDS = {
  "slow handshakes": SLOW_HANDSHAKES,
  "never-ending stanzas": NEVER_ENDING,
  "readers that do not read": NOT_READING,
  "wrong passwords": WRONG_PASSWORDS,
} as const satisfies Readonly<Record<string, readonly Deed[]>>;
export type Kind = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as readonly Kind[];
