export * from "./clock.ts";
export * from "./scene.ts";
export * from "./split-fabric.ts";
export * from "./xml.ts";
