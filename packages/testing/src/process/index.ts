export * from "./happenings.ts";
export * from "./honest-pair.ts";
export * from "./process-use.ts";
export * from "./program.ts";
export * from "./raw-client.ts";
export * from "./server.ts";
