export * from "./chat-client.ts";
export * from "./component.ts";
export * from "./network.ts";
export * from "./profanity.ts";
export * from "./slixmpp.ts";
export * from "./xmpp-fast.ts";
export * from "./xmpp-js.ts";
export * from "./xmpp-mobile.ts";
