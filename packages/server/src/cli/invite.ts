import { Command, InvalidArgumentError } from "commander";
import { duration } from "../config-values.ts";
import { EXIT } from "./exit-codes.ts";
import { line } from "./io.ts";
import { CONFIG_OPTION, type Running } from "./running.ts";

interface InviteOptions {
  readonly host?: string;
  readonly account?: string;
  readonly contact?: string;
  /** In milliseconds. */
  readonly expires?: number;
}

export const inviteCommand = (running: Running): Command => {
  const invite = new Command("invite")
    .description("make an invitation: a link with which somebody can register, once")
    .option("--host <domain>", "where to register; needed where there are several hosts")
    .option("--account <jid>", "the address of the account, kept for whoever has the link")
    .option("--contact <jid>", "whose contact they become, without being asked")
    .option("--expires <time>", 'how long it is good for, such as "2 d"', milliseconds)
    .addOption(CONFIG_OPTION())
    .addHelpText(
      "after",
      `
Examples:
  kith invite
  kith invite --host example.org --expires "2 d"
  kith invite --account juliet@example.org --contact romeo@example.org
  kith invite list
  kith invite revoke 3f9a

The link is printed once; the server keeps no more than a hash of it.`,
    )
    .action((options: InviteOptions) => running.operate((operator, io) => create(options, operator, io)));
  addManagement(invite, running);
  return invite;
};

type Action = Parameters<Running["operate"]>[0];

const create = async (
  { host, account, contact, expires }: InviteOptions,
  ...[operator, io]: Parameters<Action>
): ReturnType<Action> => {
  const made = await operator.run("invite create", {
    ...(host === undefined ? {} : { host }),
    ...(account === undefined ? {} : { account }),
    ...(contact === undefined ? {} : { contact }),
    ...(expires === undefined ? {} : { expireMs: expires }),
  });
  line(io.out, made.uri);
  if (made.landingUrl !== undefined) line(io.out, made.landingUrl);
  line(
    io.err,
    `Good for one account until ${dateOf(made.expires)}; "kith invite revoke ${made.id.slice(0, SHORT)}" withdraws it.`,
  );
  return EXIT.ok;
};

const SHORT = 8;
const MINUTE = 60_000;

const milliseconds = (text: string): number => {
  const parsed = duration(MINUTE).safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`Allowed: ${parsed.error.issues[0]?.message ?? ""}.`);
};

const dateOf = (moment: number): string => new Date(moment).toISOString().replace("T", " ").slice(0, 16).concat(" UTC");

const addManagement = (invite: Command, running: Running): void => {
  invite
    .command("list")
    .argument("[host]")
    .description("print the open invitations: id, what for, until when")
    .addOption(CONFIG_OPTION())
    .action((host: string | undefined) =>
      running.operate(async (operator, io) => {
        const { invitations } = await operator.run("invite list", host === undefined ? {} : { host });
        for (const { id, account, host: domain, contact, expires } of invitations) {
          const becomes = contact === undefined ? "" : `  contact ${contact}`;
          line(io.out, `${id.slice(0, SHORT)}  ${account ?? domain}${becomes}  until ${dateOf(expires)}`);
        }
        return EXIT.ok;
      }),
    );
  invite
    .command("revoke")
    .argument("<id>", "as it is listed; its first letters will do")
    .description("withdraw an invitation")
    .addOption(CONFIG_OPTION())
    .action((id: string) =>
      running.operate(async (operator, io) => {
        const revoked = await operator.run("invite revoke", { id });
        line(io.err, `The invitation ${revoked.id.slice(0, SHORT)} is withdrawn.`);
        return EXIT.ok;
      }),
    );
};
