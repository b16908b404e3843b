import {
  type ArchiveFilter,
  type ArchiveRequest,
  andThen,
  type BareJid,
  type Eventually,
  type Jid,
  type PagePosition,
  StanzaError,
} from "@kith/protocol";
import type { ArchivePage, ArchiveQuery, MessageSide, Messages, StoredMessage } from "../store/messages.ts";
import type { RowId } from "../store/store.ts";

/** The ids an archive's messages go by, and the way back. */
export interface ArchiveIds {
  readonly idOf: (row: RowId, side: MessageSide) => string;
  readonly rowOf: (id: string) => { readonly row: RowId; readonly side: MessageSide } | undefined;
}

export interface QueryLimits {
  /** How many messages are sent at once where nobody says how many; and at most. */
  readonly page: number;
  readonly maxPage: number;
  readonly fullText: boolean;
}

/** The side from which an account's archive shows a message; one to oneself has one place, as sent. */
export const sideIn = (owner: BareJid, { sender }: Pick<StoredMessage, "sender">): MessageSide =>
  sender === owner ? "sent" : "received";

export const idIn = (ids: ArchiveIds, owner: BareJid, message: StoredMessage): string =>
  ids.idOf(message.row, sideIn(owner, message));

/**
 * The page that is asked for (§4). Rejects StanzaError "item-not-found" where an id is not in the archive (§4.1.3, §4.3.2),
 * "feature-not-implemented" for what cannot be asked here.
 */
export const pageOf = async (
  messages: Pick<Messages, "page" | "find">,
  ids: ArchiveIds,
  owner: BareJid,
  asked: ArchiveRequest,
  limits: QueryLimits,
): Promise<ArchivePage> => {
  checkAbilities(asked, limits);
  const { filter, page } = asked;
  const rows = await rowsOf(messages, ids, owner, namedIn(asked));
  const rowOf = (id: string | undefined): RowId | undefined => (id === undefined ? undefined : rows.get(id));
  const limit = Math.min(page.max ?? limits.page, limits.maxPage);
  return messages.page(
    given<ArchiveQuery>({
      owner,
      with: filter.with === undefined ? undefined : addressed(filter.with),
      start: filter.start,
      end: filter.end,
      after: rowOf(filter.afterId),
      before: rowOf(filter.beforeId),
      rows: filter.ids?.flatMap((id) => rowOf(id) ?? []),
      text: filter.fullText,
      withGroupchat: filter.includeGroupchat === true,
      from: isFromTheEnd(page.position) ? "newest" : "oldest",
      limit,
      page: placeOf(page.position, rowOf),
      counted: limit === 0 ? true : undefined,
    }),
  );
};

const checkAbilities = ({ node, filter, page }: ArchiveRequest, { fullText, maxPage }: QueryLimits): void => {
  if (node !== undefined) refuse("an account's archive has no nodes");
  if (filter.fullText !== undefined && !fullText) refuse("nothing is searched for words here");
  // Without a count of all that match, which may be very many, nobody knows how many come before a page (XEP-0059 §2.6).
  if (page.position.is === "index") refuse("pages go by ids");
  if ((filter.ids?.length ?? 0) > maxPage)
    throw new StanzaError("policy-violation", { text: `at most ${maxPage} ids at once` });
};

const refuse = (text: string): never => {
  throw new StanzaError("feature-not-implemented", { text });
};

/** Every id in a request. All of them have to be there. */
const namedIn = ({ filter, page: { position } }: ArchiveRequest): readonly string[] => [
  ...namedInFilter(filter),
  ...(position.is === "after" || position.is === "before" ? [position.id] : []),
];
const namedInFilter = ({ beforeId, afterId, ids = [] }: ArchiveFilter): readonly string[] =>
  [beforeId, afterId, ...ids].filter((id) => id !== undefined);

/** Where the messages with these ids are. Throws or rejects "item-not-found" unless the archive has all of them. */
const rowsOf = (
  messages: Pick<Messages, "find">,
  ids: ArchiveIds,
  owner: BareJid,
  named: readonly string[],
): Eventually<ReadonlyMap<string, RowId>> => {
  if (named.length === 0) return NO_ROWS;
  const rows = new Map(named.map((id) => [id, ids.rowOf(id)?.row ?? notFound()]));
  return andThen(messages.find(owner, [...new Set(rows.values())]), (found) => {
    // An id that the other side's archive gave to the same message is none of this one.
    const known = new Set(found.map((message) => idIn(ids, owner, message)));
    return named.every((id) => known.has(id)) ? rows : notFound();
  });
};
const NO_ROWS: ReadonlyMap<string, RowId> = new Map();

const notFound = (): never => {
  throw new StanzaError("item-not-found");
};

const addressed = (jid: Jid): NonNullable<ArchiveQuery["with"]> =>
  jid.isFull ? { bare: jid.bare, full: jid.full } : { bare: jid.bare };

const isFromTheEnd = ({ is }: PagePosition): boolean => is === "end" || is === "before";

const placeOf = (position: PagePosition, rowOf: (id: string) => RowId | undefined): ArchiveQuery["page"] => {
  if (position.is === "after") return given<NonNullable<ArchiveQuery["page"]>>({ after: rowOf(position.id) });
  if (position.is === "before") return given<NonNullable<ArchiveQuery["page"]>>({ before: rowOf(position.id) });
  return undefined;
};

/** Without the fields that are not there. */
const given = <T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
