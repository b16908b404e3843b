/**
 * XEP-0082: the three profiles of ISO 8601 that XMPP uses. Moments are numbers: milliseconds since 1970, in UTC.
 * Years before 0001 and after 9999 are not read (§5 allows that), nor written.
 */

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^(\d\d):(\d\d):(\d\d)(\.\d+)?$/;
const OFFSET = /^([+-])(\d\d):(\d\d)$/;
const ZONE = /(?:Z|[+-]\d\d:\d\d)$/;

const DAY = 86_400_000;
const MINUTE = 60_000;
/** No clock on earth is further from UTC (XML Schema Part 2, §3.2.7.3). */
const MAX_OFFSET = 14 * 60;

/** A time of day that comes again every day (§3.3). */
export interface TimeOfDay {
  /** Milliseconds since midnight, on the clock that `offset` tells. */
  readonly milliseconds: number;
  /** Minutes ahead of UTC; `undefined`: in no time zone. */
  readonly offset: number | undefined;
}

/** DateTime profile (§3.2), in UTC: `1969-07-21T02:56:15Z`, with milliseconds where there are any. */
export const formatDateTime = (moment: number): string => new Date(moment).toISOString().replace(".000Z", "Z");

/** DateTime profile (§3.2) → milliseconds since 1970, fractions cut there; `undefined` where the text is none. */
export const parseDateTime = (text: string): number | undefined => {
  const split = text.indexOf("T");
  const zone = ZONE.exec(text)?.[0];
  if (split < 0 || zone === undefined) return undefined;
  const day = parseDate(text.slice(0, split));
  const time = clock(text.slice(split + 1, -zone.length));
  const offset = parseOffset(zone);
  return day === undefined || time === undefined || offset === undefined ? undefined : day + time - offset * MINUTE;
};

/** Date profile (§3.1): `1776-07-04`. */
export const formatDate = (moment: number): string => new Date(moment).toISOString().slice(0, 10);

/** Date profile (§3.1) → the moment it begins in UTC; `undefined` where the text is none, or no such day exists. */
export const parseDate = (text: string): number | undefined => {
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (year === undefined || year === "0000") return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  // What does not come back the same was rolled over: the 30th of February is no day.
  return formatDate(date.getTime()) === text ? date.getTime() : undefined;
};

/** Time profile (§3.3): `16:00:00`, with milliseconds and a zone where there are any. */
export const formatTime = ({ milliseconds, offset }: TimeOfDay): string => {
  const time = new Date(milliseconds).toISOString().slice(11, 23).replace(".000", "");
  return offset === undefined ? time : time + (offset === 0 ? "Z" : formatOffset(offset));
};

/** Time profile (§3.3); `undefined` where the text is none. */
export const parseTime = (text: string): TimeOfDay | undefined => {
  const zone = ZONE.exec(text)?.[0];
  const milliseconds = clock(zone === undefined ? text : text.slice(0, -zone.length));
  const offset = zone === undefined ? undefined : parseOffset(zone);
  if (milliseconds === undefined || (zone !== undefined && offset === undefined)) return undefined;
  return { milliseconds, offset };
};

/** Minutes ahead of UTC → Time Zone Definition (§2.1): `-06:00`. */
export const formatOffset = (minutes: number): string => {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`;
};

/** Time Zone Definition (§2.1) → minutes ahead of UTC; `undefined` where the text is none. */
export const parseOffset = (text: string): number | undefined => {
  if (text === "Z") return 0;
  const [, sign, hours, minutes] = OFFSET.exec(text) ?? [];
  if (sign === undefined || Number(minutes) > 59) return undefined;
  const size = Number(hours) * 60 + Number(minutes);
  if (size > MAX_OFFSET) return undefined;
  return sign === "-" && size > 0 ? -size : size;
};

const twoDigits = (value: number): string => String(value).padStart(2, "0");

/** `hh:mm:ss[.sss]` → milliseconds since midnight. */
const clock = (text: string): number | undefined => {
  const [, hours, minutes, seconds, fraction = ""] = TIME.exec(text) ?? [];
  if (hours === undefined || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const time =
    (Number(hours) * 60 + Number(minutes)) * MINUTE +
    Number(seconds) * 1000 +
    Number(fraction.slice(1, 4).padEnd(3, "0"));
  // 24:00:00 is midnight at the end of the day (XML Schema Part 2, §3.2.7.1).
  return time < DAY || (time === DAY && !/[1-9]/.test(fraction)) ? time : undefined;
};
