import type { BareJid, DomainJid } from "@kith/protocol";
import type { Target, Write } from "./store.ts";

/** A `Write` as it is carried out: values are JSON text, so that nothing is shared with whoever made them. */
export type Change = Exclude<Write, { readonly op: "put" }> | PutChange;
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
export const changeOf = (write: Write): Change => {
  if (write.op === "put" || write.op === "delete") wellFormed(write.key);
  if ("owner" in write) wellFormed(write.owner);
  if (write.op !== "put") return { ...write };
  const { collection, owner, key, value } = write;
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) throw new TypeError(`"${collection}": what is put is not JSON data`);
  return { op: "put", collection, owner, key, json };
};

const wellFormed = (name: string): void => {
  if (!name.isWellFormed()) throw new TypeError("an owner or key is not well-formed text");
};

/** Whose reads a change affects. */
export const ownerOf = (change: Change): string => {
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
