/** The public door of @kith/server: what an application embeds, and what a module of one's own is written with. */
export { type App, type AppOptions, createApp, type Listening } from "./app.ts";
export { type Config, ConfigError, defineConfig, type KithConfig, loadConfig, readConfig } from "./config.ts";
export * from "./core.ts";
export * from "./fabric/fabric.ts";
export * from "./fabric/local.ts";
export * from "./fabric/ranking.ts";
export { createLog, type LogOptions, type ServerLog } from "./log.ts";
export * from "./module.ts";
export type { ModuleServices, OwnModules } from "./own-modules.ts";
export * from "./router/log.ts";
export * from "./session/door.ts";
export * from "./session/timer.ts";
export * from "./stanza-ids.ts";
export * from "./store/memory.ts";
export * from "./store/messages.ts";
export { openSqliteStore, type SqliteStoreOptions } from "./store/sqlite.ts";
export * from "./store/store.ts";
