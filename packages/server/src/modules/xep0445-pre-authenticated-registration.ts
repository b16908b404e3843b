import { type DomainJid, Preauth, registrationTokenFeature, StanzaError } from "@kith/protocol";
import { type Module, onVisitorSet, type Visitor } from "../module.ts";

export interface PreauthorizationOptions {
  /** May an account be made with an invitation at this host? */
  readonly isOpen: (domain: DomainJid) => boolean;
  /** A stream shows a token. `undefined`: it stands for nothing that an account can be made with. */
  readonly show: (visitor: Visitor, token: string) => Promise<unknown>;
}

/** XEP-0445: whoever shows an invitation may register; that they do is for XEP-0077. */
export const preauthorization = ({ isOpen, show }: PreauthorizationOptions): Module => ({
  name: "pre-authenticated-registration",
  xeps: [{ xep: "XEP-0445", version: "0.2.0" }],
  streamFeatures: { visitor: ({ domain, secure }) => (secure && isOpen(domain) ? [registrationTokenFeature] : []) },
  visitorIq: [
    onVisitorSet(Preauth, async ({ token }, visitor) => {
      const isGood = visitor.secure && isOpen(visitor.domain) && (await show(visitor, token)) !== undefined;
      if (!isGood) throw new StanzaError("item-not-found", { text: "The token is not valid, or not any more." });
      return { result: [] };
    }),
  ],
});
