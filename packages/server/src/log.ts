/**
 * The log: one JSON object a line on standard error, or lines for people on a terminal. What is logged about somebody is
 * at most a stream's id and a bare JID; passwords, message bodies and stanzas do not get through, whoever gives them.
 */
import { Jid } from "@kith/protocol";
import { type DestinationStream, type Logger, pino } from "pino";
import { prettyFactory } from "pino-pretty";
import type { Log } from "./router/log.ts";

export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
/** `"auto"`: for people where standard error is a terminal, JSON anywhere else. */
export const LOG_FORMATS = ["auto", "json", "pretty"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** The log of a running server. */
export interface ServerLog extends Log {
  /** May be changed at any time. */
  level: LogLevel;
}

/** Where lines go, and whether somebody reads them as they come. */
export interface LogTarget {
  readonly isTTY?: boolean | undefined;
  write(line: string): unknown;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly target?: LogTarget;
}

export const createLog = ({ level, format, target = process.stderr }: LogOptions): ServerLog => {
  const isPretty = format === "pretty" || (format === "auto" && target.isTTY === true);
  const logger = pino(
    {
      level,
      // Neither process id nor host name: whoever collects logs knows both.
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // `err` is made safe with the rest.
      serializers: { err: (error: unknown) => error },
      formatters: { level: (label) => ({ level: label }), log: safeFields },
    },
    isPretty ? forPeople(target) : (target as DestinationStream),
  );
  return serverLog(logger);
};

const forPeople = (target: LogTarget): DestinationStream => {
  const format = prettyFactory({ colorize: target.isTTY === true, translateTime: "SYS:HH:MM:ss", singleLine: true });
  // Without a stream between, so that the last line before an exit is not lost.
  return { write: (line) => target.write(format(line) ?? line) };
};

const serverLog = (logger: Logger): ServerLog => ({
  error: (fields, text) => logger.error(fields, text),
  warn: (fields, text) => logger.warn(fields, text),
  info: (fields, text) => logger.info(fields, text),
  debug: (fields, text) => logger.debug(fields, text),
  get level() {
    return logger.level as LogLevel;
  },
  set level(level) {
    logger.level = level;
  },
});

const REDACTED = "[redacted]";
/** Fields with these names, or names that end like this, never say anything. */
const SECRET =
  /(?:password|passwd|secret|token|preauth|credential|proof|salt|key|body|subject|payload|stanza|xml|raw|bytes|initial|response|challenge)s?$/i;
/** Fields that hold an address: its resourcepart stays out. */
const ADDRESS = /(?:jid|from|to|account|user|inviter|by)$/i;
const LONGEST = 1_000;
const DEEPEST = 4;

/** What of these fields may be written: plain values, addresses without resource, errors by what they say. */
export const safeFields = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> => safeRecord(fields, 0);

const safeRecord = (fields: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, safeField(name, value, depth)]));

const safeField = (name: string, value: unknown, depth: number): unknown => {
  if (value === undefined) return undefined;
  if (SECRET.test(name) && typeof value !== "number" && typeof value !== "boolean") return REDACTED;
  if (typeof value === "string" && ADDRESS.test(name)) return safeText(bare(value));
  return safeValue(value, depth);
};

const bare = (address: string): string => {
  const slash = address.indexOf("/");
  return slash < 0 ? address : address.slice(0, slash);
};

const safeValue = (value: unknown, depth: number): unknown => {
  if (typeof value === "string") return safeText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return typeof value === "function" ? REDACTED : value;
  if (value instanceof Jid) return value.bare;
  if (value instanceof Error) return safeError(value, depth);
  if (depth >= DEEPEST) return REDACTED;
  if (Array.isArray(value)) return value.map((item) => safeValue(item, depth + 1));
  // A stanza, a session, a socket: only plain records are what they seem.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return REDACTED;
  return safeRecord(value as Record<string, unknown>, depth + 1);
};

/** What looks like XML may be a stanza: it ends where that begins. */
const safeText = (text: string): string => {
  const tag = text.search(/<[A-Za-z/?!]/);
  if (tag >= 0) return `${text.slice(0, tag)}${REDACTED}`;
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
};

/** Type, message, code, condition and where it happened. Whatever else an error carries may be anything. */
const safeError = (error: Error, depth: number): Record<string, unknown> => {
  const { name, message, stack, cause } = error;
  const { code, condition, syscall } = error as { code?: unknown; condition?: unknown; syscall?: unknown };
  const frames = stack?.split("\n").filter((line) => /^\s+at /.test(line)) ?? [];
  return {
    type: name,
    message: safeText(message),
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof syscall === "string" ? { syscall } : {}),
    ...(typeof condition === "string" ? { condition } : {}),
    ...(frames.length === 0 ? {} : { stack: frames.map((frame) => frame.trim()).join("\n") }),
    ...(cause instanceof Error && depth < DEEPEST ? { cause: safeError(cause, depth + 1) } : {}),
  };
};
