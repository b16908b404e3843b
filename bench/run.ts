/** What one run of one scenario has brought, as it is kept. */
import type { Figures } from "./figures.ts";
import type { Machine } from "./machine.ts";
import type { Unit } from "./scenarios.ts";

export interface Run {
  readonly scenario: string;
  readonly title: string;
  readonly unit: Unit;
  /** The contender's name, title and version. */
  readonly contender: string;
  readonly contenderTitle: string;
  readonly version: string;
  /** From 1. */
  readonly run: number;
  /** ISO 8601. */
  readonly at: string;
  readonly seconds: { readonly warmup: number; readonly duration: number };
  readonly serverCores: string;
  readonly generatorCores: string;
  readonly machine: Machine;
  readonly figures: Figures;
}

/** Reads lines of JSON. */
export const readRuns = (text: string): readonly Run[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Run);
