/** What one run of one scenario found out, as numbers. */
export type Figures = Readonly<Partial<Record<FigureName, number>>>;

export type FigureName =
  /** Length of the measured part. */
  | "seconds"
  /** Messages, deliveries or logins in it. */
  | "units"
  | "perSecond"
  /** The server's user and system time for one unit, in microseconds. */
  | "serverMicros"
  /** The same, of one core. */
  | "serverPercent"
  /** The generator's, of one core. */
  | "generatorPercent"
  /** The server's resident memory at its largest. */
  | "peakBytes"
  /** From when a stanza was due, or a login begun, to its arrival. */
  | "p50Ms"
  | "p99Ms"
  | "maxMs"
  /** How late the generator was to send what was due, at worst. */
  | "latestSendMs"
  | "lost"
  | "doubled"
  | "reordered"
  | "damaged"
  /** Error stanzas in place of a delivery. */
  | "errors"
  /** Connections that the server has closed. */
  | "broken"
  /** Stanzas that the server has not acknowledged at the end; and acknowledgements of what was not sent. */
  | "unacknowledged"
  | "wrongAcks"
  /** The server's resident memory with nobody there, and with everybody there. */
  | "emptyBytes"
  | "heldBytes"
  /** What one session adds to it. */
  | "sessionBytes"
  /** The server's time while nothing happens, of one core. */
  | "idlePercent"
  /** How long the server went on working after the last stanza had arrived. */
  | "restSeconds"
  | PageFigure;

/** Where in an archive a page lies. */
export const PAGE_PLACES = ["first", "middle", "last"] as const;
export type PagePlace = (typeof PAGE_PLACES)[number];
/** From the request to the result, all messages of the page between them. */
type PageFigure = `${PagePlace}${"P50" | "P99"}Ms`;

/** A run with any of these is no good. */
export const FAULTS = [
  "lost",
  "doubled",
  "reordered",
  "damaged",
  "errors",
  "broken",
  "unacknowledged",
  "wrongAcks",
] as const satisfies FigureName[];
