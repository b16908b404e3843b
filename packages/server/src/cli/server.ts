/** What the commands need of the rest of the server; `main.ts` hands it in. */

import type { AccountService } from "../accounts.ts";
import type { Config } from "../config.ts";
import type { Operated } from "../control/operations.ts";
import type { CertificateNews } from "../listen/certificates.ts";
import type { ServerLog } from "../log.ts";
import type { Store } from "../store/store.ts";

export interface Listening {
  readonly kind: string;
  readonly address: string;
  readonly port: number;
}

/** A server that is put together; it accepts streams once it listens. */
export interface ServerApp {
  readonly accounts: AccountService;
  readonly invitations: Operated["app"]["invitations"];
  perform: Operated["app"]["perform"];
  removeAccount: Operated["app"]["removeAccount"];
  listen(): Promise<readonly Listening[]>;
  /** Reads certificates again. */
  reload(): Promise<CertificateNews>;
  readonly streams: number;
  /** Deadlines that are being waited for. */
  readonly timers: number;
  /** Closes every stream, stops the modules. The store stays open. */
  stop(): Promise<void>;
}

export interface ServerParts {
  readonly version: string;
  /** Rejects with an error whose name is "DirectoryInUse" where another process has the directory open. */
  openStore(config: Config, log: ServerLog): Promise<Store>;
  createApp(config: Config, store: Store, log: ServerLog): Promise<ServerApp>;
}

export const isDirectoryInUse = (error: unknown): error is Error =>
  error instanceof Error && error.name === "DirectoryInUse";
