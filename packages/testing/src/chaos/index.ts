export { runChaos } from "./campaign.ts";
export type { Violation } from "./findings.ts";
export type { ChaosOptions } from "./options.ts";
export type { Report } from "./report.ts";
