/** A message as an account's archive knows it, and as its sender does. */
export interface Entry {
  /** The id by which the account's archive has it (XEP-0359). */
  readonly stanzaId: string;
  /** The id that its sender gave it. */
  readonly id: string;
}

/**
 * What a device knows of its account's conversations, put together as XEP-0313 §5 means it: a beginning of the archive without a gap,
 * which grows by what comes live, or, after some time away, by what is found in the archive; then what has come live meanwhile follows.
 */
export class History {
  readonly entries: Entry[] = [];
  readonly #known = new Set<string>();
  #cursor: string | undefined;
  /** What has come live while it catches up. */
  #since: Entry[] | undefined;

  /** Everything up to and with this has been seen. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  get isCatchingUp(): boolean {
    return this.#since !== undefined;
  }

  /** Some time was missed: what comes live has no place yet. What came live in an attempt before is to be found in the archive too. */
  beginCatchingUp(): void {
    this.#since = [];
  }

  /** Live, or what was on its way, by itself or as a carbon. */
  shown(entry: Entry): void {
    if (this.#since !== undefined) this.#since.push(entry);
    else if (!this.#known.has(entry.stanzaId)) this.#add(entry);
  }

  /** In the archive, in its order, after the cursor. */
  found(entry: Entry): void {
    if (!this.#known.has(entry.stanzaId)) this.#add(entry);
    this.#cursor = entry.stanzaId;
  }

  caughtUp(): void {
    const since = this.#since ?? [];
    this.#since = undefined;
    for (const entry of since) this.shown(entry);
  }

  #add(entry: Entry): void {
    this.entries.push(entry);
    this.#known.add(entry.stanzaId);
    this.#cursor = entry.stanzaId;
  }
}
