/** What the main thread and the writer's thread say to each other. */
import type { BareJid, DomainJid } from "@kith/protocol";
import type { Digest, Expired, ExpiryPlace } from "./message-disk.ts";
import type { Expiry } from "./messages.ts";
import type { PackedUnits } from "./packed-message.ts";
import type { Synchronous } from "./sqlite-connection.ts";
import type { FailedUnit } from "./sqlite-writer.ts";
import type { RowId, StoredStanza, Target } from "./store.ts";

/** Handed to the thread when it starts. */
export interface WriterData {
  readonly file: string;
  readonly synchronous: Synchronous;
  /** It takes the place of one that ended: its digests are told again. */
  readonly isReplacement: boolean;
}

export type Question =
  | { readonly ask: "owners"; readonly collection: string }
  | { readonly ask: "accounts"; readonly domain: DomainJid | undefined }
  | { readonly ask: "spooled"; readonly target: Target; readonly after: RowId }
  | { readonly ask: "digest"; readonly digest: Digest }
  | { readonly ask: "expire"; readonly expiry: Expiry; readonly from: ExpiryPlace | undefined };
export interface Answers {
  readonly owners: readonly string[];
  readonly accounts: readonly BareJid[];
  readonly spooled: readonly StoredStanza[];
  readonly digest: Digested;
  readonly expire: Expired;
}
export interface Digested {
  readonly searchableThrough: RowId;
}
export type AnswerTo<Q extends Question> = Answers[Q["ask"]];

export type ToWriter =
  | { readonly say: "commit"; readonly units: PackedUnits }
  | { readonly say: "answer"; readonly number: number; readonly question: Question }
  | { readonly say: "close" };

export type FromWriter =
  /** The database is open, in the way it answers itself. */
  | { readonly say: "ready"; readonly journalMode: unknown; readonly synchronous: unknown }
  /** So many units, the oldest that have not been settled, are on disk, but for those that failed. */
  | { readonly say: "settled"; readonly units: number; readonly failed: readonly FailedUnit[] }
  /** So far messages can be found by their text. */
  | { readonly say: "searchable"; readonly through: RowId }
  /** Work in the background did not succeed; it will be tried again. */
  | { readonly say: "failed"; readonly reason: string }
  | { readonly say: "answered"; readonly number: number; readonly answer: Answers[keyof Answers] }
  | { readonly say: "refused"; readonly number: number; readonly reason: string };
