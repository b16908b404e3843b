import {
  ARCHIVE_EXTENDED,
  ARCHIVE_GROUPCHAT_AVAILABLE,
  ARCHIVE_GROUPCHAT_FIELD,
  ArchiveFin,
  ArchiveForm,
  ArchiveMetadata,
  ArchiveQuery,
  type ArchiveRequest,
  andThen,
  archiveForm,
  archiveResult,
  type BareJid,
  type Element,
  type Eventually,
  type FullJid,
  type Jid,
  type Message,
  NS_ARCHIVE,
  NS_FULL_TEXT,
  NS_RESULT_SET,
  StanzaError,
  stanzaIdBy,
} from "@kith/protocol";
import {
  type Answer,
  type Context,
  type Effect,
  type Keeping,
  type Module,
  onGet,
  onSet,
  type Request,
} from "../module.ts";
import type { ArchivePage, Messages, StoredMessage } from "../store/messages.ts";
import type { RowId } from "../store/store.ts";
import { type ContentRules, contentOf } from "./xep0313-content.ts";
import { type ArchiveIds, idIn, pageOf, type QueryLimits } from "./xep0313-query.ts";

export interface ArchiveOptions extends Partial<ContentRules & QueryLimits> {
  readonly messages: Pick<Messages, "page" | "find" | "bounds" | "waiting" | "settle">;
  readonly ids: ArchiveIds;
  /** Does the account keep what it exchanges with this address (XEP-0441)? */
  readonly isWanted: (account: BareJid, other: Jid) => Eventually<boolean>;
}

/** XEP-0313: what an account sends and receives is kept, and its clients read it back. */
export const archive = (options: ArchiveOptions): Module => {
  const { messages, ids, isWanted } = options;
  const { groupchat = false, receipts = true, page = 50, maxPage = 250, fullText = false } = options;
  const rules: ContentRules = { groupchat, receipts };
  const limits: QueryLimits = { page: Math.min(page, maxPage), maxPage, fullText };
  const form = archiveForm({ includeGroupchat: true, fullText });
  const rooms = new Reflections();

  /** §5.1: what of a message the account's archive keeps. */
  const keep = (message: Message, account: BareJid, other: Jid): Eventually<Keeping | undefined> => {
    const content = contentOf(message, rules);
    if (content === undefined) return undefined;
    const keeping = fullText && content === "text" ? SEARCHABLE : ARCHIVED;
    return andThen(isWanted(account, other), (wanted) => (wanted ? keeping : undefined));
  };

  return {
    name: "archive",
    xeps: [
      { xep: "XEP-0313", version: "1.1.3" },
      { xep: "XEP-0059", version: "1.0", note: "without pages by index; counts only where nothing else is asked for" },
      ...(fullText ? [{ xep: "XEP-0431", version: "0.2.0" } as const] : []),
    ],
    accountFeatures: featuresOf(rules, fullText),
    sending: {
      // What is said in a room comes back from it, and is kept then.
      archive: (message) =>
        message.type === "groupchat" || message.to === undefined
          ? undefined
          : keep(message, (message.from as Jid).bare, message.to),
    },
    receiving: {
      archive: (message) => {
        const { from, to, type } = message;
        if (from === undefined || to === undefined) return undefined;
        if (type === "groupchat" && groupchat && rooms.hasCome(message, to.bare)) return undefined;
        return keep(message, to.bare, from);
      },
    },
    iq: [
      onSet(ArchiveQuery, ["own-account"], (asked, request, context) =>
        answer({ messages, ids, limits }, asked, request, context),
      ),
      onGet(ArchiveForm, ["own-account"], () => [ArchiveForm.build(form)]),
      onGet(ArchiveMetadata, ["own-account"], async (_, { at }) => [await metadataOf(messages, ids, at.bare)]),
      onSet(ArchiveQuery, ["account"], forbid),
      onGet(ArchiveForm, ["account"], forbid),
      onGet(ArchiveMetadata, ["account"], forbid),
    ],
    // XEP-0386 §4: what the archive has the client gets from there. Both are as of now, so that nothing falls in between.
    boundReport: async (account) => {
      const [metadata] = await Promise.all([metadataOf(messages, ids, account), settleArchived(messages, account)]);
      return metadata;
    },
  };
};

const ARCHIVED: Keeping = { isArchived: true };
const SEARCHABLE: Keeping = { isArchived: true, isSearchable: true };

const featuresOf = ({ groupchat }: ContentRules, fullText: boolean): readonly string[] => [
  NS_ARCHIVE,
  ARCHIVE_EXTENDED,
  ARCHIVE_GROUPCHAT_FIELD,
  NS_RESULT_SET,
  ...(groupchat ? [ARCHIVE_GROUPCHAT_AVAILABLE] : []),
  ...(fullText ? [NS_FULL_TEXT] : []),
];

/** §8.1. */
const forbid = (): never => {
  throw new StanzaError("forbidden");
};

interface Answering {
  readonly messages: ArchiveOptions["messages"];
  readonly ids: ArchiveIds;
  readonly limits: QueryLimits;
}

/** §4, §4.2: the messages of the page, each by itself, and then the result. */
const answer = async (
  { messages, ids, limits }: Answering,
  asked: ArchiveRequest,
  { at, from }: Request,
  { newId }: Context,
): Promise<Answer> => {
  const owner = at.bare;
  const page = await pageOf(messages, ids, owner, asked, limits);
  const waiting = await waitingAmong(messages, owner, page.messages);
  const results = page.messages.map((message): Effect => {
    const { row, stanza, stamp } = message;
    const fields = { from: at, to: from, id: newId() };
    const result = archiveResult(fields, asked.queryId, idIn(ids, owner, message), stanza, stamp);
    const effect = { do: "toSession", jid: from.full as FullJid, stanza: result } as const;
    return waiting.has(row) ? { ...effect, settles: row } : effect;
  });
  return { before: asked.isFlipped ? results.toReversed() : results, result: [finOf(page, ids, owner)] };
};

/** §4.3.2. What is in the archive has been committed, so that it is stable. */
const finOf = ({ messages, count, index, isComplete }: ArchivePage, ids: ArchiveIds, owner: BareJid): Element => {
  const [first, last] = [messages.at(0), messages.at(-1)];
  return ArchiveFin.build({
    page: {
      first: first && idIn(ids, owner, first),
      last: last && idIn(ids, owner, last),
      index: first && index,
      count,
    },
    isComplete,
    isStable: true,
  });
};

const PAGE = 250;

/** Which of these, oldest first, still wait for the account. They wait no longer once the session has got them. */
const waitingAmong = async (
  messages: ArchiveOptions["messages"],
  account: BareJid,
  shown: readonly StoredMessage[],
): Promise<ReadonlySet<RowId>> => {
  const rows = new Set<RowId>();
  const last = shown.at(-1)?.row ?? 0;
  let after = (shown[0]?.row ?? 0) - 1;
  while (after < last) {
    const waiting = await messages.waiting(account, after, PAGE);
    for (const { row } of waiting) rows.add(row);
    after = waiting.length < PAGE ? last : (waiting.at(-1) as StoredMessage).row;
  }
  return rows;
};

/** §5. */
const metadataOf = async (
  messages: Pick<Messages, "bounds" | "find">,
  ids: ArchiveIds,
  owner: BareJid,
): Promise<Element> => {
  const bounds = await messages.bounds(owner);
  if (bounds === undefined) return ArchiveMetadata.build(undefined);
  const found = await messages.find(owner, [bounds.oldest.row, bounds.newest.row]);
  const [oldest, newest] = [found.at(0), found.at(-1)];
  // Where all of it has grown too old between the two.
  if (oldest === undefined || newest === undefined) return ArchiveMetadata.build(undefined);
  return ArchiveMetadata.build({
    start: { id: idIn(ids, owner, oldest), timestamp: oldest.stamp },
    end: { id: idIn(ids, owner, newest), timestamp: newest.stamp },
  });
};

/** What waits and is in the archive waits no longer; what is not in it waits on. */
const settleArchived = (
  messages: Pick<Messages, "waiting" | "settle">,
  account: BareJid,
  after: RowId = 0,
): Eventually<void> =>
  andThen(messages.waiting(account, after, PAGE), (waiting) => {
    const archived = waiting.filter(({ isArchived }) => isArchived.received).map(({ row }) => row);
    if (archived.length > 0) messages.settle(account, archived);
    const last = waiting.length < PAGE ? undefined : waiting.at(-1);
    if (last !== undefined) return settleArchived(messages, account, last.row);
  });

const REMEMBERED = 10_000;

/**
 * What rooms have sent lately, by their ids: a room sends to each client of an account, and the account's archive has it once (§5.1.1).
 */
class Reflections {
  #newer = new Set<string>();
  #older: ReadonlySet<string> = new Set();

  /** Has the account been sent this message before? From now on it has. A room that gives no ids is not recognised. */
  hasCome(message: Message, account: BareJid): boolean {
    const room = message.from?.toBare();
    const id = room === undefined ? undefined : stanzaIdBy(message, room);
    if (room === undefined || id === undefined) return false;
    const key = JSON.stringify([account, room.bare, id]);
    if (this.#newer.has(key) || this.#older.has(key)) return true;
    if (this.#newer.size >= REMEMBERED) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    this.#newer.add(key);
    return false;
  }
}
