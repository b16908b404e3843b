/** What the command says when it ends; `kith --help` has them too. */
export const EXIT = {
  ok: 0,
  /** It could not be done; for "exists": there is none. */
  failure: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The configuration is wrong. */
  configuration: 3,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `Exit codes:
  0  done
  1  it could not be done; for "user exists": there is no such account
  2  the command line is wrong
  3  the configuration is wrong`;
