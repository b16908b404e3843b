export * from "./happenings.ts";
export * from "./server.ts";
