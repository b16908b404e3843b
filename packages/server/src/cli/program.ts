/** The `kith` command: its subcommands, its help, and what it ends with. */
import { Command, CommanderError } from "commander";
import { ConfigError } from "../config.ts";
import { VARIABLES } from "../config-environment.ts";
import { OperationError, type Results } from "../control/operations.ts";
import { check } from "./check.ts";
import { EXIT, EXIT_HELP, type ExitCode } from "./exit-codes.ts";
import { inviteCommand } from "./invite.ts";
import { type Io, line } from "./io.ts";
import { CONFIG_OPTION, createRun, type Running } from "./running.ts";
import type { ServerParts } from "./server.ts";
import { start } from "./start.ts";
import { userCommand } from "./user.ts";

/** Runs `kith …`; gives what to end with. Never rejects for anything that somebody at the command line can mend. */
export const runProgram = async (args: readonly string[], io: Io, server: ServerParts): Promise<ExitCode> => {
  let file: string | undefined;
  const run = createRun(io, server, () => file);
  const program = createProgram(run);
  forEach(program, (command) => {
    command.exitOverride();
    command.configureOutput({ writeOut: (text) => io.out.write(text), writeErr: (text) => io.err.write(text) });
    command.showHelpAfterError('("--help" says more)');
    command.hook("preAction", (_, action) => {
      file = action.opts<{ config?: string }>().config ?? file;
    });
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return run.code ?? EXIT.ok;
  } catch (error) {
    return codeOf(error, io);
  }
};

const codeOf = (error: unknown, io: Io): ExitCode => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof ConfigError) {
    line(io.err, error.message);
    return EXIT.configuration;
  }
  if (error instanceof OperationError) {
    line(io.err, `kith: ${error.message}`);
    return EXIT.failure;
  }
  // Not to be mended at the command line: where it happened is wanted too.
  line(io.err, `kith: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return EXIT.failure;
};

const createProgram = (running: Running): Command => {
  const program = new Command("kith")
    .description("Kith: an XMPP server")
    .version(running.server.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "say more about a command")
    .addHelpText(
      "after",
      `
Examples:
  kith start                          serves localhost where there is no kith.config.ts
  kith start --config /etc/kith/kith.config.ts
  kith user add romeo@example.org
  kith invite --contact romeo@example.org

${EXIT_HELP}

Environment variables replace single values of the configuration:
${VARIABLES.map(({ name, key }) => `  ${name.padEnd(30)}${key}`).join("\n")}`,
    );
  program
    .command("start")
    .description("start the server; one line of JSON on standard output says when it accepts streams")
    .addOption(CONFIG_OPTION())
    .addHelpText(
      "after",
      `
Signals:
  SIGTERM, SIGINT   close every stream and end; once more: end at once
  SIGHUP            read certificates and configuration again

Examples:
  kith start
  KITH_LOG_LEVEL=debug kith start --config kith.config.ts`,
    )
    .action(() => start(running));
  program
    .command("check")
    .description("check the configuration and say everything that is wrong with it")
    .addOption(CONFIG_OPTION())
    .addHelpText("after", "\nExamples:\n  kith check --config /etc/kith/kith.config.ts")
    .action(() => check(running));
  program.addCommand(userCommand(running)).addCommand(inviteCommand(running));
  addServerCommands(program, running);
  return program;
};

const addServerCommands = (program: Command, running: Running): void => {
  program
    .command("status")
    .description("say what a running server does")
    .addOption(CONFIG_OPTION())
    .addHelpText("after", "\nExamples:\n  kith status")
    .action(() =>
      running.ask(async (operator, io) => {
        line(io.out, JSON.stringify(await operator.run("status", {}), undefined, 2));
        return EXIT.ok;
      }),
    );
  program
    .command("reload")
    .description("have a running server read certificates and configuration again")
    .addOption(CONFIG_OPTION())
    .addHelpText("after", "\nExamples:\n  kith reload")
    .action(() =>
      running.ask(async (operator, io) => {
        const outcome = await operator.run("reload", {});
        for (const sentence of reloaded(outcome)) line(io.err, sentence);
        return outcome.certificates.problems.length === 0 ? EXIT.ok : EXIT.failure;
      }),
    );
};

const reloaded = ({ changed, atNextStart, certificates }: Results["reload"]): readonly string[] => {
  const { replaced, problems } = certificates;
  const news = [
    ...(changed.length > 0 ? [`Changed: ${changed.join(", ")}.`] : []),
    ...(replaced.length > 0 ? [`New certificates: ${replaced.join(", ")}.`] : []),
    ...(atNextStart.length > 0 ? [`At the next start: ${atNextStart.join(", ")}.`] : []),
    ...problems.map((problem) => `The certificate in use stays: ${problem}.`),
  ];
  return changed.length + replaced.length + problems.length === 0 ? ["Nothing has changed.", ...news] : news;
};

const forEach = (command: Command, action: (command: Command) => void): void => {
  action(command);
  for (const child of command.commands) forEach(child, action);
};
