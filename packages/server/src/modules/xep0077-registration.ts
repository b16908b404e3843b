import {
  asRegistrationError,
  type BareJid,
  type DomainJid,
  type Element,
  type Eventually,
  type FullJid,
  type Jid,
  jid,
  NS_REGISTER,
  prepareLocalpart,
  RegisterGet,
  type RegisterInfo,
  type RegisterRequest,
  RegisterResult,
  RegisterSet,
  registerFeature,
  registrationError,
  registrationForm,
  StanzaError,
  tryJid,
} from "@kith/protocol";
import {
  type Answer,
  type Context,
  type Effects,
  type Module,
  onGet,
  onSet,
  onVisitorGet,
  onVisitorSet,
  type Request,
  type Visitor,
  type VisitorAnswer,
} from "../module.ts";
import type { Write } from "../store/store.ts";

/** What may be changed while the server runs. */
export interface RegistrationRules {
  /** "closed": nobody registers in-band; "invitation": whoever has one; "open": anybody. */
  readonly mode: "closed" | "invitation" | "open";
  /** Where to register instead (§5). */
  readonly redirect: { readonly url: string; readonly instructions?: string | undefined } | undefined;
  readonly reservedNames: readonly string[];
  /** Accounts made from one address in a time; `undefined`: any number. */
  readonly perAddress: { readonly accounts: number; readonly within: number } | undefined;
  /** Attempts on one stream. */
  readonly attempts: number;
  readonly passwordChange: boolean;
  readonly cancellation: boolean;
}

/** What registration asks of accounts. All reject with StanzaError. */
export interface RegistrationAccounts {
  exists(account: BareJid): Eventually<boolean>;
  verifyPassword(account: BareJid, password: string): Promise<boolean>;
  create(account: BareJid, password: string, more: { readonly writes: readonly Write[] }): Promise<unknown>;
  changePassword(account: BareJid, password: string): Promise<unknown>;
}

/** An invitation that a stream has shown (XEP-0445). */
interface ShownInvitation {
  readonly id: string;
  /** The only name it is good for. */
  readonly username?: string | undefined;
}

/** What registration asks of invitations. */
export interface RegistrationInvitations<Shown extends ShownInvitation> {
  shownBy(visitor: Visitor): Shown | undefined;
  /** The id of the invitation that a name is kept for. */
  keeps(domain: DomainJid, username: string): Eventually<string | undefined>;
  /** Uses the invitation up together with making the account: both, or neither. */
  takeUp<T>(invitation: Shown, account: BareJid, use: (writes: readonly Write[]) => Promise<T>): Promise<T>;
}

export interface RegistrationOptions<Shown extends ShownInvitation> {
  readonly accounts: RegistrationAccounts;
  readonly invitations: RegistrationInvitations<Shown>;
  readonly rules: (domain: DomainJid) => RegistrationRules;
  /** What addresses are counted by: an IPv4 address, an IPv6 network. */
  readonly addressKey: (address: string) => string;
  /** What a new account does first. */
  readonly welcome: (account: BareJid, context: Context) => Eventually<Effects>;
}

/** XEP-0077: making an account, changing its password, leaving it. */
export const registration = <Shown extends ShownInvitation>(options: RegistrationOptions<Shown>): Module => {
  const visits = new Registrations(options);
  return {
    name: "registration",
    xeps: [{ xep: "XEP-0077", version: "2.4" }],
    features: [NS_REGISTER],
    streamFeatures: {
      visitor: ({ domain, secure }) => (secure && isAnnounced(options.rules(domain)) ? [registerFeature] : []),
    },
    visitorIq: [
      onVisitorGet(RegisterGet, (_, visitor) =>
        refusing(
          () => [visits.fields(visitor)],
          (result) => ({ result }),
        ),
      ),
      onVisitorSet(RegisterSet, (request, visitor, context) =>
        refusing(
          () => visits.register(request, visitor, context),
          (answer) => answer,
        ),
      ),
    ],
    iq: [
      onGet(RegisterGet, ["server", "own-account"], (_, request) =>
        refusing(
          () => onFile(options, request),
          (result) => result,
        ),
      ),
      onSet(RegisterSet, ["server", "own-account"], (asked, request, context) =>
        refusing(
          () => change(options, asked, request, context),
          (answer) => answer,
        ),
      ),
    ],
  };
};

const isAnnounced = ({ mode, redirect }: RegistrationRules): boolean => mode !== "closed" || redirect !== undefined;

/** Errors of this namespace are of the old style too (§9). */
const refusing = async <T, U>(step: () => Eventually<T>, next: (value: T) => U): Promise<U> => {
  try {
    return next(await step());
  } catch (error) {
    throw error instanceof StanzaError ? asRegistrationError(error) : error;
  }
};

// ── Strangers (§3.1) ───────────────────────────────────────────────────────────────────────────────────────────────

/** How far a stream has come. */
interface Visit {
  attempts: number;
  registered: boolean;
}

class Registrations<Shown extends ShownInvitation> {
  readonly #options: RegistrationOptions<Shown>;
  readonly #visits = new WeakMap<object, Visit>();
  readonly #made = new MadeByAddress();

  constructor(options: RegistrationOptions<Shown>) {
    this.#options = options;
  }

  /** What is to be filled in. */
  fields(visitor: Visitor): Element {
    const { mode, redirect } = this.#options.rules(visitor.domain);
    const invitation = this.#options.invitations.shownBy(visitor);
    refuseInsecure(visitor);
    if (this.#mayRegister(mode, invitation)) return RegisterResult.build(fieldsFor(invitation?.username));
    if (redirect !== undefined) return RegisterResult.build(redirection(redirect));
    throw closedTo(mode);
  }

  async register(request: RegisterRequest, visitor: Visitor, context: Context): Promise<VisitorAnswer> {
    if (request.do === "remove") throw registrationError("unexpected-request", "Log in to cancel a registration.");
    refuseInsecure(visitor);
    const { accounts, invitations } = this.#options;
    const rules = this.#options.rules(visitor.domain);
    const invitation = invitations.shownBy(visitor);
    if (!this.#mayRegister(rules.mode, invitation)) throw closedTo(rules.mode);
    const visit = this.#visit(visitor, rules);
    const { account, password } = await this.#wanted(request, visitor, invitation, rules);
    const create = (writes: readonly Write[]): Promise<unknown> => accounts.create(account, password, { writes });
    // Whoever has been invited is counted already: by the invitation.
    if (invitation === undefined) await this.#counted(visitor, rules, context, () => create([]));
    else await invitations.takeUp(invitation, account, create);
    visit.registered = true;
    return { result: [], after: await this.#options.welcome(account, context) };
  }

  #mayRegister(mode: RegistrationRules["mode"], invitation: Shown | undefined): boolean {
    return mode === "open" || (mode === "invitation" && invitation !== undefined);
  }

  /** §3.1.1: a second identity, and too many attempts, are not acceptable. */
  #visit({ stream }: Visitor, { attempts }: RegistrationRules): Visit {
    const visit = this.#visits.get(stream) ?? { attempts: 0, registered: false };
    this.#visits.set(stream, visit);
    if (visit.registered)
      throw registrationError("not-acceptable", "An account has been made on this stream; log in to it.");
    if (++visit.attempts > attempts) throw registrationError("not-acceptable", "Too many attempts.");
    return visit;
  }

  /** The account that is asked for, if it may be had. */
  async #wanted(
    { values }: RegisterRequest & { readonly do: "submit" },
    { domain }: Visitor,
    invitation: Shown | undefined,
    { reservedNames }: RegistrationRules,
  ): Promise<{ readonly account: BareJid; readonly password: string }> {
    const { username = "", password = "" } = values;
    if (username === "" || password === "")
      throw registrationError("not-acceptable", "A user name and a password are needed.");
    const localpart = prepareLocalpart(username);
    if (localpart === undefined) throw registrationError("not-acceptable", "This cannot be a user name.");
    const kept = await this.#options.invitations.keeps(domain, localpart);
    if (kept !== undefined && kept !== invitation?.id)
      throw registrationError("conflict", "The name is kept for somebody else.");
    if (invitation?.username !== undefined && invitation.username !== localpart) {
      throw registrationError("not-acceptable", `The invitation is for the name "${invitation.username}".`);
    }
    // Kept for this invitation: whoever made it may give such a name.
    if (kept === undefined && reservedNames.includes(localpart)) {
      throw registrationError("not-acceptable", "The name is reserved.");
    }
    return { account: jid(localpart, domain).bare, password };
  }

  async #counted(
    visitor: Visitor,
    { perAddress }: RegistrationRules,
    { now }: Context,
    create: () => Promise<unknown>,
  ): Promise<void> {
    const key = this.#options.addressKey(visitor.address);
    if (perAddress === undefined) {
      await create();
      return;
    }
    const isFree = this.#made.take(key, perAddress, now());
    if (!isFree)
      throw registrationError(
        "resource-constraint",
        "Too many accounts have been made from your address; try again later.",
        "wait",
      );
    try {
      await create();
    } catch (error) {
      this.#made.giveBack(key);
      throw error;
    }
  }
}

const fieldsFor = (username: string | undefined): RegisterInfo => ({
  registered: false,
  instructions: "Choose a user name and a password.",
  fields: { username: username ?? "", password: "" },
  form: registrationForm(username),
  url: undefined,
});

const redirection = ({ url, instructions }: NonNullable<RegistrationRules["redirect"]>): RegisterInfo => ({
  registered: false,
  instructions: instructions ?? `To register, visit ${url}`,
  fields: {},
  form: undefined,
  url,
});

const closedTo = (mode: RegistrationRules["mode"]): StanzaError =>
  mode === "closed"
    ? registrationError("service-unavailable", "Accounts are not made in-band here.")
    : registrationError("not-allowed", "An invitation is needed to register here.");

/** §11: passwords go over protected channels only. */
const refuseInsecure = ({ secure }: Visitor): void => {
  if (!secure) throw registrationError("not-authorized", "Registration needs TLS.", "modify");
};

/** Accounts made by address, within a time. Bounded: the address that was heard of first is forgotten first. */
class MadeByAddress {
  readonly #times = new Map<string, number[]>();

  /** May one more be made? Counts it if so. */
  take(address: string, { accounts, within }: NonNullable<RegistrationRules["perAddress"]>, now: number): boolean {
    const recent = (this.#times.get(address) ?? []).filter((time) => now - time < within);
    if (recent.length >= accounts) return false;
    this.#times.delete(address);
    this.#times.set(address, [...recent, now]);
    const [oldest] = this.#times.keys();
    if (this.#times.size > REMEMBERED && oldest !== undefined) this.#times.delete(oldest);
    return true;
  }

  /** None was made after all. */
  giveBack(address: string): void {
    this.#times.get(address)?.pop();
  }
}
const REMEMBERED = 20_000;

// ── Users (§3.1 to §3.3) ───────────────────────────────────────────────────────────────────────────────────────────

/** The account at this host that sends the request; throws where there is none. */
const ownAccount = async (
  { accounts }: Pick<RegistrationOptions<ShownInvitation>, "accounts">,
  { from, at }: Request,
): Promise<Jid> => {
  // Registering at a service is for services; who has no account at this host cannot get one from inside another.
  if (from.domain !== at.domain)
    throw registrationError("service-unavailable", "Open a stream to this host to register.");
  const account = from.toBare();
  if (!(await accounts.exists(account.bare)))
    throw registrationError("registration-required", "This account is a temporary one.");
  return account;
};

/** §3.1: what is on file; never the password, which nobody here knows. */
const onFile = async (
  options: Pick<RegistrationOptions<ShownInvitation>, "accounts">,
  request: Request,
): Promise<readonly Element[]> => {
  const { local = "" } = await ownAccount(options, request);
  return [
    RegisterResult.build({
      registered: true,
      instructions: "You are registered. A new password replaces the old one.",
      fields: { username: local, password: "" },
      form: undefined,
      url: undefined,
    }),
  ];
};

const change = async (
  options: Pick<RegistrationOptions<ShownInvitation>, "accounts" | "rules">,
  asked: RegisterRequest,
  request: Request,
  context: Context,
): Promise<Answer> => {
  const account = await ownAccount(options, request);
  const { cancellation, passwordChange } = options.rules(account.domain);
  if (asked.do === "remove" || asked.form === CANCEL_FORM) {
    if (!cancellation) throw registrationError("not-allowed", "Registrations are not cancelled in-band here.");
    if (asked.do === "submit") await checkCredentials(options, asked.values.username, asked.values.password, account);
    return { after: [{ do: "removeAccount", account: account.bare }] };
  }
  if (!passwordChange) throw registrationError("not-allowed", "Passwords are not changed in-band here.");
  const { username = "", password = "" } = asked.values;
  if (username === "" || password === "")
    throw registrationError("bad-request", "The user name and the new password are needed.");
  await checkCredentials(options, username, asked.others.old_password, account);
  await options.accounts.changePassword(account.bare, password);
  return { after: endOtherSessions(account.bare, context) };
};
const CANCEL_FORM = "jabber:iq:register:cancel";

/** Whoever says whose account it is, or what its password was, has to be right. */
const checkCredentials = async (
  { accounts }: Pick<RegistrationOptions<ShownInvitation>, "accounts">,
  username: string | undefined,
  password: string | undefined,
  account: Jid,
): Promise<void> => {
  if (username !== undefined && !isNameOf(username, account))
    throw registrationError("forbidden", "This is somebody else's user name.", "cancel");
  if (password !== undefined && !(await accounts.verifyPassword(account.bare, password))) {
    throw registrationError("not-authorized", "The password is wrong.", "modify");
  }
};

/** The localpart, or the address as a whole (as in the forms of §3.2 and §3.3). */
const isNameOf = (username: string, account: Jid): boolean =>
  prepareLocalpart(username) === account.local || tryJid(username)?.full === account.bare;

/** A password is changed because somebody else may know it: every other session has to prove itself again. */
const endOtherSessions = (account: BareJid, { session }: Context): Effects => [
  {
    do: "endSessions",
    account,
    condition: "reset",
    text: "The password has been changed.",
    ...(session === undefined ? {} : { except: session.jid.full as FullJid }),
  },
];
