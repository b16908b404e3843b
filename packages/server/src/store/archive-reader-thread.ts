import { Worker } from "node:worker_threads";
import type { BareJid } from "@kith/protocol";
import type { IdQuestion } from "./message-disk.ts";
import type {
  ArchiveBounds,
  ArchiveOwner,
  ArchivePage,
  ArchiveQuery,
  MessageTraces,
  StoredMessage,
} from "./messages.ts";
import type { RowId } from "./store.ts";
import type { StoreLog } from "./writer-thread.ts";

interface Undigested {
  readonly undigested: readonly RowId[];
}
export type ArchiveQuestion = Undigested &
  (
    | { readonly ask: "page"; readonly query: ArchiveQuery }
    | { readonly ask: "bounds"; readonly owner: ArchiveOwner }
    | { readonly ask: "findById"; readonly question: IdQuestion }
    | { readonly ask: "traces"; readonly account: BareJid; readonly after: RowId }
  );
interface Answers {
  readonly page: ArchivePage;
  readonly bounds: ArchiveBounds | undefined;
  readonly findById: StoredMessage | undefined;
  readonly traces: readonly MessageTraces[];
}

export type ToArchiveReader = { readonly number: number; readonly question: ArchiveQuestion } | "close";
export type FromArchiveReader =
  | { readonly number: number; readonly answer: unknown }
  | { readonly number: number; readonly reason: string };

/** Run from source or built, the script lies beside this file and ends as it does. */
const SCRIPT = new URL(
  `./archive-reader-worker${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`,
  import.meta.url,
);

interface Asked {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

/** The main thread's end of the thread that reads archives. It is started with the first question. */
export class ArchiveReaderThread {
  readonly #file: string;
  readonly #log: StoreLog;
  readonly #asked = new Map<number, Asked>();
  #worker: Worker | undefined;
  #questions = 0;
  #isClosing = false;

  constructor(file: string, log: StoreLog) {
    this.#file = file;
    this.#log = log;
  }

  ask<Q extends ArchiveQuestion>(question: Q): Promise<Answers[Q["ask"]]> {
    const number = ++this.#questions;
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      this.#asked.set(number, { resolve, reject });
      worker.postMessage({ number, question } satisfies ToArchiveReader);
    });
  }

  /** After everything asked so far. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#isClosing = true;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    worker.postMessage("close" satisfies ToArchiveReader);
    await ended;
  }

  #start(): Worker {
    const worker = new Worker(SCRIPT, { workerData: { file: this.#file }, name: "kith-archives" });
    worker.unref();
    worker.on("message", (message: FromArchiveReader) => {
      const asked = this.#asked.get(message.number);
      this.#asked.delete(message.number);
      if ("reason" in message) asked?.reject(new Error(message.reason));
      else asked?.resolve(message.answer as never);
    });
    worker.on("error", (error) => this.#log.error({ err: error }, "reading archives failed"));
    worker.on("exit", () => this.#ended(worker));
    return worker;
  }

  /** The next question starts another thread; those that were open may be what ended this one. */
  #ended(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined;
    if (!this.#isClosing) this.#log.warn({ open: this.#asked.size }, "the thread that reads archives has ended");
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { reject } of asked) reject(new Error("the thread that reads archives has ended"));
  }
}
