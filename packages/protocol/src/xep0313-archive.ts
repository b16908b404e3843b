/** XEP-0313: what is kept of conversations, and how it is asked for. The form of a query is in `xep0313-archive-form.ts`. */
import type { Bytes } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { type Message, type MessageType, message, type StanzaFields, withRawChild } from "./stanza.ts";
import { booleanOf, type DataForm, Form, NS_DATA_FORMS } from "./xep0004-data-forms.ts";
import {
  FIRST_PAGE,
  NS_RESULT_SET,
  type Page,
  type PageRequest,
  pageRequestOf,
  ResultSet,
  ResultSetRequest,
} from "./xep0059-result-set.ts";
import { formatDateTime, parseDateTime } from "./xep0082-datetime.ts";
import { Forwarded, type ForwardedStanza, NS_FORWARD, writeForwarded } from "./xep0297-forwarding.ts";
import { type ArchiveFilter, buildFilter, NS_ARCHIVE, parseFilter } from "./xep0313-archive-form.ts";
import { childOf, type Element, element } from "./xml/element.ts";
import { escapeAttribute } from "./xml/write.ts";

/** The features (§7). */
export const ARCHIVE_EXTENDED = `${NS_ARCHIVE}#extended`;
export const ARCHIVE_GROUPCHAT_FIELD = `${NS_ARCHIVE}#groupchat-field`;
export const ARCHIVE_GROUPCHAT_AVAILABLE = `${NS_ARCHIVE}#groupchat-available`;

/** What is asked of an archive (§4). */
export interface ArchiveRequest {
  /** Comes back with every result. */
  readonly queryId?: string | undefined;
  /** For archives of publish-subscribe nodes (§6.1.3). */
  readonly node?: string | undefined;
  readonly filter: ArchiveFilter;
  readonly page: PageRequest;
  /** The latest of the page first (§4.3.4). */
  readonly isFlipped: boolean;
}

/** `<query/>` in a request for messages (§4). */
export const ArchiveQuery = payload<ArchiveRequest, "iq-set">({
  ns: NS_ARCHIVE,
  name: "query",
  places: ["iq-set"],
  parse: (query) => {
    const form = childOf(query, "x", NS_DATA_FORMS);
    return {
      queryId: query.attributes.queryid,
      node: query.attributes.node,
      filter: form === undefined ? {} : parseFilter(Form.parse(form)),
      page: pageRequestOf(query),
      isFlipped: childOf(query, "flip-page") !== undefined,
    };
  },
  build: ({ queryId, node, filter, page, isFlipped }) => {
    const form = buildFilter(filter);
    return element(NS_ARCHIVE, "query", { queryid: queryId, node }, [
      form && Form.build(form),
      page !== FIRST_PAGE && ResultSetRequest.build(page),
      isFlipped && element(NS_ARCHIVE, "flip-page"),
    ]);
  },
});

/** `<query/>` that asks for the form, and the form (§4.1.5); `undefined` in the request. */
export const ArchiveForm = payload<DataForm | undefined, "iq-get" | "iq-result">({
  ns: NS_ARCHIVE,
  name: "query",
  places: ["iq-get", "iq-result"],
  parse: (query) => {
    const form = childOf(query, "x", NS_DATA_FORMS);
    return form === undefined ? undefined : Form.parse(form);
  },
  build: (form) => element(NS_ARCHIVE, "query", {}, [form && Form.build(form)]),
});

/** One message of an archive (§4.2). */
export interface ArchivedMessage extends ForwardedStanza {
  readonly queryId?: string | undefined;
  /** Its id in the archive. */
  readonly id: string;
}

/**
 * `<result/>` (§4.2). Only what comes from the archive that was asked, with the `queryId` of a query that is not finished, is a result: anything
 * else is an attempt to put words into somebody's mouth (§8.2).
 */
export const ArchiveResult = payload<ArchivedMessage, "message">({
  ns: NS_ARCHIVE,
  name: "result",
  places: ["message"],
  parse: (result) => {
    const { id, queryid } = result.attributes;
    const forwarded = childOf(result, "forwarded", NS_FORWARD);
    if (!id || forwarded === undefined) return refuse("a result has an id and what was kept");
    return { ...Forwarded.parse(forwarded), id, queryId: queryid };
  },
  build: ({ id, queryId, stanza, delay }) =>
    element(NS_ARCHIVE, "result", { queryid: queryId, id }, [Forwarded.build({ stanza, delay })]),
});

/**
 * The message that brings one result (§4.2): `stanza` as `writeStanza` made it, `stamp` when it was received or sent, in milliseconds since 1970.
 * Nothing is read or built, since a page has many.
 */
export const archiveResult = (
  fields: StanzaFields<MessageType>,
  queryId: string | undefined,
  id: string,
  stanza: Bytes,
  stamp: number,
): Message => {
  const query = queryId === undefined ? "" : ` queryid='${escapeAttribute(queryId)}'`;
  const forwarded = writeForwarded(stanza, { stamp });
  const result = `<result xmlns='${NS_ARCHIVE}'${query} id='${escapeAttribute(id)}'>${forwarded}</result>`;
  return withRawChild(message(fields), result as Bytes);
};

/** What follows the results (§4.3.2). */
export interface ArchiveEnd {
  readonly page: Page;
  /** There is no further page in the direction of this one. */
  readonly isComplete: boolean;
  /** What was sent will not change. */
  readonly isStable: boolean;
}

/** `<fin/>` (§4, §4.3.2). */
export const ArchiveFin = payload<ArchiveEnd, "iq-result">({
  ns: NS_ARCHIVE,
  name: "fin",
  places: ["iq-result"],
  parse: (fin) => {
    const set = childOf(fin, "set", NS_RESULT_SET);
    if (set === undefined) return refuse("which page was it?");
    return {
      page: ResultSet.parse(set),
      isComplete: flag(fin, "complete", false),
      isStable: flag(fin, "stable", true),
    };
  },
  build: ({ page, isComplete, isStable }) =>
    element(NS_ARCHIVE, "fin", { complete: isComplete ? "true" : undefined, stable: isStable ? undefined : "false" }, [
      ResultSet.build(page),
    ]),
});

const flag = ({ attributes }: Element, name: string, otherwise: boolean): boolean =>
  booleanOf(attributes[name] ?? String(otherwise)) ?? refuse(`${name}: true or false`);

/** Where an archive begins or ends. */
export interface ArchiveBound {
  readonly id: string;
  /** In milliseconds since 1970. */
  readonly timestamp: number;
}

/** The oldest and the latest message of an archive that is not empty (§5). */
export interface ArchiveBounds {
  readonly start: ArchiveBound;
  readonly end: ArchiveBound;
}

/** `<metadata/>` (§5); `undefined` in the request, and for an empty archive. */
export const ArchiveMetadata = payload<ArchiveBounds | undefined, "iq-get" | "iq-result">({
  ns: NS_ARCHIVE,
  name: "metadata",
  places: ["iq-get", "iq-result"],
  parse: (metadata) => {
    const start = childOf(metadata, "start");
    const end = childOf(metadata, "end");
    if (start === undefined && end === undefined) return undefined;
    return { start: boundOf(start), end: boundOf(end) };
  },
  build: (bounds) =>
    element(
      NS_ARCHIVE,
      "metadata",
      {},
      bounds && [boundElement("start", bounds.start), boundElement("end", bounds.end)],
    ),
});

const boundOf = (bound: Element | undefined): ArchiveBound => {
  const { id, timestamp } = bound?.attributes ?? {};
  const moment = parseDateTime(timestamp ?? "");
  return !id || moment === undefined ? refuse("an archive begins and ends with a message") : { id, timestamp: moment };
};

const boundElement = (name: string, { id, timestamp }: ArchiveBound): Element =>
  element(NS_ARCHIVE, name, { id, timestamp: formatDateTime(timestamp) });

const refuse = (text: string): never => {
  throw new StanzaError("bad-request", { text });
};
