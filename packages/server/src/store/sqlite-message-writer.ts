import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { BareJid } from "@kith/protocol";
import type { MessageWrite } from "./change.ts";
import { SEARCHABLE } from "./kept-message.ts";
import { MessageTexts } from "./message-texts.ts";
import type { PackedMessage } from "./packed-message.ts";
import type { RowId } from "./store.ts";

/** What of a unit's changes is about messages, within the transaction that stores the unit. */
export class SqliteMessageWriter {
  readonly #keep: StatementSync;
  readonly #delivered: StatementSync;
  readonly #forget: StatementSync;
  readonly #forgetKey: StatementSync;
  readonly #replace: StatementSync;
  readonly #texts: MessageTexts;
  readonly #removed: StatementSync;
  readonly #removeWaiting: StatementSync;

  constructor(database: DatabaseSync) {
    this.#keep = database.prepare(
      `insert or replace into message (row, stamp, flags, sender, recipient, from_bare, to_bare, origin_stream,
         origin_number, key, deliveries, stanza) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#delivered = database.prepare(
      `insert or replace into delivery (stream, number, row, kind)
       select ?1, ?2, ?3, ?4 where exists (select 1 from message where row = ?3)`,
    );
    this.#forget = database.prepare("delete from delivery where stream = ? and number <= ?");
    this.#forgetKey = database.prepare("update message set key = null where row = ? and sender = ?");
    this.#replace = database.prepare(`update message set stanza = ?, flags = flags & ~${SEARCHABLE} where row = ?`);
    this.#texts = new MessageTexts(database);
    this.#removed = database.prepare(
      "insert into removed_messages (owner, row) values (?, ?) on conflict do update set row = max(row, excluded.row)",
    );
    this.#removeWaiting = database.prepare("delete from waiting where owner = ? and row <= ?");
  }

  keep(m: PackedMessage): void {
    const stanza = Buffer.from(m.stanza, "latin1");
    this.#keep.run(
      m.row,
      m.stamp,
      m.flags,
      m.sender,
      m.recipient,
      m.from,
      m.to,
      m.stream,
      m.number,
      m.key,
      m.deliveries,
      stanza,
    );
  }

  apply(write: MessageWrite): void {
    switch (write.op) {
      case "delivered": {
        const { stream, number, as } = write.delivery;
        this.#delivered.run(stream, number, write.row, as);
        break;
      }
      case "forget":
        this.#forget.run(write.stream, write.number ?? Number.MAX_SAFE_INTEGER);
        break;
      case "forgetKey":
        this.#forgetKey.run(write.row, write.account);
        break;
      case "replace":
        this.#texts.forget(write.row);
        this.#replace.run(Buffer.from(write.stanza, "latin1"), write.row);
    }
  }

  removeAccount(account: BareJid, through: RowId): void {
    this.#removed.run(account, through);
    this.#removeWaiting.run(account, through);
  }
}
