import {
  andThen,
  type DomainJid,
  type Eventually,
  type Jid,
  type PresenceType,
  parseRaw,
  readStanza,
  type Stanza,
  writeStanza,
} from "@kith/protocol";
import type { Spool, Store } from "../store/store.ts";
import type { Turn } from "./turn.ts";

/** How many stanzas wait for one domain. */
const MOST = 10_000;

/** What a domain that comes back has to know, or it goes on believing what is true no longer (RFC 6121 §3.3, §4.5, §4.6). */
const LASTING: ReadonlySet<string> = new Set([
  "unavailable",
  "unsubscribe",
  "unsubscribed",
] satisfies readonly PresenceType[]);

/** Does this wait for a domain that is served, but by nobody now? Anything else is refused, so that its sender knows. */
export const waitsForDomain = ({ kind, type }: Stanza): boolean => kind === "presence" && LASTING.has(type);

/** Keeps a stanza until its domain is there again. */
export const keepForDomain = (turn: Turn, spool: Spool, stanza: Stanza, now: number): Eventually<void> => {
  const target = { domain: (stanza.to as Jid).domain };
  return andThen(spool.count(target), (count) => {
    if (count < MOST) turn.write(spool.keep(target, writeStanza(stanza), now).write);
  });
};

/** Hands over what was kept for a domain that has just come. */
export const deliverKept = (store: Store, domain: DomainJid, receive: (stanza: Stanza) => void): Eventually<void> =>
  andThen(store.spool.pending({ domain }), (kept) => {
    if (kept.length === 0) return;
    for (const { stanza } of kept) receive(readStanza(parseRaw(stanza)));
    const unit = store.begin();
    unit.add(
      store.spool.settle(
        { domain },
        kept.map(({ row }) => row),
      ),
    );
    unit.commit();
  });
