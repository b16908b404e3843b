import { describe, expect, test } from "vitest";
import { DisableWebPush, EnableWebPush, NS_WEB_PUSH, WebPushKey } from "./web-push.ts";
import { parseElement } from "./xml/read.ts";

const ENDPOINT = "https://push.browser.example/s/1?a=b&c";
const point = (octets: number[]): string => Buffer.from(octets).toString("base64url");
const P256DH = point([4, ...Array.from({ length: 64 }, (_, at) => at + 190)]);
const AUTH = point(Array.from({ length: 16 }, (_, at) => 255 - at));
const enable = (endpoint: string, p256dh: string, auth: string) =>
  parseElement(
    `<enable xmlns='${NS_WEB_PUSH}' endpoint='${endpoint.replaceAll("&", "&amp;")}' p256dh='${p256dh}' auth='${auth}'/>`,
  );

describe("docs/push.md: a browser's subscription", () => {
  test("is read and written", () => {
    const value = { endpoint: ENDPOINT, p256dh: P256DH, auth: AUTH };
    expect(EnableWebPush.parse(enable(ENDPOINT, P256DH, AUTH))).toEqual(value);
    expect(EnableWebPush.build(value)).toEqual(enable(ENDPOINT, P256DH, AUTH));
  });

  test.each([
    ["no endpoint", enable("", P256DH, AUTH)],
    ["no key", enable(ENDPOINT, "", AUTH)],
    ["a compressed key", enable(ENDPOINT, point([2, ...Array.from({ length: 64 }, () => 1)]), AUTH)],
    ["a key that is too long", enable(ENDPOINT, point([4, ...Array.from({ length: 65 }, () => 1)]), AUTH)],
    ["a key with padding", enable(ENDPOINT, `${P256DH}=`, AUTH)],
    ["a key in the other Base 64", enable(ENDPOINT, P256DH.replaceAll("-", "+").replaceAll("_", "/"), AUTH)],
    ["a key with a line break", enable(ENDPOINT, `${P256DH}&#10;`, AUTH)],
    ["no secret", enable(ENDPOINT, P256DH, "")],
    ["a short secret", enable(ENDPOINT, P256DH, point([1, 2, 3]))],
    ["a secret whose unused bits are not zero", enable(ENDPOINT, P256DH, `${AUTH.slice(0, -1)}B`)],
    ["nothing", parseElement(`<enable xmlns='${NS_WEB_PUSH}'/>`)],
  ])("is refused with %s", (_, element) => {
    expect(() => EnableWebPush.parse(element)).toThrow(expect.objectContaining({ condition: "bad-request" }));
  });

  test("is disabled alone, or with all others", () => {
    for (const endpoint of [ENDPOINT, undefined]) {
      expect(DisableWebPush.parse(DisableWebPush.build(endpoint))).toBe(endpoint);
    }
  });
});

test("docs/push.md: the server's key is asked for and told", () => {
  expect(WebPushKey.build("")).toEqual(parseElement(`<key xmlns='${NS_WEB_PUSH}'/>`));
  expect(WebPushKey.parse(WebPushKey.build("BKd0"))).toBe("BKd0");
});
