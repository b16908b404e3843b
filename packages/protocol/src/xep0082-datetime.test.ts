import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatDate,
  formatDateTime,
  formatOffset,
  formatTime,
  parseDate,
  parseDateTime,
  parseOffset,
  parseTime,
} from "./xep0082-datetime.ts";

describe("XEP-0082 §3.2: DateTime", () => {
  test("is written in UTC, with a fraction only where there is one", () => {
    expect(formatDateTime(Date.UTC(2031, 4, 17, 9, 30, 5))).toBe("2031-05-17T09:30:05Z");
    expect(formatDateTime(Date.UTC(2031, 4, 17, 9, 30, 5, 40))).toBe("2031-05-17T09:30:05.040Z");
  });

  test.each([
    ["1969-07-21T02:56:15Z", Date.UTC(1969, 6, 21, 2, 56, 15)],
    ["1969-07-20T21:56:15-05:00", Date.UTC(1969, 6, 21, 2, 56, 15)],
    ["2031-05-17T00:15:00+05:45", Date.UTC(2031, 4, 16, 18, 30)],
    ["2031-05-17T09:30:05.04Z", Date.UTC(2031, 4, 17, 9, 30, 5, 40)],
    ["2031-05-17T09:30:05.123456789Z", Date.UTC(2031, 4, 17, 9, 30, 5, 123)],
    ["2028-02-29T12:00:00Z", Date.UTC(2028, 1, 29, 12)],
    ["2031-12-31T24:00:00Z", Date.UTC(2032, 0, 1)],
    ["0099-01-01T00:00:00Z", new Date(0).setUTCFullYear(99, 0, 1)],
  ])("reads %s", (text, moment) => {
    expect(parseDateTime(text)).toBe(moment);
  });

  test.each([
    "",
    "T",
    "Z",
    "2031-05-17",
    "2031-05-17T09:30:05",
    "2031-05-17 09:30:05Z",
    "20310517T09:30:05",
    "2031-02-29T00:00:00Z",
    "2031-13-01T00:00:00Z",
    "2031-00-10T00:00:00Z",
    "2031-05-17T24:00:01Z",
    "2031-05-17T24:00:00.5Z",
    "2031-05-17T09:60:00Z",
    "2031-05-17T09:30:60Z",
    "2031-05-17T09:30:05.Z",
    "2031-05-17T09:30:05+14:01",
    "2031-05-17T09:30:05+0100",
    "0000-01-01T00:00:00Z",
    "+02031-05-17T09:30:05Z",
    "12031-05-17T09:30:05Z",
    "2031-05-17T09:30:05Z\n",
    "٢٠٣١-05-17T09:30:05Z",
  ])("refuses %j", (text) => {
    expect(parseDateTime(text)).toBeUndefined();
  });

  test("a very long fraction is read, and costs no more than its length", () => {
    expect(parseDateTime(`2031-05-17T09:30:05.${"9".repeat(200_000)}Z`)).toBe(Date.UTC(2031, 4, 17, 9, 30, 5, 999));
  });

  test("what is written is read as the same moment", () => {
    const moments = fc.date({
      min: new Date("0001-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59.999Z"),
      noInvalidDate: true,
    });
    fc.assert(fc.property(moments, (date) => parseDateTime(formatDateTime(date.getTime())) === date.getTime()));
  });
});

test("XEP-0082 §3.1: Date", () => {
  expect(formatDate(Date.UTC(2031, 4, 17, 23, 59))).toBe("2031-05-17");
  expect(parseDate("1776-07-04")).toBe(Date.UTC(1776, 6, 4));
  expect(parseDate("1776-7-4")).toBeUndefined();
  expect(parseDate("1900-02-29")).toBeUndefined();
});

test("XEP-0082 §3.3: Time, with and without a zone", () => {
  expect(parseTime("16:00:00")).toEqual({ milliseconds: 57_600_000, offset: undefined });
  expect(parseTime("16:00:00.25Z")).toEqual({ milliseconds: 57_600_250, offset: 0 });
  expect(parseTime("16:00:00+07:00")).toEqual({ milliseconds: 57_600_000, offset: 420 });
  expect(parseTime("16:00:00+15:00")).toBeUndefined();
  expect(parseTime("4pm")).toBeUndefined();
  for (const text of ["16:00:00", "16:00:00.250Z", "16:00:00-03:30"]) {
    expect(formatTime(parseTime(text) ?? { milliseconds: 0, offset: 0 })).toBe(text);
  }
});

test("XEP-0082 §2.1: Time Zone Definition", () => {
  expect([0, -360, 345, -210].map(formatOffset)).toEqual(["+00:00", "-06:00", "+05:45", "-03:30"]);
  expect(["Z", "-06:00", "+05:45", "-00:00"].map(parseOffset)).toEqual([0, -360, 345, 0]);
  expect(["", "z", "+24:00", "+01:60", "01:00", "+1:00"].map(parseOffset)).toEqual(Array(6).fill(undefined));
});
