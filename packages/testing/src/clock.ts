/** Time that stands still until it is moved. */
export class ManualClock {
  #now: number;
  constructor(start = Date.parse("2031-05-17T09:30:00Z")) {
    this.#now = start;
  }
  readonly now = (): number => this.#now;
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
