import { Command } from "commander";
import { accountOf } from "../control/operations.ts";
import { EXIT } from "./exit-codes.ts";
import { type Io, line } from "./io.ts";
import { type Password, type PasswordSource, readPassword } from "./password.ts";
import { CONFIG_OPTION, type Running } from "./running.ts";

const PASSWORD_OPTIONS = [
  ["--password-stdin", "read the password from standard input"],
  ["--generate", "make up a password and print it"],
] as const;

export const userCommand = (running: Running): Command => {
  const user = new Command("user").description("make, change, remove and list accounts").addHelpText(
    "after",
    `
Examples:
  kith user add romeo@example.org                              asks for the password
  echo "$PASSWORD" | kith user add romeo@example.org --password-stdin
  kith user passwd romeo@example.org --generate
  kith user list example.org

All of them work whether the server runs or not.`,
  );
  const add = user.command("add").argument("<jid>", "the address of the account").description("make an account");
  add.option("--reuse", "even if an account of this name was removed lately");
  withPassword(add).action(async (jid: string, options: PasswordSource & { readonly reuse?: boolean }) => {
    const password = await passwordFor(jid, options, running);
    await running.operate(async (operator, io) => {
      const order = { jid, password: password.text, reuseAddress: options.reuse === true };
      const made = await operator.run("user add", order);
      show(password, io);
      line(io.err, `${made.jid} can log in.`);
      return EXIT.ok;
    });
  });
  const passwd = user
    .command("passwd")
    .argument("<jid>")
    .description("change a password, and end the account's sessions");
  withPassword(passwd).action(async (jid: string, options: PasswordSource) => {
    const password = await passwordFor(jid, options, running);
    await running.operate(async (operator, io) => {
      const changed = await operator.run("user passwd", { jid, password: password.text });
      show(password, io);
      line(io.err, `${changed.jid} has a new password.`);
      return EXIT.ok;
    });
  });
  addQueries(user, running);
  return user;
};

/** Asked for before anything is opened: somebody may take their time, and the server may want to start meanwhile. */
const passwordFor = async (jid: string, options: PasswordSource, running: Running): Promise<Password> => {
  // Nobody types a password for an address that is none, or for a configuration that cannot be used.
  accountOf(jid, await running.config());
  return readPassword(options, running.io);
};

const show = ({ text, isNew }: Password, io: Io): void => {
  if (isNew) line(io.out, text);
};

const withPassword = (command: Command): Command => {
  for (const [flag, description] of PASSWORD_OPTIONS) command.option(flag, description);
  return command.addOption(CONFIG_OPTION());
};

const addQueries = (user: Command, running: Running): void => {
  user
    .command("remove")
    .argument("<jid>")
    .description("remove an account: its sessions, its subscriptions and all that is kept of it")
    .addOption(CONFIG_OPTION())
    .action((jid: string) =>
      running.operate(async (operator, io) => {
        const removed = await operator.run("user remove", { jid });
        line(io.err, `${removed.jid} is removed.`);
        return EXIT.ok;
      }),
    );
  user
    .command("list")
    .argument("[host]", "only the accounts of this host")
    .description("print every account, one a line")
    .addOption(CONFIG_OPTION())
    .action((host: string | undefined) =>
      running.operate(async (operator, io) => {
        const { users } = await operator.run("user list", host === undefined ? {} : { host });
        for (const jid of users) line(io.out, jid);
        return EXIT.ok;
      }),
    );
  user
    .command("exists")
    .argument("<jid>")
    .description("tell by the exit code whether there is such an account")
    .addOption(CONFIG_OPTION())
    .action((jid: string) =>
      running.operate(async (operator, io) => {
        const found = await operator.run("user exists", { jid });
        line(io.err, found.exists ? `${found.jid} exists.` : `There is no account ${found.jid}.`);
        return found.exists ? EXIT.ok : EXIT.failure;
      }),
    );
};
