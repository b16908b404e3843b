import { messagesSuite } from "./messages.suite.ts";
import { messagesModel } from "./messages-model.suite.ts";
import { openMemory } from "./test-messages.ts";

messagesSuite("the memory store", () => openMemory(2000));
messagesSuite("the memory store that forgets every owner but one", () => openMemory(1));
messagesModel(
  "the memory store that forgets",
  () => openMemory(1),
  () => openMemory(2000),
  200,
);
