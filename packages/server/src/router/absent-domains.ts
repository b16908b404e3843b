import {
  andThen,
  type DomainJid,
  type Eventually,
  type Jid,
  type PresenceType,
  parseRaw,
  readStanza,
  type Stanza,
  together,
  withChildren,
  writeStanza,
} from "@kith/protocol";
import type { Spool, Store } from "../store/store.ts";
import type { Turn } from "./turn.ts";

/** How many stanzas wait for one domain, and how many bytes unless something else is said: it gets all of them in one go. */
const MOST = 10_000;
export const MOST_BYTES_FOR_ABSENT = 2_097_152;
/** Of a longer one only the envelope is kept, which is what counts. */
const MOST_BYTES_EACH = 1_024;

/** What a domain that comes back has to know, or it goes on believing what is true no longer (RFC 6121 §3.3, §4.5, §4.6). */
const LASTING: ReadonlySet<string> = new Set([
  "unavailable",
  "unsubscribe",
  "unsubscribed",
] satisfies readonly PresenceType[]);

/** Does this wait for a domain that is served, but by nobody now? Anything else is refused, so that its sender knows. */
export const waitsForDomain = ({ kind, type }: Stanza): boolean => kind === "presence" && LASTING.has(type);

/** Keeps a stanza until its domain is there again, unless that would be too much. */
export const keepForDomain = (
  turn: Turn,
  spool: Spool,
  stanza: Stanza,
  { now, mostBytes }: { readonly now: number; readonly mostBytes: number },
): Eventually<void> => {
  const target = { domain: (stanza.to as Jid).domain };
  const kept = writeStanza(stanza.payload.length <= MOST_BYTES_EACH ? stanza : withChildren(stanza, []));
  return andThen(together(spool.count(target), spool.bytes(target)), ([count, bytes]) => {
    if (count < MOST && bytes + kept.length <= mostBytes) turn.write(spool.keep(target, kept, now).write);
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
