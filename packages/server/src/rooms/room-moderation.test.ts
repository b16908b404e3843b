import { childOf, type Element, moderationIn, parseJid } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { client, ROOM, RoomScene, X } from "./test-room.ts";

const withPeople = () => {
  const scene = new RoomScene();
  scene.enters("ola", "Ola");
  scene.enters("bo", "Bo");
  for (const words of ["one", "two"])
    scene.sends("bo", `<message to='${ROOM}' type='groupchat'><body>${words}</body></message>`);
  scene.quiet();
  return scene;
};
const condition = (name: string) => expect.objectContaining({ condition: name });

describe("XEP-0425 §3", () => {
  test("everybody is told by the room, and history keeps a tombstone (§4)", () => {
    const scene = withPeople();
    scene.carryOut(scene.room.moderate(client("ola"), "sid-1", "spam", scene.now));
    const [told] = scene.stanzasFor("bo");
    expect(told?.attributes).toMatchObject({ from: ROOM, type: "groupchat" });
    const retraction = childOf(told as Element, "retract", "urn:xmpp:message-retract:1") as Element;
    expect(retraction.attributes.id).toBe("sid-1");
    expect(moderationIn(retraction)).toEqual({ by: parseJid(`${ROOM}/Ola`), occupantId: "id-ola", reason: "spam" });
    expect(scene.said.at(-1)).toMatchObject({ isArchived: true, sender: parseJid(ROOM) });
    scene.sends("cy", `<presence to='${ROOM}/Cy'>${X}</presence>`);
    const history = scene.stanzasFor("cy").filter(({ name }) => name === "message");
    expect(history.map((stanza) => childOf(stanza, "body", "") !== undefined)).toEqual([false, true, false]);
    expect(childOf(history[0] as Element, "retracted", "urn:xmpp:message-retract:1")?.attributes.stamp).toBe(
      "1970-01-01T00:16:40Z",
    );
    expect(history[0]?.attributes.from).toBe(`${ROOM}/Bo`);
  });

  test("forbidden for whoever is no moderator, not-acceptable for whoever is not there", () => {
    const scene = withPeople();
    expect(() => scene.room.moderate(client("bo"), "sid-1", undefined, 0)).toThrow(condition("forbidden"));
    expect(() => scene.room.moderate(client("ola/phone"), "sid-1", undefined, 0)).toThrow(condition("not-acceptable"));
    expect(() => scene.room.checkModerator(client("bo"))).toThrow(condition("forbidden"));
    expect(() => scene.room.checkModerator(client("ola"))).not.toThrow();
    expect(scene.room.history.entries.map(({ message }) => message.payload.includes("<body>"))).toEqual([true, true]);
  });
});
