import type { OwnedChange } from "./change.ts";
import type { RowId, StoredStanza, Target } from "./store.ts";

/** What open units change of what is pending for one target. */
export class SpoolChanges {
  /** Nothing that was on disk before counts any more. */
  isWiped = false;
  readonly settled = new Set<RowId>();
  readonly kept = new Map<RowId, StoredStanza>();

  /** `undefined` where they say nothing of this target. */
  static of(target: Target, changes: readonly OwnedChange[]): SpoolChanges | undefined {
    let spool: SpoolChanges | undefined;
    for (const change of changes) {
      if (!isAbout(change, target)) continue;
      spool ??= new SpoolChanges();
      spool.#make(change);
    }
    return spool;
  }

  #make(change: SpoolChange): void {
    if (change.op === "removeAccount") {
      this.isWiped = true;
      this.settled.clear();
      this.kept.clear();
    } else if (change.op === "spool") {
      this.kept.set(change.stored.row, change.stored);
    } else {
      for (const row of change.rows) {
        this.kept.delete(row);
        this.settled.add(row);
      }
    }
  }

  /** What is stored, after row `after`, with these changes made. The disk may hold some of them already. */
  laidOver(stored: readonly StoredStanza[], after: RowId): readonly StoredStanza[] {
    const { settled, kept } = this;
    const rows = this.isWiped ? [] : stored.filter(({ row }) => !settled.has(row) && !kept.has(row));
    for (const row of kept.values()) if (row.row > after) rows.push(row);
    return rows.sort((a, b) => a.row - b.row);
  }
}

type SpoolChange = OwnedChange & { readonly op: "spool" | "settle" | "removeAccount" };

/** `changes` are those of one owner, so that only the kind of the target is left to tell apart. */
const isAbout = (change: OwnedChange, target: Target): change is SpoolChange => {
  if (change.op === "removeAccount") return "account" in target;
  return (change.op === "spool" || change.op === "settle") && "account" in change.target === "account" in target;
};
