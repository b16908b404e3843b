export * from "./bind.ts";
export * from "./error.ts";
export * from "./features.ts";
export * from "./header.ts";
export * from "./namespaces.ts";
