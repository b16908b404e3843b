import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ARCHIVED, SEARCHABLE } from "./kept-message.ts";
import { rows } from "./sqlite-reader.ts";
import type { MessageTable } from "./sqlite-schema.ts";
import type { RowId } from "./store.ts";

/** What was to be done needs `loadTexts` first. */
export class TextsNotLoaded extends Error {
  constructor() {
    super("texts cannot be read yet");
  }
}

/**
 * What reads texts out of stanzas is loaded when there are texts: it takes longer than all the rest of opening a store.
 */
export const loadTexts = async (): Promise<void> => {
  ({ searchTextOf } = await import("./message-words.ts"));
};
export const areTextsLoaded = (): boolean => searchTextOf !== undefined;
let searchTextOf: ((stanza: Uint8Array) => string) | undefined;

type Columns = Pick<MessageTable, "row" | "sender" | "recipient" | "stanza">;

/** The index of texts: which rows hold a word, and whose they are. The texts themselves are read out of the stanzas. */
export class MessageTexts {
  readonly #rows: StatementSync;
  readonly #row: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;

  constructor(database: DatabaseSync) {
    const columns = "select row, sender, recipient, stanza from message";
    const isIndexed = `flags & ${SEARCHABLE} != 0 and flags & ${ARCHIVED} != 0`;
    this.#rows = database.prepare(`${columns} where row > ? and row <= ? and ${isIndexed}`);
    this.#row = database.prepare(
      `${columns} where row = ? and ${isIndexed} and row <= (select row from message_mark where name = 'searchable')`,
    );
    this.#put = database.prepare("insert into message_text (rowid, owners, words) values (?, ?, ?)");
    // To forget a text its words have to be told once more, as they were.
    this.#delete = database.prepare(
      "insert into message_text (message_text, rowid, owners, words) values ('delete', ?, ?, ?)",
    );
  }

  index(after: RowId, through: RowId): void {
    for (const message of rows<Columns>(this.#rows, after, through)) run(this.#put, message);
  }

  /** Before the message changes, or ceases to be in any archive. */
  forget(row: RowId): void {
    for (const message of rows<Columns>(this.#row, row)) run(this.#delete, message);
  }
}

const run = (statement: StatementSync, { row, sender, recipient, stanza }: Columns): void => {
  if (searchTextOf === undefined) throw new TextsNotLoaded();
  statement.run(row, `${ownerWord(sender ?? "")} ${ownerWord(recipient ?? "")}`, searchTextOf(stanza));
};

/**
 * An address as one word, and a short one. Two may share a word: whoever searches looks at whose a message is as well. The index on
 * disk is made of these words, so that this must stay as it is.
 */
export const ownerWord = (owner: string): string => {
  if (owner === "") return "";
  let [a, b] = [0x9e3779b9, 0x85ebca6b];
  for (let at = 0; at < owner.length; at++) {
    const code = owner.charCodeAt(at);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0xcc9e2d51) + a;
  }
  return `o${(a >>> 0).toString(36)}${(b >>> 0).toString(36)}`;
};
