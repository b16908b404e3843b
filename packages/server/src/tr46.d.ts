/** The part of the library that is used; it brings no declarations of its own. */
declare module "tr46" {
  export interface Options {
    readonly checkBidi?: boolean;
    readonly checkHyphens?: boolean;
    readonly checkJoiners?: boolean;
    readonly ignoreInvalidPunycode?: boolean;
    readonly transitionalProcessing?: boolean;
    readonly useSTD3ASCIIRules?: boolean;
    readonly verifyDNSLength?: boolean;
  }
  /** `null`: not a domain name. */
  export function toASCII(domain: string, options?: Options): string | null;
}
