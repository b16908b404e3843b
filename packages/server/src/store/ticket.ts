import type { Ticket } from "./store.ts";

type Listener = (committed: boolean) => void;

/** The ticket of one unit. Whoever commits the unit settles it. */
export class CommitTicket implements Ticket {
  state: Ticket["state"] = "open";
  // Nearly every ticket has exactly one listener, and there are as many tickets as stored stanzas: no array for one.
  #first: Listener | undefined;
  #others: Listener[] | undefined;

  onSettled(listener: Listener): void {
    if (this.state !== "open") listener(this.state === "committed");
    else if (this.#first === undefined) this.#first = listener;
    else if (this.#others === undefined) this.#others = [listener];
    else this.#others.push(listener);
  }

  /** Tells every listener, whatever the others do. What one throws goes to `onDefect`. */
  settle(committed: boolean, onDefect: (error: unknown) => void): void {
    if (this.state !== "open") return;
    this.state = committed ? "committed" : "failed";
    const first = this.#first;
    const others = this.#others;
    this.#first = undefined;
    this.#others = undefined;
    if (first !== undefined) tell(first, committed, onDefect);
    if (others !== undefined) for (const listener of others) tell(listener, committed, onDefect);
  }
}

const tell = (listener: Listener, committed: boolean, onDefect: (error: unknown) => void): void => {
  try {
    listener(committed);
  } catch (error) {
    onDefect(error);
  }
};
