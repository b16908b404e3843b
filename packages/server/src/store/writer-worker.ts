/**
 * The thread that owns the writing connection. Everything that arrives while a commit runs goes into the next one.
 * What is asked is answered between commits, so that answers and outcomes reach the main thread in the order in which
 * they became true. What nobody waits for is done in small steps after that.
 */
import { parentPort, workerData } from "node:worker_threads";
import { MessageDigester } from "./message-digester.ts";
import { MessageRemover } from "./message-remover.ts";
import { areTextsLoaded, loadTexts, TextsNotLoaded } from "./message-texts.ts";
import { unpackUnits } from "./packed-message.ts";
import { openForWriting, pragma } from "./sqlite-connection.ts";
import { SqliteReader } from "./sqlite-reader.ts";
import { SqliteWriter, type UnitChanges } from "./sqlite-writer.ts";
import type { Answers, FromWriter, Question, ToWriter, WriterData } from "./writer-messages.ts";

/** At most so many messages are worked on in a row while nobody waits for it. */
const STEP = 500;
/** And so many made searchable: fewer at a time make an index of many small pieces. */
const TEXTS = 1_000;
/** How long background work waits after it failed, in milliseconds. */
const PAUSE = 10_000;

const { file, synchronous, isReplacement } = workerData as WriterData;
const database = openForWriting(file, synchronous);
const writer = new SqliteWriter(database);
const reader = new SqliteReader(database);
const digester = new MessageDigester(database);
const remover = new MessageRemover(database);
if (!isReplacement) digester.catchUp();

let units: UnitChanges[] = [];
let questions: (ToWriter & { readonly say: "answer" })[] = [];
let isClosing = false;
let isScheduled = false;
let isInBackground = false;

const say = (message: FromWriter): void => parentPort?.postMessage(message);

/** Later in this turn of the loop, when all that has arrived has been taken in. */
const schedule = (): void => {
  if (!isScheduled) setImmediate(work);
  isScheduled = true;
};

const work = (): void => {
  isScheduled = false;
  if (!areTextsLoaded() && needTexts()) return void loadTexts().then(schedule);
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

/** To forget what a message says it has to be read. */
const needTexts = (): boolean => units.some((changes) => changes.some(({ op }) => op === "replace"));

const answer = (number: number, question: Question): void => {
  try {
    say({ say: "answered", number, answer: read(question) });
  } catch (error) {
    if (error instanceof TextsNotLoaded) void loadTexts().then(() => answer(number, question));
    else say({ say: "refused", number, reason: reasonOf(error) });
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
    case "digest":
      digester.digest(question.digest);
      continueLater();
      return { searchableThrough: digester.searchable };
    case "expire":
      return remover.expire(question.expiry, question.from);
  }
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const continueLater = (): void => {
  if (isInBackground || !(digester.hasMoreTexts || remover.hasMore)) return;
  isInBackground = true;
  setImmediate(workInBackground);
};

const workInBackground = (): void => {
  isInBackground = false;
  if (!database.isOpen) return;
  try {
    digester.makeSearchable(TEXTS);
    remover.removeSome(STEP);
    say({ say: "searchable", through: digester.searchable });
    continueLater();
  } catch (error) {
    if (error instanceof TextsNotLoaded) void loadTexts().then(continueLater);
    else {
      say({ say: "failed", reason: reasonOf(error) });
      setTimeout(() => database.isOpen && continueLater(), PAUSE).unref();
    }
  }
};

parentPort?.on("message", (message: ToWriter) => {
  if (message.say === "commit") units.push(...unpackUnits(message.units));
  else if (message.say === "answer") questions.push(message);
  else isClosing = true;
  schedule();
});

say({ say: "ready", journalMode: pragma(database, "journal_mode"), synchronous: pragma(database, "synchronous") });
say({ say: "searchable", through: digester.searchable });
continueLater();
