import { message, parseJid, StanzaError, toBytes } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { createLog, type LogLevel, type ServerLog, safeFields } from "./log.ts";

interface Written {
  readonly log: ServerLog;
  readonly lines: readonly string[];
  /** The one line there is, read. */
  only(): Record<string, unknown>;
}

const written = (level: LogLevel = "debug", format: "json" | "pretty" | "auto" = "json", isTTY = false): Written => {
  const lines: string[] = [];
  const target = { isTTY, write: (line: string) => lines.push(line) };
  return {
    log: createLog({ level, format, target }),
    lines,
    only: () => {
      expect(lines).toHaveLength(1);
      return JSON.parse(lines[0] ?? "") as Record<string, unknown>;
    },
  };
};

describe("lines", () => {
  test("JSON, with level, time, fields and text; stream id and bare JID among them", () => {
    const { log, only } = written();
    log.info({ stream: "s1", jid: "romeo@example.org" }, "bound");
    expect(only()).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      stream: "s1",
      jid: "romeo@example.org",
      msg: "bound",
    });
  });

  test.each(["error", "warn", "info", "debug"] as const)("level %s", (level) => {
    const { log, only } = written();
    log[level]({}, "x");
    expect(only()).toMatchObject({ level });
  });

  test("what is below the level is not written, and the level may change", () => {
    const { log, lines } = written("warn");
    log.info({}, "no");
    log.warn({}, "yes");
    expect(log.level).toBe("warn");
    log.level = "debug";
    log.debug({}, "yes");
    log.level = "silent";
    log.error({}, "no");
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["yes", "yes"]);
  });

  test("for people on a terminal, and JSON where nobody reads it as it comes", () => {
    const terminal = written("info", "auto", true);
    terminal.log.info({ stream: "s1" }, "bound");
    expect(terminal.lines[0]).toMatch(/bound/);
    expect(() => JSON.parse(terminal.lines[0] ?? "")).toThrow(SyntaxError);
    const pipe = written("info", "auto", false);
    pipe.log.info({}, "bound");
    expect(pipe.only()).toMatchObject({ msg: "bound" });
    const asked = written("info", "pretty", false);
    asked.log.info({ password: "hunter22" }, "bound");
    expect(asked.lines[0]).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: bound/);
    expect(asked.lines[0]).not.toContain("hunter22");
  });
});

describe("what nobody is to read", () => {
  const SECRET = "correct horse battery";

  test.each([
    "password",
    "oldPassword",
    "new_password",
    "secret",
    "token",
    "preauth",
    "proof",
    "salt",
    "storedKey",
    "body",
    "subject",
    "payload",
    "stanza",
    "xml",
    "raw",
    "bytes",
    "initial",
    "response",
    "challenge",
    "Passwords",
    "credentials",
  ])("a field called %s", (name) => {
    const { log, lines } = written();
    log.info({ [name]: SECRET, inner: { [name]: SECRET, list: [{ [name]: SECRET }] } }, "x");
    expect(lines[0]).not.toContain(SECRET);
    expect(lines[0]).toContain("[redacted]");
  });

  test("a stanza under any name, and whatever else is no plain record", () => {
    class Session {
      password = SECRET;
    }
    const stanza = message({ to: parseJid("juliet@example.org") }, [
      { name: "body", ns: "", attributes: {}, children: [SECRET] },
    ]);
    const { log, lines } = written();
    log.info(
      {
        it: stanza,
        session: new Session(),
        map: new Map([["a", SECRET]]),
        run: () => SECRET,
        buffer: Buffer.from(SECRET),
      },
      "x",
    );
    expect(lines[0]).not.toContain(SECRET);
  });

  test("text that looks like XML ends where that begins", () => {
    const xml = `<message><body>${SECRET}</body></message>`;
    const { log, only, lines } = written();
    log.info({ about: `got ${xml}`, err: new Error(`cannot read ${toBytes(xml)}`) }, "x");
    expect(lines[0]).not.toContain(SECRET);
    expect(only()).toMatchObject({ about: "got [redacted]", err: { message: "cannot read [redacted]" } });
  });

  test("an error: what it says and where it happened, not what else it carries", () => {
    const extra = [{ name: "query", ns: "", attributes: {}, children: [SECRET] }];
    const error = Object.assign(new StanzaError("conflict", { text: "taken", extra }), { password: SECRET });
    const { log, only, lines } = written();
    log.error({ err: error }, "x");
    expect(lines[0]).not.toContain(SECRET);
    expect(only()).toMatchObject({
      err: {
        type: "StanzaError",
        condition: "conflict",
        message: "taken",
        stack: expect.stringMatching(/^at .*log\.test\.ts/),
      },
    });
  });

  test("an error's cause and code", () => {
    const cause = Object.assign(new Error("no such file"), { code: "ENOENT", syscall: "open", path: SECRET });
    const { log, only, lines } = written();
    log.error({ err: new Error("failed", { cause }) }, "x");
    expect(only()).toMatchObject({ err: { message: "failed", cause: { code: "ENOENT", syscall: "open" } } });
    expect(lines[0]).not.toContain(SECRET);
  });

  test("a resource: addresses are bare", () => {
    const jid = parseJid("romeo@example.org/orchard");
    const { log, only } = written();
    log.info({ jid, from: jid.full, to: "juliet@example.org/balcony/west", account: "romeo@example.org" }, "x");
    expect(only()).toMatchObject({
      jid: "romeo@example.org",
      from: "romeo@example.org",
      to: "juliet@example.org",
      account: "romeo@example.org",
    });
  });
});

describe("hostile fields", () => {
  test("a circle ends", () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const { log, lines } = written();
    log.info({ circle, list: [circle] }, "x");
    expect(lines).toHaveLength(1);
    const error = new Error("a");
    error.cause = error;
    log.info({ err: error }, "x");
    expect(lines).toHaveLength(2);
  });

  test("long text is cut, and new lines do not make lines", () => {
    const { log, lines } = written();
    log.info({ about: "x".repeat(100_000), more: "a\nb\u2028c" }, "x");
    expect(lines[0]?.length).toBeLessThan(2_000);
    expect(lines[0]?.match(/\n/g)).toHaveLength(1);
  });

  test("values that JSON does not know", () => {
    expect(safeFields({ a: 10n, b: undefined, c: null, d: Number.NaN, e: Symbol("x"), f: true })).toEqual({
      a: "10",
      b: undefined,
      c: null,
      d: Number.NaN,
      e: expect.any(Symbol),
      f: true,
    });
    const { log, lines } = written();
    log.info({ a: 10n, e: Symbol("x") }, "x");
    expect(lines).toHaveLength(1);
  });
});
