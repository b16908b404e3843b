import type { BareJid, DomainJid } from "@kith/protocol";
import type { Kept } from "./kept-message.ts";
import type { RowId, Target, Write } from "./store.ts";

/** A `Write` as it is carried out: values are JSON text, so that nothing is shared with whoever made them. */
export type Change = OwnedChange | MessageChange;
/** What is about what one owner keeps. */
export type OwnedChange =
  | Exclude<Write, { readonly op: "put" | "removeAccount" | MessageWrite["op"] }>
  | PutChange
  | RemoveAccount;
/** What is about stored messages. */
export type MessageChange = MessageWrite | Kept;
export type MessageWrite = Write & { readonly op: "delivered" | "forget" | "forgetKey" | "replace" };

export interface RemoveAccount {
  readonly op: "removeAccount";
  readonly jid: BareJid;
  readonly at: number | undefined;
  /** Of the account's messages these go: up to the last before the unit it is in. Known when the unit is numbered. */
  through: RowId;
}
export interface PutChange {
  readonly op: "put";
  readonly collection: string;
  readonly owner: string;
  readonly key: string;
  readonly json: string;
}

/**
 * Throws TypeError where the value of a put is not JSON data, and where an owner or key has half a surrogate pair: the
 * disk stores UTF-8, in which such halves are all the same.
 */
export const changeOf = (write: OwnedWrite): OwnedChange => {
  if (write.op === "put" || write.op === "delete") wellFormed(write.key);
  if ("owner" in write) wellFormed(write.owner);
  if (write.op === "removeAccount") return { ...write, through: Number.POSITIVE_INFINITY };
  if (write.op !== "put") return { ...write };
  const { collection, owner, key, value } = write;
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) throw new TypeError(`"${collection}": what is put is not JSON data`);
  return { op: "put", collection, owner, key, json };
};

export type OwnedWrite = Exclude<Write, MessageWrite>;
export const isAboutMessages = (write: { readonly op: string }): write is MessageWrite =>
  write.op === "delivered" || write.op === "forget" || write.op === "forgetKey" || write.op === "replace";

const wellFormed = (name: string): void => {
  if (!name.isWellFormed()) throw new TypeError("an owner or key is not well-formed text");
};

/** Whose reads a change affects. */
export const ownerOf = (change: OwnedChange): string => {
  switch (change.op) {
    case "put":
    case "delete":
    case "clear":
      return change.owner;
    case "account":
      return change.account.jid;
    case "removeAccount":
      return change.jid;
    case "spool":
    case "settle":
      return targetName(change.target);
  }
};

export type TargetKind = "account" | "domain";
export const targetKind = (target: Target): TargetKind => ("account" in target ? "account" : "domain");
export const targetName = (target: Target): BareJid | DomainJid =>
  "account" in target ? target.account : target.domain;

/** The domain an account lives at. */
export const domainOf = (jid: BareJid): string => jid.slice(jid.indexOf("@") + 1);
