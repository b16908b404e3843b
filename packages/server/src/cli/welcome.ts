/** What somebody at a terminal is told when the server has started. */
import type { Config } from "../config.ts";
import type { Environment } from "../config-environment.ts";
import type { Listening } from "./server.ts";

export const welcome = (
  config: Config,
  listeners: readonly Listening[],
  environment: Environment,
): readonly string[] => {
  const [host = "localhost"] = config.hosts.keys();
  // In a checkout the command is not on the path; npm finds it.
  const kith = environment.npm_lifecycle_event === undefined ? "kith" : "npx kith";
  const port = (kind: string): number | undefined => listeners.find((listener) => listener.kind === kind)?.port;
  const ports = [
    ...(port("c2s") === undefined ? [] : [`port ${port("c2s")} (STARTTLS)`]),
    ...(port("c2s-tls") === undefined ? [] : [`port ${port("c2s-tls")} (TLS)`]),
  ];
  const isSelfSigned =
    [...config.hosts.values()].some(({ files }) => files === undefined) && config.files === undefined;
  return [
    "",
    `Kith serves ${[...config.hosts.keys()].join(", ")}.`,
    `  Connect a client to:  ${host}, ${ports.join(" or ")}`,
    `  Make an account:      ${kith} user add you@${host}`,
    ...(config.hosts.get(host as never)?.registration === "closed" ? [] : [`  Invite somebody:      ${kith} invite`]),
    ...(isSelfSigned
      ? ["  The certificate is one of the server's own making: a client will ask whether to trust it."]
      : []),
    "",
  ];
};
