import { handledCountTooHigh } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { FakeSession, HEADER, PASSWORD, type Peer, plainAuth, World } from "./test-streams.ts";

const NS = "urn:xmpp:sm:3";
const failed = (condition: string, attributes = "", text = ""): string =>
  `<failed xmlns='${NS}'${attributes}><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>${text}</failed>`;
const resume = (previd: string, h: string): string => `<resume xmlns='${NS}' h='${h}' previd='${previd}'/>`;

/** A stream that has authenticated and bound nothing. */
const authenticated = async (world: World): Promise<Peer> => {
  const peer = world.connectSecurely({});
  await peer.sends(HEADER);
  await peer.sends(plainAuth("juliet", PASSWORD));
  peer.received();
  await peer.sends(HEADER);
  return peer;
};

describe("enabling", () => {
  test("XEP-0198 §2: is offered once the client has authenticated", async () => {
    const world = new World();
    expect((await authenticated(world)).received()).toContain(`<sm xmlns='${NS}'/>`);
  });

  test("XEP-0198 §3: the answer names the stream and how long it may be resumed", async () => {
    const peer = await new World().login();
    await peer.sends(`<enable xmlns='${NS}' resume='true' max='60'/>`);
    expect(peer.received()).toBe(`<enabled xmlns='${NS}' id='stream-7' resume='true' max='60'/>`);
  });

  test("XEP-0198 §3: without resumption nothing is named", async () => {
    const peer = await new World().login();
    await peer.sends(`<enable xmlns='${NS}'/>`);
    expect(peer.received()).toBe(`<enabled xmlns='${NS}'/>`);
  });

  test("XEP-0198 §3: a second time is unexpected, and changes nothing", async () => {
    const peer = await new World().login();
    await peer.sends(`<enable xmlns='${NS}'/><enable xmlns='${NS}'/>`);
    expect(peer.received()).toBe(`<enabled xmlns='${NS}'/>${failed("unexpected-request")}`);
  });

  test("XEP-0198 §3: before a resource is bound it is unexpected", async () => {
    const world = new World();
    const peer = await authenticated(world);
    peer.received();
    await peer.sends(`<enable xmlns='${NS}'/><r xmlns='${NS}'/>`);
    expect(peer.received()).toBe(failed("unexpected-request").repeat(2));
    expect(world.door.sessions).toEqual([]);
  });

  test.each([
    ["a resume that is neither true nor false", "resume='perhaps'"],
    ["a max that is no number", "resume='true' max='soon'"],
    ["a max below zero", "resume='true' max='-1'"],
  ])("XEP-0198 §3: %s is refused", async (_, attributes) => {
    const peer = await new World().login();
    await peer.sends(`<enable xmlns='${NS}' ${attributes}/>`);
    expect(peer.received()).toContain("<bad-request");
  });
});

describe("acknowledging", () => {
  test("XEP-0198 §4: <r/> and <a/> reach the session, and nothing of it is a stanza", async () => {
    const world = new World();
    const peer = await world.login();
    await peer.sends(`<enable xmlns='${NS}'/><r xmlns='${NS}'/><a xmlns='${NS}' h='3'/>`);
    expect(world.door.session.told).toEqual(["r", "a 3"]);
    expect(world.door.session.received).toEqual([]);
  });

  test("XEP-0198 §4: where nothing is counted they mean nothing", async () => {
    const world = new World();
    const peer = await world.login();
    peer.received();
    await peer.sends(`<r xmlns='${NS}'/><a xmlns='${NS}' h='3'/>`);
    expect([peer.received(), peer.stream.isOver]).toEqual(["", false]);
  });

  test.each(["", "h='many'", "h='-1'", "h='4294967296'", "h='1.5'"])(
    "XEP-0198 §4: an <a/> with %j ends the stream",
    async (attributes) => {
      const world = new World();
      const peer = await world.login();
      await peer.sends(`<enable xmlns='${NS}'/><a xmlns='${NS}' ${attributes}/>`);
      expect(peer.received()).toContain("<bad-format");
      expect(world.door.session.how).toBe("closed");
    },
  );

  test("XEP-0198 §6: more than was sent ends the stream and says so", async () => {
    const world = new World();
    const peer = await world.login();
    await peer.sends(`<enable xmlns='${NS}'/>`);
    world.door.session.manager = {
      acknowledge: () => {},
      acknowledged: () => {
        throw handledCountTooHigh(9, 2);
      },
    };
    await peer.sends(`<a xmlns='${NS}' h='9'/>`);
    expect(peer.received()).toContain(`<handled-count-too-high xmlns='${NS}' h='9' send-count='2'/>`);
  });
});

describe("resuming", () => {
  test("XEP-0198 §5: instead of binding; what the client has not had follows the answer", async () => {
    const world = new World();
    const peer = await authenticated(world);
    peer.received();
    const session = new FakeSession({ bare: "juliet@capulet.example" } as never, peer.stream, undefined);
    world.door.resumable.set("stream-7", async () => ({
      is: "resumed",
      session,
      h: 5,
      replay: () => peer.stream.send("<message/>" as never),
    }));
    await peer.sends(resume("stream-7", "2"));
    expect(peer.received()).toBe(`<resumed xmlns='${NS}' h='5' previd='stream-7'/><message/>`);
    await peer.sends("<presence/>");
    expect(session.received).toEqual(["<presence/>"]);
    expect(world.door.sessions).toEqual([]);
  });

  test("XEP-0198 §5: a stream that is not there is not found, and a resource can be bound", async () => {
    const world = new World();
    const peer = await authenticated(world);
    peer.received();
    await peer.sends(resume("stream-7", "2"));
    expect(peer.received()).toBe(failed("item-not-found"));
    await peer.sends("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    expect(world.door.sessions).toHaveLength(1);
  });

  test("XEP-0198 §5: one that is over tells how far it had come", async () => {
    const world = new World();
    const peer = await authenticated(world);
    peer.received();
    world.door.resumable.set("stream-7", () => ({ is: "refused", h: 12 }));
    await peer.sends(resume("stream-7", "2"));
    expect(peer.received()).toBe(failed("item-not-found", " h='12'"));
  });

  test("XEP-0198 §5: with a resource it is unexpected", async () => {
    const peer = await new World().login();
    await peer.sends(resume("stream-7", "2"));
    expect(peer.received()).toBe(failed("unexpected-request"));
  });

  test.each([
    ["no previd", `<resume xmlns='${NS}' h='1'/>`],
    ["no h", `<resume xmlns='${NS}' previd='x'/>`],
    ["an h that is no number", resume("x", "one")],
    ["an h beyond 32 bits", resume("x", "4294967296")],
  ])("XEP-0198 §5: %s is refused", async (_, element) => {
    const peer = await authenticated(new World());
    peer.received();
    await peer.sends(element);
    expect(peer.received()).toContain("<bad-request");
    expect(peer.stream.isOver).toBe(false);
  });
});

describe("how a stream ends", () => {
  test("XEP-0198 §5: one that breaks off is lost, and may be resumed", async () => {
    const world = new World();
    const peer = await world.login();
    peer.stream.lost(undefined);
    expect(world.door.session.how).toBe("lost");
  });

  test("XEP-0198 §5: one that its client closes is closed", async () => {
    const world = new World();
    const peer = await world.login();
    await peer.sends("</stream:stream>");
    expect(world.door.session.how).toBe("closed");
  });

  test("one that breaks a rule is closed", async () => {
    const world = new World();
    const peer = await world.login();
    await peer.sends("<pigeon xmlns='urn:example:post'/>");
    expect(world.door.session.how).toBe("closed");
  });
});
