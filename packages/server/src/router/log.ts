type Line = (fields: Readonly<Record<string, unknown>>, text: string) => void;

/** What the server asks of a logger; pino is one. Never give it passwords, message bodies or whole stanzas. */
export interface Log {
  readonly error: Line;
  readonly warn: Line;
  readonly info: Line;
  readonly debug: Line;
}

const nothing: Line = () => undefined;
export const silentLog: Log = { error: nothing, warn: nothing, info: nothing, debug: nothing };
