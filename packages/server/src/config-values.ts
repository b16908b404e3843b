/** The kinds of values a configuration has, as a person writes them and as the server uses them. */
import { type BareJid, type DomainJid, prepareDomainpart, prepareLocalpart, tryJid } from "@kith/protocol";
import ipaddr from "ipaddr.js";
import { z } from "zod";

const MILLISECONDS = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const;
type Units = Readonly<Record<string, number>>;

/** Milliseconds, or a number and its unit: `"30 s"`, `"10 min"`, `"7 d"`. */
export type Duration = number | `${number} ${keyof typeof MILLISECONDS}`;
/** Bytes, or a number and its unit: `"256 KiB"`. */
export type Size = number | `${number} ${keyof typeof BYTES}`;

/** Reads a value; `undefined` for one that is not allowed. */
type Read<T> = (value: unknown) => T | undefined;

/** A value read by a function. Where it takes none, the problem says what is allowed: its message is that alone. */
export const value = <Output, Input = Output>(read: Read<Output>, allowed: string): z.ZodType<Output, Input> =>
  z.unknown().transform((given, context) => {
    const found = read(given);
    if (found !== undefined) return found;
    context.issues.push({ code: "custom", message: allowed, input: given });
    return z.NEVER;
  }) as unknown as z.ZodType<Output, Input>;

const within = (amount: number | undefined, least: number, most: number): number | undefined =>
  amount !== undefined && amount >= least && amount <= most ? amount : undefined;

/** A number as such, or as text (from the environment). */
const readWhole: Read<number> = (given) => {
  const number = typeof given === "string" && /^\d+$/.test(given.trim()) ? Number(given) : given;
  return Number.isSafeInteger(number) ? (number as number) : undefined;
};

const readQuantity = (given: unknown, units: Units): number | undefined => {
  if (typeof given !== "string") return readWhole(given);
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(given.trim()) ?? [];
  const factor = unit === "" ? 1 : Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (number === undefined || factor === undefined) return undefined;
  const amount = Math.round(Number(number) * factor);
  return Number.isSafeInteger(amount) ? amount : undefined;
};

const quantityText = (amount: number, units: Units): string => {
  const [unit, factor] = Object.entries(units).findLast(([, size]) => amount >= size && amount % size === 0) ?? ["", 1];
  return `${amount / factor} ${unit}`.trim();
};

const rangeText = (least: string, most: string | undefined): string =>
  most === undefined ? `${least} or more` : `${least} to ${most}`;

const WITHOUT_END = Number.MAX_SAFE_INTEGER;
const limit = (most: number, text: (amount: number) => string): string | undefined =>
  most === WITHOUT_END ? undefined : text(most);

export const wholeNumber = (least: number, most = WITHOUT_END): z.ZodType<number, number> =>
  value(
    (given) => within(readWhole(given), least, most),
    `a whole number, ${rangeText(String(least), limit(most, String))}`,
  );

export const duration = (least = 0, most = WITHOUT_END): z.ZodType<number, Duration> => {
  const text = (amount: number): string => quantityText(amount, MILLISECONDS);
  return value(
    (given) => within(readQuantity(given, MILLISECONDS), least, most),
    `a time such as "30 s", "10 min", "7 d" or a number of milliseconds, ${rangeText(text(least), limit(most, text))}`,
  );
};

export const size = (least = 0, most = WITHOUT_END): z.ZodType<number, Size> => {
  const text = (amount: number): string => quantityText(amount, BYTES);
  return value(
    (given) => within(readQuantity(given, BYTES), least, most),
    `a size such as "256 KiB", "4 MiB" or a number of bytes, ${rangeText(text(least), limit(most, text))}`,
  );
};

export const yesOrNo: z.ZodType<boolean, boolean> = value(
  (given) => (given === true || given === "true" ? true : given === false || given === "false" ? false : undefined),
  "true or false",
);

export const oneOf = <const T extends string>(options: readonly T[]): z.ZodType<T, T> =>
  value((given) => options.find((option) => option === given), inWords(options.map((option) => `"${option}"`)));

/** `"a", "b" or "c"` */
export const inWords = (items: readonly string[]): string =>
  items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} or ${items.at(-1)}`;

/** Whatever the schema takes, or `false`, which becomes `undefined`: switched off. */
export const orOff = <Output, Input>(schema: z.ZodType<Output, Input>): z.ZodType<Output | undefined, Input | false> =>
  z.unknown().transform((given, context) => {
    if (given === false || given === "false") return undefined;
    const parsed = schema.safeParse(given);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      // A value's own sentence does not know that it may be switched off.
      const message = issue.path.length === 0 && issue.code === "custom" ? `${issue.message}, or false` : issue.message;
      context.issues.push({ ...issue, message, input: issue.input } as never);
    }
    return z.NEVER;
  }) as unknown as z.ZodType<Output | undefined, Input | false>;

export const text = (allowed: string, longest = 4_096): z.ZodType<string, string> =>
  value(
    (given) => (typeof given === "string" && given.trim() !== "" && given.length <= longest ? given : undefined),
    allowed,
  );

const DOMAIN = 'a domain name such as "example.org", or an IP address (IPv6 in brackets)';
export const readDomain: Read<DomainJid> = (given) =>
  typeof given === "string" ? prepareDomainpart(given.trim()) : undefined;
/** A key of a record: text in, prepared domain out. */
export const domainName = value(readDomain, DOMAIN) as unknown as z.ZodType<string, string>;

export const accountAddress: z.ZodType<BareJid, string> = value((given) => {
  const jid = typeof given === "string" ? tryJid(given.trim()) : undefined;
  return jid?.local !== undefined && jid.isBare ? jid.bare : undefined;
}, 'the address of an account, such as "romeo@example.org"');

export const localpart: z.ZodType<string, string> = value(
  (given) => (typeof given === "string" ? prepareLocalpart(given.trim()) : undefined),
  'the part of an address before the "@", such as "admin"',
);

export const ipAddress: z.ZodType<string, string> = value(
  (given) =>
    typeof given === "string" &&
    ipaddr.isValid(given) &&
    (given.includes(":") || ipaddr.IPv4.isValidFourPartDecimal(given))
      ? given
      : undefined,
  'an IP address such as "127.0.0.1" or "::1"',
);

const SCHEMES = /^(?:https?|mailto|xmpp|tel|sips?):\S+$/i;
export const contactUri: z.ZodType<string, string> = value(
  (given) => (typeof given === "string" && SCHEMES.test(given) && URL.canParse(given) ? given : undefined),
  'a URI such as "mailto:admin@example.org", "xmpp:admin@example.org" or "https://example.org/help"',
);

export const webAddress: z.ZodType<string, string> = value(
  (given) => (typeof given === "string" && /^https?:\/\//i.test(given) && URL.canParse(given) ? given : undefined),
  'a web address that begins with "https://" or "http://"',
);

/** One of them, or a list of them. */
export const oneOrMore = <Output, Input>(
  schema: z.ZodType<Output, Input>,
): z.ZodType<readonly Output[], Input | readonly Input[]> =>
  z.preprocess(
    (given) => (given === undefined || Array.isArray(given) ? given : [given]),
    z.array(schema),
  ) as unknown as z.ZodType<readonly Output[], Input | readonly Input[]>;
