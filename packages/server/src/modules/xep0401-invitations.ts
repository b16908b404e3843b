import {
  andThen,
  type BareJid,
  booleanOf,
  CREATE_ACCOUNT_COMMAND,
  commandError,
  type DataForm,
  type DomainJid,
  type Eventually,
  fieldValue,
  INVITE_COMMAND,
  type Invitation,
  invitationForm,
  type Jid,
  parseJid,
  prepareLocalpart,
} from "@kith/protocol";
import { type Command, type Module, write } from "../module.ts";
import type { Write } from "../store/store.ts";

export interface InvitationCommandsOptions {
  /** Makes an invitation; rejects with StanzaError where that is not possible. */
  readonly create: (order: InvitationOrder) => Promise<Invitation>;
  /** Withdraws the invitations of an account. */
  readonly forget: (account: Jid) => Eventually<readonly Write[]>;
  /** Is this a lasting account? A temporary one has nobody to stay in touch with. */
  readonly isAccount: (account: BareJid) => Eventually<boolean>;
  /** May an account be made with an invitation at this host? */
  readonly isOpen: (domain: DomainJid) => boolean;
  /** May this user let accounts be made there? */
  readonly mayInviteToRegister: (user: BareJid, domain: DomainJid) => boolean;
}

/** An invitation to be made. */
export type InvitationOrder = { readonly domain: DomainJid } & (
  | { readonly to: "account"; readonly username?: string | undefined; readonly inviter?: BareJid | undefined }
  | { readonly to: "contact"; readonly inviter: BareJid; readonly registers: boolean }
);

/** XEP-0401: users make invitations, by ad-hoc commands. */
export const invitationCommands = (options: InvitationCommandsOptions): Module => ({
  name: "invitations",
  xeps: [{ xep: "XEP-0401", version: "0.6.0" }],
  commands: [inviteCommand(options), createAccountCommand(options)],
  accountRemoved: (account) => andThen(options.forget(parseJid(account)), (writes) => writes.map(write)),
});

const makesAccounts = (
  { isOpen, mayInviteToRegister }: InvitationCommandsOptions,
  who: Jid,
  { domain }: Jid,
): boolean => isOpen(domain) && mayInviteToRegister(who.bare, domain);

/** §5.1: an invitation to one's contact list, and to an account first if the inviter may do that. */
const inviteCommand = (options: InvitationCommandsOptions): Command => ({
  node: INVITE_COMMAND,
  name: "Invite user",
  mayRun: (who, host) => who.domain === host.domain && options.isAccount(who.bare),
  run: async (_, { from, at }) => {
    const registers = makesAccounts(options, from, at);
    const made = await options.create({ domain: at.domain, to: "contact", inviter: from.bare, registers });
    return { form: invitationForm(made) };
  },
});

/** §5.4: an invitation to an account, whose name may be settled. */
const createAccountCommand = (options: InvitationCommandsOptions): Command => ({
  node: CREATE_ACCOUNT_COMMAND,
  name: "Create account",
  mayRun: (who, host) => makesAccounts(options, who, host) && options.isAccount(who.bare),
  form: accountForm,
  run: async (submitted, { from, at }) => {
    const username = submitted === undefined ? undefined : usernameIn(submitted);
    const becomesContact = submitted !== undefined && booleanOf(fieldValue(submitted, ROSTER_SUBSCRIPTION)) === true;
    const inviter = becomesContact ? from.bare : undefined;
    return { form: invitationForm(await options.create({ domain: at.domain, to: "account", username, inviter })) };
  },
});

const ROSTER_SUBSCRIPTION = "roster-subscription";

const accountForm = (): DataForm => ({
  type: "form",
  title: "Create an account",
  fields: [
    { var: "username", type: "text-single", label: "User name; leave it empty to let the new user choose" },
    { var: ROSTER_SUBSCRIPTION, type: "boolean", label: "Add the new user to your contacts", values: ["true"] },
  ],
});

const usernameIn = (form: DataForm): string | undefined => {
  const given = fieldValue(form, "username")?.trim() ?? "";
  if (given === "") return undefined;
  const username = prepareLocalpart(given);
  if (username === undefined) throw commandError("bad-payload", "This cannot be a user name.");
  return username;
};
