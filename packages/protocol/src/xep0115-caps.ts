/** XEP-0115: what an entity is and can do, in a few bytes of its presence. */
import { type Bytes, toBytes } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { type DataForm, FORM_TYPE, fieldValues, formTypeOf } from "./xep0004-data-forms.ts";
import type { DiscoIdentity, DiscoInfo } from "./xep0030-disco.ts";
import { element } from "./xml/element.ts";

export const NS_CAPS = "http://jabber.org/protocol/caps";

export interface EntityCaps {
  /** A URI that identifies the software. */
  readonly node: string;
  /** The verification string. */
  readonly ver: string;
  /** The hash it was made with, as the IANA names it; `undefined`: the legacy format, in which `ver` proves nothing (§13). */
  readonly hash: string | undefined;
}

export const Caps = payload({
  ns: NS_CAPS,
  name: "c",
  places: ["presence", "stream"],
  parse: ({ attributes: { node, ver, hash } }): EntityCaps => {
    if (node === undefined || ver === undefined)
      throw new StanzaError("bad-request", { text: "capabilities need node and ver" });
    return { node, ver, hash };
  },
  build: ({ hash, node, ver }) => element(NS_CAPS, "c", { hash, node, ver }),
});

/** The node to ask for what capabilities stand for (§6.2). */
export const capsNode = ({ node, ver }: EntityCaps): string => `${node}#${ver}`;

/**
 * What is hashed into the verification string (§5.1): with SHA-1, then Base64. Texts go in as they are, decoded;
 * no "&lt;" in them is made a "<".
 */
export const verificationInput = ({ identities, features, forms }: DiscoInfo): Bytes => {
  const parts = [
    ...[...identities].sort(byCategoryTypeLang).map(identityText),
    ...[...features].sort(byOctets),
    ...typed(forms)
      .sort((a, b) => byOctets(a.type, b.type))
      .flatMap(formTexts),
  ];
  return toBytes(parts.map((part) => `${part}<`).join(""));
};

/** May `ver` be checked against this answer (§5.4, 3.3 to 3.5)? What says the same thing twice is ill-formed. */
export const isVerifiable = ({ identities, features, forms }: DiscoInfo): boolean =>
  isWithoutDuplicates(identities.map(identityText)) &&
  isWithoutDuplicates(features) &&
  isWithoutDuplicates(typed(forms).map(({ type }) => type)) &&
  typed(forms).every(({ form }) => new Set(fieldValues(form, FORM_TYPE)).size === 1);

/** Collation "i;octet" (RFC 4790 §9.3). UTF-16 sorts what is beyond U+FFFF elsewhere, so bytes are compared. */
export const byOctets = (a: string, b: string): number => {
  const [left, right] = [toBytes(a), toBytes(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
};

const byCategoryTypeLang = (a: DiscoIdentity, b: DiscoIdentity): number =>
  byOctets(a.category, b.category) || byOctets(a.type, b.type) || byOctets(a.lang ?? "", b.lang ?? "");

const identityText = ({ category, type, lang = "", name = "" }: DiscoIdentity): string =>
  `${category}/${type}/${lang}/${name}`;

interface TypedForm {
  readonly type: string;
  readonly form: DataForm;
}

/** Forms that do not say which they are do not count (§5.4, 3.6). */
const typed = (forms: readonly DataForm[]): TypedForm[] =>
  forms.flatMap((form) => {
    const type = formTypeOf(form);
    return type === undefined ? [] : [{ type, form }];
  });

const formTexts = ({ type, form }: TypedForm): readonly string[] => [
  type,
  ...form.fields
    .filter((field) => field.var !== FORM_TYPE)
    .map(({ var: name = "", values = [] }) => ({ name, values: [...values].sort(byOctets) }))
    .sort((a, b) => byOctets(a.name, b.name))
    .flatMap(({ name, values }) => [name, ...values]),
];

const isWithoutDuplicates = (texts: readonly string[]): boolean => new Set(texts).size === texts.length;
