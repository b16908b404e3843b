/** One run of the command: what is shared by all subcommands. */
import { Option } from "commander";
import { type Config, loadConfig } from "../config.ts";
import { connectControl } from "../control/control-client.ts";
import { OperationError, type Operator } from "../control/operations.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { openOperator } from "./operator.ts";
import type { ServerParts } from "./server.ts";

export const CONFIG_OPTION = (): Option =>
  new Option("-c, --config <file>", 'the configuration; without it "kith.config.ts" where there is one').env(
    "KITH_CONFIG",
  );

/** Thrown out of commander with the code to end with. */
export interface Running {
  readonly io: Io;
  readonly server: ServerParts;
  /** Reads the configuration that the command was given. Rejects with ConfigError. */
  config(): Promise<Config>;
  /** Runs what needs accounts and invitations; sets the exit code. */
  operate(action: (operator: Operator, io: Io) => Promise<ExitCode>): Promise<void>;
  /** The same, of a server that runs. */
  ask(action: (operator: Operator, io: Io) => Promise<ExitCode>): Promise<void>;
  /** Sets the exit code. */
  ends(code: ExitCode): void;
}

export interface Run extends Running {
  readonly code: ExitCode | undefined;
}

/** `file`: gives the configuration that was asked for, once options are parsed. */
export const createRun = (io: Io, server: ServerParts, file: () => string | undefined): Run => {
  let code: ExitCode | undefined;
  const config = (): Promise<Config> =>
    loadConfig({ file: file(), directory: io.directory, environment: io.environment });
  const carryOut = async (operator: Operator, action: Parameters<Running["operate"]>[0]): Promise<void> => {
    try {
      code = await action(operator, io);
    } finally {
      await operator.close();
    }
  };
  return {
    io,
    server,
    config,
    operate: async (action) => carryOut(await openOperator(await config(), io, server), action),
    ask: async (action) => {
      const operator = await connectControl((await config()).storage.directory);
      if (operator === undefined) throw new OperationError("the server is not running");
      await carryOut(operator, action);
    },
    ends: (ended) => {
      code = ended;
    },
    get code() {
      return code;
    },
  };
};
