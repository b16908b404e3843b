import { expect, test } from "vitest";
import {
  type AccessClient,
  Clients,
  ListClients,
  NS_CLIENT_ACCESS,
  passwordResetRequired,
  RevokeClient,
} from "./xep0494-client-access.ts";
import { element } from "./xml/element.ts";
import { parseElement } from "./xml/read.ts";
import { writeElement } from "./xml/write.ts";

const badRequest = expect.objectContaining({ name: "StanzaError", condition: "bad-request" });
const PHONE: AccessClient = {
  id: "k3",
  type: "session",
  connected: true,
  firstSeen: Date.parse("2031-05-01T10:00:00Z"),
  lastSeen: Date.parse("2031-05-17T09:30:00Z"),
  authentications: ["password", "fast"],
  permission: "unrestricted",
  software: "Lantern",
  uri: "https://lantern.example/",
  device: "Watchman's phone",
};
const TOOL: AccessClient = {
  id: "k4",
  type: "access",
  connected: false,
  firstSeen: undefined,
  lastSeen: undefined,
  authentications: ["grant"],
  permission: "restricted",
  software: undefined,
  uri: undefined,
  device: undefined,
};

test("XEP-0494 §3.1: the list is asked for", () => {
  expect(writeElement(ListClients.build(undefined))).toBe("<list xmlns='urn:xmpp:cam:0'/>");
  expect(ListClients.parse(ListClients.build(undefined))).toBeUndefined();
});
test("XEP-0494 §3.1: a client is described as the example shows it", () => {
  expect(writeElement(Clients.build([PHONE]))).toBe(
    "<clients xmlns='urn:xmpp:cam:0'><client connected='true' id='k3' type='session'>" +
      "<first-seen>2031-05-01T10:00:00Z</first-seen><last-seen>2031-05-17T09:30:00Z</last-seen>" +
      "<auth><password/><fast/></auth><permission status='unrestricted'/>" +
      "<user-agent><software>Lantern</software><uri>https://lantern.example/</uri><device>Watchman's phone</device></user-agent>" +
      "</client></clients>",
  );
});
test("XEP-0494 §3.1: what is not known is left out", () => {
  expect(writeElement(Clients.build([TOOL]))).toBe(
    "<clients xmlns='urn:xmpp:cam:0'><client connected='false' id='k4' type='access'>" +
      "<auth><grant/></auth><permission status='restricted'/></client></clients>",
  );
});
test("XEP-0494 §3.1: clients come back as they were", () => {
  expect(Clients.parse(Clients.build([PHONE, TOOL]))).toEqual([PHONE, TOOL]);
  expect(Clients.parse(Clients.build([]))).toEqual([]);
});
const client = (attributes: string, children: string) =>
  parseElement(`<clients xmlns='${NS_CLIENT_ACCESS}'><client ${attributes}>${children}</client></clients>`);
const REST = "<auth/><permission status='normal'/>";
test("XEP-0494 §3.1: unknown ways in, empty descriptions and odd times are passed over", () => {
  const read = Clients.parse(
    client(
      "id='a' type='access' connected='1'",
      "<last-seen>late</last-seen><auth><palm/><fast xmlns='urn:x'/></auth><permission status='normal'/><user-agent><device> </device></user-agent>",
    ),
  );
  expect(read).toEqual([{ ...TOOL, id: "a", connected: true, authentications: [], permission: "normal" }]);
});
test.each([
  ["type='access'", REST],
  ["id='' type='access'", REST],
  ["id='a'", REST],
  ["id='a' type='robot'", REST],
  ["id='a' type='access'", "<permission status='normal'/>"],
  ["id='a' type='access'", "<auth/>"],
  ["id='a' type='access'", "<auth/><permission status='all'/>"],
])("XEP-0494 §3.1: %s with %s is no client", (attributes, children) => {
  expect(() => Clients.parse(client(attributes, children))).toThrow(badRequest);
});
test("XEP-0494 §3.2: a client's access is taken by its id", () => {
  expect(writeElement(RevokeClient.build("k3"))).toBe("<revoke xmlns='urn:xmpp:cam:0' id='k3'/>");
  expect(RevokeClient.parse(RevokeClient.build("k3"))).toBe("k3");
  expect(() => RevokeClient.parse(element(NS_CLIENT_ACCESS, "revoke"))).toThrow(badRequest);
  expect(() => RevokeClient.parse(element(NS_CLIENT_ACCESS, "revoke", { id: "" }))).toThrow(badRequest);
  expect(writeElement(passwordResetRequired)).toBe("<password-reset-required xmlns='urn:xmpp:cam:0'/>");
});
