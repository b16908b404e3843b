/** The thread that reads archives, on a connection of its own: nobody who commits waits for it, and it waits for nobody. */
import { parentPort, workerData } from "node:worker_threads";
import { ArchiveReader, loadStanzaReading } from "./archive-reader.ts";
import type { ArchiveQuestion, FromArchiveReader, ToArchiveReader } from "./archive-reader-thread.ts";
import { openForReading } from "./sqlite-connection.ts";

const database = openForReading((workerData as { readonly file: string }).file);
const reader = new ArchiveReader(database);

const read = (question: ArchiveQuestion): unknown => {
  switch (question.ask) {
    case "page":
      return reader.page(question.query, question.undigested);
    case "bounds":
      return reader.bounds(question.owner, question.undigested);
    case "findById":
      return reader.findById(question.question, question.undigested);
    case "traces":
      return reader.traces(question.account, question.after, question.undigested);
  }
};

const answer = ({ number, question }: Exclude<ToArchiveReader, "close">): FromArchiveReader => {
  try {
    return { number, answer: read(question) };
  } catch (error) {
    return { number, reason: error instanceof Error ? error.message : String(error) };
  }
};

const needsReading = (question: ArchiveQuestion): boolean =>
  question.ask === "findById" || (question.ask === "page" && question.query.text !== undefined);

let isClosing = false;
let open = 0;

const closeIfDone = (): void => {
  if (!isClosing || open > 0) return;
  database.close();
  parentPort?.close();
};

parentPort?.on("message", async (message: ToArchiveReader) => {
  if (message === "close") {
    isClosing = true;
    return closeIfDone();
  }
  open++;
  if (needsReading(message.question)) reader.reading ??= await loadStanzaReading();
  parentPort?.postMessage(answer(message));
  open--;
  closeIfDone();
});
