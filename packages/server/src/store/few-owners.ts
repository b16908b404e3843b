/**
 * Who may have something in a collection in which nearly everybody has nothing. Always all who have, and perhaps some who
 * have no longer. Until the disk has said who they are, anybody may.
 */
export class FewOwners {
  readonly #names = new Set<string>();
  #isComplete = false;

  /** @param onDisk everybody who has something there */
  constructor(onDisk: Promise<readonly string[]>) {
    onDisk.then(
      (names) => {
        for (const name of names) this.#names.add(name);
        this.#isComplete = true;
      },
      () => {
        // It goes on without: the store has been closed, or tells its trouble to whoever reads next.
      },
    );
  }

  /** It is getting something. */
  add(name: string): void {
    this.#names.add(name);
  }

  /** Certainly has nothing. */
  lacks(name: string): boolean {
    return this.#isComplete && (this.#names.size === 0 || !this.#names.has(name));
  }
}
