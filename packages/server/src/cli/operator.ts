/** Has operations carried out: by the server if it runs, else on its store, with the same code. */
import { setTimeout as pause } from "node:timers/promises";
import type { Config } from "../config.ts";
import { connectControl } from "../control/control-client.ts";
import { OperationError, type Operator, operate } from "../control/operations.ts";
import { createLog } from "../log.ts";
import type { Io } from "./io.ts";
import { isDirectoryInUse, type ServerParts } from "./server.ts";

/** A server that starts or stops holds the directory for a moment without answering. */
const ATTEMPTS = 10;
const BETWEEN = 300;

/** Rejects with OperationError where the data is in use and nobody answers. */
export const openOperator = async (config: Config, io: Io, server: ServerParts): Promise<Operator> => {
  for (let attempt = 1; ; attempt++) {
    const running = await connectControl(config.storage.directory);
    if (running !== undefined) return running;
    try {
      return await onStore(config, io, server);
    } catch (error) {
      if (!isDirectoryInUse(error)) throw error;
      if (attempt === ATTEMPTS) throw new OperationError(`${error.message}, and it does not answer`);
      await pause(BETWEEN);
    }
  }
};

const onStore = async (config: Config, io: Io, server: ServerParts): Promise<Operator> => {
  // Nobody reads this log as it comes; what goes wrong is said by the command.
  const log = createLog({
    level: config.log.level === "silent" ? "silent" : "warn",
    format: config.log.format,
    target: io.err,
  });
  const store = await server.openStore(config, log);
  try {
    const app = await server.createApp(config, store, log);
    return {
      run: (name, request) => operate(name, request, { config, store, app }),
      close: async () => {
        await app.stop();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
};
