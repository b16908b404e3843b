/**
 * The module interface: how Kith is extended, by itself and by others.
 *
 * A module is a value. It sees stanzas at the places it names, and returns what it wants done as effects; the
 * router alone carries them out. It never changes a stanza, never sends by itself, and never knows another module:
 * what it needs of one it is given as an argument where modules are listed (`modules/index.ts`).
 *
 * Accounts talk only in stanzas. A module that acts for an account may see and reach that account's sessions; of any
 * other account it learns nothing but whether it exists, and reaches it by routing a stanza to it.
 *
 * A step that has nothing to wait for returns its answer, not a promise of it. A module that waits has changed its
 * own memory before it waits.
 */
import type {
  BareJid,
  CommandNote,
  DataForm,
  DiscoInfo,
  DiscoItem,
  DomainJid,
  Element,
  Eventually,
  FullJid,
  Iq,
  Jid,
  Message,
  Payload,
  Place,
  Presence,
  PresenceType,
  Stanza,
  StanzaError,
  StreamCondition,
} from "@kith/protocol";
import type { MessageSide } from "./store/messages.ts";
import type { Haste, RowId, Write } from "./store/store.ts";

/** A session's wish to be sent something that not every session wants. */
export type SessionMark = "roster" | "blocklist" | "carbons";

/** A bound session as modules see it. */
export interface SessionView {
  readonly jid: Jid;
  /** The presence last broadcast; `undefined` while it is not an available resource (RFC 6121 §4.2). */
  readonly presence: Presence | undefined;
  /** -128..127; 0 while there is no presence. */
  readonly priority: number;
  readonly marks: ReadonlySet<SessionMark>;
  /** Its connection is gone, and it waits for its client to come back (XEP-0198 §5). */
  readonly isDetached: boolean;
}

/** An available resource of one's own account, wherever its session is held. */
export interface AvailableResource {
  readonly jid: Jid;
  readonly presence: Presence;
  readonly priority: number;
  /** When it last broadcast its presence, in milliseconds since 1970. */
  readonly since: number;
  readonly isDetached: boolean;
}

/** What a module may know. Read-only: a module changes the world only by what it returns. */
export interface Context {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Is this one of the server's own virtual hosts? */
  readonly isLocal: (domain: DomainJid) => boolean;
  readonly exists: (account: BareJid) => Eventually<boolean>;
  /** The available resources of the account the module acts for; most available first. */
  readonly available: (account: BareJid) => Eventually<readonly AvailableResource[]>;
  /** Stored messages that sessions of the account have been sent and not yet shown to have got. */
  readonly underWay: (account: BareJid) => Eventually<ReadonlySet<RowId>>;
  /** The session that sent the stanza at hand, when it was sent by a local one. */
  readonly session: SessionView | undefined;
  /** A new unguessable id for a stanza the server makes. */
  readonly newId: () => string;
}

/** Which sessions of one's own account. */
export type Which = "bound" | "available" | { readonly marked: SessionMark };

/** A stored message as its account is shown it. */
export interface Shown {
  readonly row: RowId;
  readonly side: MessageSide;
  /** The account's archive has it: it bears the archive's stanza-id (XEP-0313 §3.1). */
  readonly isArchived: boolean;
  /** It waits for the account, and is settled once it has arrived. */
  readonly waits: boolean;
}

export type Effect =
  /** Send to whoever `to` names, through every phase of the recipient's side. */
  | { readonly do: "route"; readonly stanza: Stanza }
  /** Send to sessions of one's own account; a stanza without `to` gets each session's full JID. No phase runs again. */
  | {
      readonly do: "toOwnSessions";
      readonly account: BareJid;
      readonly stanza: Stanza;
      readonly which: Which;
      readonly except?: FullJid;
    }
  /**
   * Send to one session of one's own account. No phase runs again. `stored`: the stored message that the stanza is; `settles`: one that it
   * only shows, such as a result of a query, and that waits no longer once it has arrived.
   */
  | {
      readonly do: "toSession";
      readonly jid: FullJid;
      readonly stanza: Stanza;
      readonly stored?: Shown;
      readonly settles?: RowId;
    }
  /**
   * From a copy phase: the message at hand also goes to the sessions of one's own account that want carbons (XEP-0280), but for
   * the one it comes from and those it is delivered to.
   */
  | { readonly do: "carbon"; readonly account: BareJid; readonly message: Message; readonly carbon: MessageSide }
  /** From `undelivered`: the message is stored and waits for its account. */
  | { readonly do: "wait"; readonly message: Message }
  /**
   * Store. Takes effect for reads at once; nothing else of this stanza is shown before it is durable. `haste` "soon":
   * nothing waits for it, and a crash may lose it.
   */
  | { readonly do: "write"; readonly write: Write; readonly haste?: Haste }
  | { readonly do: "mark"; readonly session: FullJid; readonly mark: SessionMark; readonly on: boolean }
  /** Close every session of one's own account, all but `except`; or `only` one. */
  | {
      readonly do: "endSessions";
      readonly account: BareJid;
      readonly condition: StreamCondition;
      readonly text?: string;
      readonly only?: FullJid;
      readonly except?: FullJid;
    }
  /** Run every module's `accountRemoved`, then remove the account and end its sessions. */
  | { readonly do: "removeAccount"; readonly account: BareJid };
export type Effects = readonly Effect[];

export const route = (stanza: Stanza): Effect => ({ do: "route", stanza });
export const write = (change: Write): Effect => ({ do: "write", write: change });
export const writeSoon = (change: Write): Effect => ({ do: "write", write: change, haste: "soon" });
export const toOwnSessions = (account: BareJid, stanza: Stanza, which: Which, except?: FullJid): Effect =>
  except === undefined
    ? { do: "toOwnSessions", account, stanza, which }
    : { do: "toOwnSessions", account, stanza, which, except };
export const toSession = (jid: FullJid, stanza: Stanza): Effect => ({ do: "toSession", jid, stanza });

/** Whom an IQ is addressed to (RFC 6121 §8.5): the server, the sender's own account (or nobody), or somebody else's account. */
export type Addressee = "server" | "own-account" | "account";

/**
 * What answers a request: the children of the result, or those and what is to be done before and after it. Something may be done
 * and the request refused all the same, where that was not all that was asked for.
 */
export type Answer =
  | readonly Element[]
  | {
      readonly before?: Effects;
      readonly result?: readonly Element[];
      readonly refusal?: StanzaError;
      readonly after?: Effects;
    };

/** The request and the one it is addressed to: the account or domain that answers. */
export interface Request {
  readonly iq: Iq;
  readonly from: Jid;
  /** The bare JID of the account, or the domain, on whose behalf the request is answered. */
  readonly at: Jid;
  readonly addressee: Addressee;
}

export interface IqHandler {
  readonly type: "get" | "set";
  readonly payload: Payload<unknown>;
  readonly at: readonly Addressee[];
  /** Throw `StanzaError` to refuse. */
  readonly answer: (value: unknown, request: Request, context: Context) => Eventually<Answer>;
}
type Answering<T> = (value: T, request: Request, context: Context) => Eventually<Answer>;

/** A declaration whose places include this one; anything else does not compile. */
type StandsIn<P, Wanted> = Wanted extends P ? unknown : never;

export const onGet = <T, P extends Place>(
  payload: Payload<T, P> & StandsIn<P, "iq-get">,
  at: readonly Addressee[],
  answer: Answering<T>,
): IqHandler => handler("get", payload, at, answer);
export const onSet = <T, P extends Place>(
  payload: Payload<T, P> & StandsIn<P, "iq-set">,
  at: readonly Addressee[],
  answer: Answering<T>,
): IqHandler => handler("set", payload, at, answer);
// A list of handlers of different T has no honest type without this one cast (and its twin for visitors below).
const handler = <T>(
  type: "get" | "set",
  payload: Payload<T>,
  at: readonly Addressee[],
  answer: Answering<T>,
): IqHandler => ({ type, payload, at, answer }) as unknown as IqHandler;

/** Where a stream stands that has not authenticated yet. */
export interface Visitor {
  /** Identifies the stream as long as it lives; a key for a WeakMap. */
  readonly stream: object;
  /** The virtual host the stream is addressed to. */
  readonly domain: DomainJid;
  /** The peer's IP address. */
  readonly address: string;
  readonly secure: boolean;
}
/** The children of the result; it leaves when the writes are durable, and then the effects are carried out. */
export interface VisitorAnswer {
  readonly writes?: readonly Write[];
  readonly result: readonly Element[];
  readonly after?: Effects;
}
/** Answers IQs on a stream that has not authenticated (XEP-0077, XEP-0445). */
export interface VisitorHandler {
  readonly type: "get" | "set";
  readonly payload: Payload<unknown>;
  /** Throw `StanzaError` to refuse. */
  readonly answer: (value: unknown, visitor: Visitor, context: Context) => Eventually<VisitorAnswer>;
}
type VisitorAnswering<T> = (value: T, visitor: Visitor, context: Context) => ReturnType<VisitorHandler["answer"]>;
export const onVisitorGet = <T, P extends Place>(
  payload: Payload<T, P> & StandsIn<P, "iq-get">,
  answer: VisitorAnswering<T>,
): VisitorHandler => ({ type: "get", payload, answer }) as unknown as VisitorHandler;
export const onVisitorSet = <T, P extends Place>(
  payload: Payload<T, P> & StandsIn<P, "iq-set">,
  answer: VisitorAnswering<T>,
): VisitorHandler => ({ type: "set", payload, answer }) as unknown as VisitorHandler;

/** `"drop"`: goes no further, silently. A refusal with an answer is a thrown `StanzaError`. */
export type Verdict = "drop" | undefined;

/**
 * What is to be kept of a message on one side. What modules wish is put together, and the message is stored once, or not
 * at all where nobody's archive shows it and nobody waits for it.
 */
export interface Keeping {
  /** The account's archive shows it. */
  readonly isArchived?: boolean;
  /** May a full-text search find it? */
  readonly isSearchable?: boolean;
  /** Where it is stored it also waits for the account, until it has arrived. Recipient's side only. */
  readonly waits?: boolean;
  /** What a second sending is recognised by. Sender's side only. */
  readonly key?: string;
}

/** The phases a stanza passes on one side, in this order. What a phase may do is what its type lets it return. */
export interface Side {
  /** May refuse. */
  readonly guard?: (stanza: Stanza, context: Context) => Eventually<Verdict>;
  /** May change the stanza. */
  readonly amend?: (stanza: Stanza, context: Context) => Eventually<Stanza>;
  /** May keep it. */
  readonly archive?: (message: Message, context: Context) => Eventually<Keeping | undefined>;
  /** May add stanzas, changes none. */
  readonly copy?: (stanza: Stanza, context: Context) => Eventually<Effects>;
}

/**
 * Takes a presence stanza out of a session's or another entity's hands. Exactly one handler for each type and place.
 * - "broadcast": sent by a local session without `to`
 * - "directed": sent by a local session to somebody; nothing is sent unless the handler routes it
 * - "received": for a local account; nothing is delivered unless the handler does it
 */
export interface PresenceHandler {
  readonly place: "broadcast" | "directed" | "received";
  readonly types: readonly PresenceType[];
  readonly handle: (presence: Presence, context: Context) => Eventually<Effects>;
}

/** A moment in a session's life. Effects are carried out in the order of modules. */
export type SessionMoment = (session: SessionView, context: Context) => Eventually<Effects>;

export interface Identity {
  readonly category: string;
  readonly type: string;
  readonly name?: string;
}

/** What there is at a node of the server (XEP-0030 §3). */
export interface DiscoNode {
  readonly info?: DiscoInfo;
  readonly items?: readonly DiscoItem[];
}

/** Something the server does when it is asked to, perhaps after a form has been filled in (XEP-0050). */
export interface Command {
  readonly node: string;
  /** For people. */
  readonly name: string;
  /** May this entity run it at this host? Others are not shown it either. */
  readonly mayRun: (who: Jid, host: Jid) => Eventually<boolean>;
  /** What is asked for first; without it the command needs no more than to be run. */
  readonly form?: () => DataForm;
  /** `submitted`: the form as it was filled in. Throw `StanzaError` to refuse. */
  readonly run: (submitted: DataForm | undefined, request: Request, context: Context) => Eventually<CommandOutcome>;
}
export interface CommandOutcome {
  readonly before?: Effects;
  readonly form?: DataForm;
  readonly notes?: readonly CommandNote[];
}

export interface Xep {
  readonly xep: `XEP-${string}` | `RFC ${string}`;
  readonly version?: string;
  /** What is not covered, if anything. */
  readonly note?: string;
}

export interface Module {
  readonly name: string;
  readonly xeps: readonly Xep[];
  /** Features of the server in disco#info (XEP-0030). */
  readonly features?: readonly string[];
  /** Features of every account in disco#info at its bare JID. */
  readonly accountFeatures?: readonly string[];
  readonly identities?: readonly Identity[];
  /** Forms that extend the server's disco#info (XEP-0128); asked for each domain. */
  readonly infoForms?: (domain: DomainJid) => readonly Element[];
  /** A node of the server that this module knows of, for those who may know of it. */
  readonly node?: (node: string, request: Request, context: Context) => Eventually<DiscoNode | undefined>;
  /** What anybody who may can have the server do at its domain (XEP-0050). */
  readonly commands?: readonly Command[];
  /** Children of `<stream:features/>` before and after authentication. */
  readonly streamFeatures?: {
    readonly visitor?: (visitor: Omit<Visitor, "stream">) => readonly Element[];
    readonly authenticated?: (domain: DomainJid) => readonly Element[];
  };
  readonly iq?: readonly IqHandler[];
  readonly visitorIq?: readonly VisitorHandler[];
  readonly presence?: readonly PresenceHandler[];
  /** A local account sends. */
  readonly sending?: Side;
  /** A local account is sent to. */
  readonly receiving?: Side;
  /**
   * May this IQ request reach a session at its full JID? Asked where the session is held. One "no" is enough, and
   * the sender cannot tell it from a session that is not there (RFC 6121 §8.5.3.1).
   */
  readonly admit?: (request: Iq, session: SessionView, context: Context) => Eventually<boolean>;
  /** A message nobody was there for. The first module that answers has taken care of it. */
  readonly undelivered?: (message: Message, account: BareJid, context: Context) => Eventually<Effects | undefined>;
  /**
   * A message that its account has not been shown yet, and perhaps will not be for a while: nobody was there, only sessions
   * without a connection, or one that gives no sign of life. Once for each message; a reason to wake somebody up (XEP-0357).
   */
  readonly missed?: (message: Message, account: BareJid, context: Context) => Eventually<Effects>;
  /**
   * A result or an error for one of the server's domains, or an account's bare JID: perhaps the answer to a request that the server
   * itself has sent. For those who know its id; anybody can send one, so `from` is to be compared too.
   */
  readonly answered?: (answer: Iq, context: Context) => Eventually<Effects>;
  /** Owns a domain of its own, such as a conference service. */
  readonly service?: {
    readonly domain: DomainJid;
    readonly receive: (stanza: Stanza, context: Context) => Eventually<Effects>;
  };
  readonly started?: (context: Context) => Eventually<Effects>;
  readonly bound?: SessionMoment;
  /** What a client learns with the result of Bind 2 (XEP-0386 §4), without having asked. */
  readonly boundReport?: (account: BareJid) => Eventually<Element | undefined>;
  /** It has sent initial presence, which has been broadcast (RFC 6121 §4.2). */
  readonly available?: SessionMoment;
  /** It is an available resource no longer, having said so or lost its stream; what is due has been sent (§4.5). */
  readonly unavailable?: SessionMoment;
  /** Its connection is gone; it waits for its client, and is shown as it was (XEP-0198 §5). */
  readonly detached?: SessionMoment;
  /** Its client has come back. */
  readonly resumed?: SessionMoment;
  /** It was left by a server that is gone, and waits for its client. Before anything has started. */
  readonly restored?: SessionMoment;
  /** Forget what was kept for this session. Its unavailable presence has been handled before. */
  readonly closed?: SessionMoment;
  /** Say goodbye for an account that is being removed (its rows are removed for you). */
  readonly accountRemoved?: (account: BareJid, context: Context) => Eventually<Effects>;
  readonly stopped?: () => Eventually<void>;
}
