import type { BareJid } from "@kith/protocol";
import type { Session } from "../session/session.ts";

/** How many are remembered. */
const MOST = 10_000;

/** How far streams had come that can be resumed no longer (XEP-0198 §5: `h` in `<failed/>`). The oldest are forgotten first. */
export class EndedStreams {
  readonly #handled = new Map<string, number>();

  add({ jid, manager, resumable }: Session): void {
    if (manager === undefined || resumable === undefined) return;
    if (this.#handled.size >= MOST) this.#handled.delete(this.#handled.keys().next().value ?? "");
    this.#handled.set(keyOf(jid.bare, resumable.id), manager.h);
  }

  h(account: BareJid, id: string): number | undefined {
    return this.#handled.get(keyOf(account, id));
  }
}

const keyOf = (account: BareJid, id: string): string => `${account} ${id}`;
