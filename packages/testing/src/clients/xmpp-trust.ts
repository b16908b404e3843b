import { readFileSync } from "node:fs";
import { setDefaultCACertificates } from "node:tls";

/** So that a server's certificate is checked, not overlooked: from now on this one, and no other. */
export const trust = (certificateFile: string): void => {
  setDefaultCACertificates([readFileSync(certificateFile, "utf8")]);
};
