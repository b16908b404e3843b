import {
  DEFAULT_ROOM_CONFIGURATION,
  parseJid,
  parseRaw,
  presence,
  readdressed,
  readStanza,
  toBytes,
} from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { Room, type RoomOutputs } from "./index.ts";
import { client, MUC, ROOM, RoomScene, X } from "./test-room.ts";

describe("a room has everybody back after a restart", () => {
  const lived = () => {
    const scene = new RoomScene({ configuration: { isModerated: true, name: "Den" } });
    scene.affiliates({ ada: "admin", mem: "member", bad: "outcast" });
    for (const [name, nick] of [
      ["ola", "Ola"],
      ["ada", "Ada"],
      ["mem", "Mem"],
      ["bo", "Bo"],
    ] as const)
      scene.enters(name, nick);
    scene.enters(
      "bo/phone",
      "Bo",
      `${X}<priority>7</priority><show>away</show><status xml:lang='pt'>chá &amp; pão</status>`,
    );
    scene.asks("ola", `<query xmlns='${MUC}#admin'><item nick='Bo' role='participant'/></query>`);
    scene.sends("ola", `<message to='${ROOM}' type='groupchat'><subject>Tea</subject></message>`);
    scene.sends("bo", `<message to='${ROOM}' type='groupchat' id='m1'><body>hello</body></message>`);
    scene.quiet();
    return scene;
  };

  test("what was kept is the room, without a word to anybody", () => {
    const scene = lived();
    const all = () => {
      const { affiliations, ...settings } = scene.room.snapshot();
      return JSON.parse(
        JSON.stringify([settings, Object.fromEntries(affiliations), scene.room.sessionsSnapshot(), scene.room.info()]),
      );
    };
    const before = all();
    scene.restart();
    expect(all()).toEqual(before);
    expect(scene.unheard).toEqual([]);
  });

  test("and goes on as if nothing had been: the same words to whoever enters, leaves and speaks", () => {
    const heard = [false, true].map((restarts) => {
      const scene = lived();
      if (restarts) scene.restart();
      scene.sends("cy", `<presence to='${ROOM}/Cy'>${X}</presence>`);
      scene.sends("bo/phone", `<presence to='${ROOM}/Bo' type='unavailable'/>`);
      scene.sends("bo", `<message to='${ROOM}' type='groupchat' id='m2'><body>still here</body></message>`);
      scene.sends("mem", `<presence to='${ROOM}/Memo'/>`);
      return ["ola", "ada", "mem", "bo", "bo/phone", "cy"].map((name) => scene.hears(name));
    });
    expect(heard[1]).toEqual(heard[0]);
    expect(heard[0]?.[5]).toContain("groupchat Bo: hello");
  });

  test("a room that was locked is locked still", () => {
    const scene = new RoomScene({ locked: true });
    scene.enters("ola", "Ola");
    scene.restart();
    expect(scene.room.isLocked).toBe(true);
    expect(scene.refusal("bo", `<presence to='${ROOM}/Bo'>${X}</presence>`)).toBe("item-not-found");
  });
});

describe("a room of ten thousand", () => {
  const SIZE = 10_000;
  const joined = (at: number) => {
    const from = parseJid(`u${at}@host.example/pad`);
    return readdressed(
      readStanza(parseRaw(toBytes(`<presence to='${ROOM}/u${at}'>${X}</presence>`))),
      from,
      parseJid(`${ROOM}/u${at}`),
    );
  };
  const big = () => {
    const options = { jid: parseJid(ROOM), occupantId: (account: string) => account, newId: () => "n" };
    const configuration = { ...DEFAULT_ROOM_CONFIGURATION, isPersistent: true };
    const room = Room.create(options, { creator: parseJid("u0@host.example"), configuration, locked: false });
    const sessions = Array.from({ length: SIZE }, (_, at) => ({
      jid: `u${at}@host.example/pad`,
      nick: `u${at}`,
      role: at === 0 ? ("moderator" as const) : ("participant" as const),
      priority: 0,
      presence: { payload: presence({}).payload, index: [] },
      isShown: true,
      order: at,
    }));
    return Room.restore(options, room.snapshot(), { sessions });
  };
  const sends = (outputs: RoomOutputs | undefined) =>
    (outputs ?? []).flatMap((output) => (output.is === "send" ? [output] : []));

  test("whoever enters: one stanza a class for the others, everybody's presence as it was written before", () => {
    const room = big();
    const first = sends(room.receive(joined(SIZE), 0));
    const second = sends(room.receive(joined(SIZE + 1), 0));
    const [roster, informed, uninformed, own] = second;
    expect(second.map(({ stanzas, to }) => [stanzas.length, to.length])).toEqual([
      [SIZE + 1, 1],
      [1, 1],
      [1, SIZE],
      [1, 1],
      [1, 1],
    ]);
    expect(roster?.stanzas.slice(0, SIZE).every((stanza, at) => stanza === first[0]?.stanzas[at])).toBe(true);
    expect(informed?.stanzas[0]?.payload).toContain("jid=");
    expect(uninformed?.stanzas[0]?.payload).not.toContain("jid=");
    expect(own?.stanzas[0]?.payload).toContain("110");
  });

  test("a message is one stanza, and its recipients one list until somebody comes or goes", () => {
    const room = big();
    const say = () => {
      const message = readStanza(parseRaw(toBytes(`<message to='${ROOM}' type='groupchat'><body>hi</body></message>`)));
      const outputs = room.receive(readdressed(message, parseJid("u5@host.example/pad"), parseJid(ROOM)), 0) ?? [];
      return outputs.flatMap((output) => (output.is === "say" ? [output.to] : []))[0];
    };
    const to = say();
    expect(to).toHaveLength(SIZE);
    expect(say()).toBe(to);
    room.remove(client("nobody").full, "gone");
    expect(say()).toBe(to);
    room.remove(parseJid("u7@host.example/pad").full, "gone");
    expect(say()).toHaveLength(SIZE - 1);
  });
});
