/**
 * The thread that owns the writing connection. Everything that arrives while a commit runs goes into the next one.
 * What is asked is answered between commits, so that answers and outcomes reach the main thread in the order in which
 * they became true.
 */
import { parentPort, workerData } from "node:worker_threads";
import { openForWriting, pragma } from "./sqlite-connection.ts";
import { SqliteReader } from "./sqlite-reader.ts";
import { SqliteWriter, type UnitChanges } from "./sqlite-writer.ts";
import type { Answers, FromWriter, Question, ToWriter, WriterData } from "./writer-messages.ts";

const { file, synchronous } = workerData as WriterData;
const database = openForWriting(file, synchronous);
const writer = new SqliteWriter(database);
const reader = new SqliteReader(database);

let units: UnitChanges[] = [];
let questions: (ToWriter & { readonly say: "answer" })[] = [];
let isClosing = false;
let isScheduled = false;

const say = (message: FromWriter): void => parentPort?.postMessage(message);

const work = (): void => {
  isScheduled = false;
  const committing = units;
  const answering = questions;
  units = [];
  questions = [];
  if (committing.length > 0) say({ say: "settled", units: committing.length, failed: writer.commit(committing) });
  for (const { number, question } of answering) answer(number, question);
  if (isClosing) {
    database.close();
    parentPort?.close();
  }
};

const answer = (number: number, question: Question): void => {
  try {
    say({ say: "answered", number, answer: read(question) });
  } catch (error) {
    say({ say: "refused", number, reason: error instanceof Error ? error.message : String(error) });
  }
};

const read = (question: Question): Answers[keyof Answers] => {
  switch (question.ask) {
    case "owners":
      return reader.owners(question.collection);
    case "accounts":
      return reader.accounts(question.domain);
    case "spooled":
      return reader.spooled(question.target, question.after);
  }
};

parentPort?.on("message", (message: ToWriter) => {
  if (message.say === "commit") units.push(...message.units);
  else if (message.say === "answer") questions.push(message);
  else isClosing = true;
  // Later in this turn of the loop, when all that has arrived has been taken in.
  if (!isScheduled) setImmediate(work);
  isScheduled = true;
});

say({ say: "ready", journalMode: pragma(database, "journal_mode"), synchronous: pragma(database, "synchronous") });
