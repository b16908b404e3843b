/** SASL as a server begins it. */
import { SaslError } from "../errors.ts";
import { anonymousServer } from "./anonymous.ts";
import { externalServer } from "./external.ts";
import { isMechanismName, MECHANISMS } from "./mechanisms.ts";
import { plainServer } from "./plain.ts";
import type { ServerMechanism, ServerOptions } from "./roles.ts";
import { scramServer } from "./scram-server.ts";

/**
 * The attempt that <auth mechanism='…'/> begins. Throws SaslError: "invalid-mechanism" for one that was not offered,
 * "encryption-required" for PLAIN where only TLS is wanting (RFC 6120 §6.5.4, §6.5.7).
 */
export const serverMechanism = (name: string, options: ServerOptions): ServerMechanism => {
  if (!isMechanismName(name)) throw new SaslError("invalid-mechanism");
  if (!options.offer.mechanisms.includes(name)) {
    throw new SaslError(name === "PLAIN" && !options.secure ? "encryption-required" : "invalid-mechanism");
  }
  const mechanism = MECHANISMS[name];
  switch (mechanism.kind) {
    case "external":
      return externalServer(options.backend);
    case "plain":
      return plainServer(options.backend);
    case "anonymous":
      return anonymousServer(options.backend);
    case "scram":
      return scramServer(name, mechanism, options);
  }
};
