/** The modules by which accounts are made, change hands and end: joined here, since they share accounts and invitations. */
import { type BareJid, type DomainJid, type Eventually, type Presence, StanzaError } from "@kith/protocol";
import type { AccountService } from "./accounts.ts";
import type { Config } from "./config.ts";
import type { Invitations } from "./invitations.ts";
import type { Context, Effects, Module } from "./module.ts";
import { commands } from "./modules/xep0050-commands.ts";
import { type RegistrationRules, registration } from "./modules/xep0077-registration.ts";
import { askInviter, preauthorizedSubscriptions } from "./modules/xep0379-pre-authenticated-subscription.ts";
import { invitationCommands } from "./modules/xep0401-invitations.ts";
import { preauthorization } from "./modules/xep0445-pre-authenticated-registration.ts";
import { addressKey } from "./session/address.ts";

export interface AccountModulesOptions {
  /** Read at each use, so that it may change. */
  readonly config: Pick<Config, "hosts" | "registration" | "invitations">;
  readonly accounts: AccountService;
  readonly invitations: Invitations;
  /** Every module there is. */
  readonly modules: () => readonly Module[];
}

export const accountModules = ({
  config,
  accounts,
  invitations,
  modules,
}: AccountModulesOptions): readonly Module[] => {
  const isOpen = (domain: DomainJid): boolean => (config.hosts.get(domain)?.registration ?? "closed") !== "closed";
  const isAdministrator = (user: BareJid, domain: DomainJid): boolean =>
    config.hosts.get(domain)?.administrators.has(user) === true;
  const mayInviteToRegister = (user: BareJid, domain: DomainJid): boolean =>
    isAdministrator(user, domain) || (config.invitations.accountsBy === "users" && user.endsWith(`@${domain}`));
  const subscriptions = {
    approves: invitations.approves.bind(invitations),
    toAsk: invitations.toAsk.bind(invitations),
    send: (sent: Presence, context: Context): Eventually<Effects> => sentBy(modules(), sent, context),
  };
  return [
    registration({
      accounts,
      invitations,
      rules: (domain) => registrationRules(config, domain),
      addressKey,
      welcome: (account, context) => askInviter(subscriptions, account, context),
    }),
    preauthorization({ isOpen, show: (visitor, token) => invitations.show(visitor, token) }),
    ...preauthorizedSubscriptions(subscriptions),
    invitationCommands({
      create: (order) => invitations.create(order),
      forget: (account) => invitations.forget(account),
      isAccount: (account) => accounts.exists(account),
      isOpen,
      mayInviteToRegister,
    }),
    commands(modules),
  ];
};

const registrationRules = (
  { hosts, registration: rules }: AccountModulesOptions["config"],
  domain: DomainJid,
): RegistrationRules => ({
  ...rules,
  mode: hosts.get(domain)?.registration ?? "closed",
  redirect: rules.redirect,
  perAddress: rules.perAddress,
});

/** What follows where an account sends this presence to somebody: what the module in charge makes of it. */
const sentBy = (modules: readonly Module[], sent: Presence, context: Context): Eventually<Effects> => {
  const handler = modules
    .flatMap((module) => module.presence ?? [])
    .find(({ place, types }) => place === "directed" && types.includes(sent.type));
  if (handler === undefined) throw new StanzaError("feature-not-implemented");
  return handler.handle(sent, context);
};
