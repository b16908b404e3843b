/** XEP-0313 §4.1: the form that says which messages of an archive are wanted. */
import { StanzaError } from "./errors.ts";
import { type Jid, parseJid } from "./jid.ts";
import { booleanOf, type DataForm, FORM_TYPE, type FormField, formTypeOf, standardForm } from "./xep0004-data-forms.ts";
import { formatDateTime, parseDateTime } from "./xep0082-datetime.ts";
import { FULL_TEXT_FIELD } from "./xep0431-full-text-search.ts";
import { element } from "./xml/element.ts";

export const NS_ARCHIVE = "urn:xmpp:mam:2";

/** What messages must be to be wanted; all of it, where several things are said. */
export interface ArchiveFilter {
  /** To or from this address; to or from any of its resources, if it is bare. One's own: both to and from it (§4.1.1). */
  readonly with?: Jid | undefined;
  /** No earlier, no later than these, in milliseconds since 1970 (§4.1.2). */
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  /** Before, after the message with this id, which must be there: otherwise "item-not-found" (§4.1.3). */
  readonly beforeId?: string | undefined;
  readonly afterId?: string | undefined;
  /** These and no others, which all must be there. */
  readonly ids?: readonly string[] | undefined;
  /** `undefined`: as the archive likes (§4.1.4). */
  readonly includeGroupchat?: boolean | undefined;
  /** Words to look for (XEP-0431). */
  readonly fullText?: string | undefined;
}

/** The fields of a form by the names the specifications give them. */
const FIELDS = {
  with: "with",
  start: "start",
  end: "end",
  beforeId: "before-id",
  afterId: "after-id",
  ids: "ids",
  includeGroupchat: "include-groupchat",
  fullText: FULL_TEXT_FIELD,
} as const satisfies Record<keyof ArchiveFilter, string>;

const KNOWN: ReadonlySet<string | undefined> = new Set([FORM_TYPE, ...Object.values(FIELDS)]);

/**
 * A form that was submitted → what is wanted. A field without a value says nothing. Throws StanzaError "feature-not-implemented" for a field that
 * is not known (§4.1.5), "jid-malformed" for `with`, "bad-request" for anything else that makes no sense.
 */
export const parseFilter = (form: DataForm): ArchiveFilter => {
  if (form.type !== "submit" || formTypeOf(form) !== NS_ARCHIVE) refuse("this is no query of an archive");
  const values = valuesByName(form.fields);
  const one = (name: keyof typeof FIELDS): string | undefined => {
    const [value, ...more] = values.get(FIELDS[name]) ?? [];
    if (more.length > 0) refuse(`${FIELDS[name]}: one value`);
    return value === "" ? undefined : value;
  };
  const partner = one("with");
  const groupchat = one("includeGroupchat");
  return {
    with: partner === undefined ? undefined : parseJid(partner),
    start: momentOf(one("start")),
    end: momentOf(one("end")),
    beforeId: one("beforeId"),
    afterId: one("afterId"),
    ids: values.get(FIELDS.ids),
    includeGroupchat:
      groupchat === undefined ? undefined : (booleanOf(groupchat) ?? refuse("include-groupchat: true or false")),
    fullText: one("fullText"),
  };
};

const valuesByName = (fields: readonly FormField[]): ReadonlyMap<string | undefined, readonly string[]> => {
  const byName = new Map<string | undefined, readonly string[]>();
  for (const { var: name, values = [] } of fields) {
    if (!KNOWN.has(name)) throw new StanzaError("feature-not-implemented", { text: "not every field is known here" });
    if (byName.has(name)) refuse(`${name}: twice`);
    if (values.length > 0) byName.set(name, values);
  }
  return byName;
};

const momentOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : (parseDateTime(text) ?? refuse("start, end: a date and time"));

const refuse = (text: string): never => {
  throw new StanzaError("bad-request", { text });
};

/** The form to submit; `undefined` where everything is wanted. */
export const buildFilter = (filter: ArchiveFilter): DataForm | undefined => {
  const { start, end, ids, includeGroupchat } = filter;
  const values = {
    [FIELDS.with]: single(filter.with?.full),
    [FIELDS.start]: single(start === undefined ? undefined : formatDateTime(start)),
    [FIELDS.end]: single(end === undefined ? undefined : formatDateTime(end)),
    [FIELDS.beforeId]: single(filter.beforeId),
    [FIELDS.afterId]: single(filter.afterId),
    [FIELDS.ids]: ids,
    [FIELDS.includeGroupchat]: single(includeGroupchat?.toString()),
    [FIELDS.fullText]: single(filter.fullText),
  };
  const form = standardForm("submit", NS_ARCHIVE, values);
  return form.fields.length > 1 ? form : undefined;
};

const single = (value: string | undefined): readonly string[] | undefined =>
  value === undefined ? undefined : [value];

/** XEP-0122: any value will do, not only those that are offered. */
const openList = element("http://jabber.org/protocol/xdata-validate", "validate", { datatype: "xs:string" }, [
  element("http://jabber.org/protocol/xdata-validate", "open"),
]);

/** Fields that not every archive has. */
export interface ArchiveAbilities {
  readonly includeGroupchat?: boolean | undefined;
  readonly fullText?: boolean | undefined;
}

/** The form that says what may be asked (§4.1.5). */
export const archiveForm = ({ includeGroupchat, fullText }: ArchiveAbilities = {}): DataForm => ({
  type: "form",
  fields: [
    { var: FORM_TYPE, type: "hidden", values: [NS_ARCHIVE] },
    { var: FIELDS.with, type: "jid-single" },
    { var: FIELDS.start, type: "text-single" },
    { var: FIELDS.end, type: "text-single" },
    { var: FIELDS.beforeId, type: "text-single" },
    { var: FIELDS.afterId, type: "text-single" },
    { var: FIELDS.ids, type: "list-multi", extensions: [openList] },
    ...(includeGroupchat === true ? [{ var: FIELDS.includeGroupchat, type: "boolean" } as const] : []),
    ...(fullText === true ? [{ var: FIELDS.fullText, type: "text-single" } as const] : []),
  ],
});
