import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Bytes } from "@kith/protocol";
import { randomToken } from "./crypto.ts";
import type { MessageSide } from "./store/messages.ts";
import type { RowId, Store } from "./store/store.ts";

/** The place of a message in one of the two archives that may have it. */
export interface ArchivePlace {
  readonly row: RowId;
  readonly side: MessageSide;
}

const KEY_OCTETS = 16;
/** Of AES, and of an id before it is written as text. */
const BLOCK = 16;
/** How many ids are made with one call of the cipher. */
const BATCH = 256;
const BASE64URL = /^[A-Za-z0-9_-]{22}$/;
const SIDE_AT = 8;
const SIDES = { sent: 1, received: 2 } as const satisfies Record<MessageSide, number>;

/**
 * The ids that archives give to messages (XEP-0359): the row and the side it is seen from, encrypted with the server's own key. So an id
 * is unique, says nothing to whoever sees it, cannot be guessed, and leads back to its row without an index.
 */
export class StanzaIds {
  readonly #key: Uint8Array;
  readonly #sides: Readonly<Record<MessageSide, Batch>>;

  /** @param key 16 octets that nobody else knows, and that stay the same for good: ids are kept by clients. */
  constructor(key: Uint8Array) {
    this.#key = key;
    // In this mode a block is encrypted whatever came before it, so that one cipher serves for good.
    const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
    const encrypt = (blocks: Buffer): Buffer => cipher.update(blocks);
    this.#sides = { sent: new Batch(SIDES.sent, encrypt), received: new Batch(SIDES.received, encrypt) };
  }

  /** With the key that is kept in the store, made when there is none. Rejects where it cannot be kept. */
  static async open(store: Pick<Store, "collection" | "begin">): Promise<StanzaIds> {
    const keys = store.collection<string>("stanza-id-keys");
    const kept = await keys.get("", "key");
    if (kept !== undefined) return new StanzaIds(Buffer.from(kept, "base64url"));
    const key = randomToken(KEY_OCTETS);
    const unit = store.begin();
    unit.add(keys.put("", "key", key));
    const { promise, resolve } = Promise.withResolvers<boolean>();
    unit.commit().onSettled(resolve);
    if (!(await promise)) throw new Error("the key of stanza-ids could not be stored");
    return new StanzaIds(Buffer.from(key, "base64url"));
  }

  /** The id of a message in an archive: 22 characters that need no escaping anywhere. */
  idOf(row: RowId, side: MessageSide): Bytes {
    return (side === "sent" ? this.#sides.sent : this.#sides.received).idOf(row) as Bytes;
  }

  /** The place that an id stands for; `undefined` for anything that is none of ours. */
  rowOf(id: string): ArchivePlace | undefined {
    if (!BASE64URL.test(id)) return undefined;
    const encrypted = Buffer.from(id, "base64url");
    // The last character has bits to spare; written another way it is not the id that was given.
    if (encrypted.toString("base64url") !== id) return undefined;
    const block = createDecipheriv("aes-128-ecb", this.#key, null).setAutoPadding(false).update(encrypted);
    const row = block.readUInt32BE(0) * 2 ** 32 + block.readUInt32BE(4);
    const side = block[SIDE_AT] === SIDES.sent ? "sent" : "received";
    return row <= Number.MAX_SAFE_INTEGER && writeBlock(Buffer.alloc(BLOCK), 0, row, SIDES[side]).equals(block)
      ? { row, side }
      : undefined;
  }
}

/** Row (8 octets), side, and zeros, by which a block that was never encrypted here gives itself away. */
const writeBlock = (blocks: Buffer, at: number, row: RowId, side: number): Buffer => {
  blocks.writeUInt32BE(Math.floor(row / 2 ** 32), at);
  blocks.writeUInt32BE(row % 2 ** 32, at + 4);
  blocks[at + SIDE_AT] = side;
  return blocks;
};

/** Ids of one side, made many at a time: they are nearly always asked for in the order of rows. */
class Batch {
  readonly #side: number;
  readonly #encrypt: (blocks: Buffer) => Buffer;
  readonly #plain = Buffer.alloc(BATCH * BLOCK);
  #encrypted: Buffer = Buffer.alloc(0);
  /** The first row of the batch; there is none yet. */
  #first = -BATCH;

  constructor(side: number, encrypt: (blocks: Buffer) => Buffer) {
    this.#side = side;
    this.#encrypt = encrypt;
  }

  idOf(row: RowId): string {
    const at = row - this.#first;
    if (at >= 0 && at < BATCH) return textOf(this.#encrypted, at);
    // What was stored long ago is asked for here and there; the batch stays with what is new.
    if (at < 0) return textOf(this.#encrypt(writeBlock(Buffer.alloc(BLOCK), 0, row, this.#side)), 0);
    this.#fill(row);
    return textOf(this.#encrypted, 0);
  }

  #fill(first: RowId): void {
    for (let at = 0; at < BATCH; at++) writeBlock(this.#plain, at * BLOCK, first + at, this.#side);
    this.#encrypted = this.#encrypt(this.#plain);
    this.#first = first;
  }
}

const textOf = (blocks: Buffer, at: number): string => blocks.toString("base64url", at * BLOCK, at * BLOCK + BLOCK);
