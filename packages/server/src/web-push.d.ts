/** The part of the library that is used; it brings no declarations of its own. */
declare module "web-push" {
  export interface RequestDetails {
    readonly method: string;
    readonly headers: Readonly<Record<string, string | number>>;
    readonly body: Buffer | null;
    readonly endpoint: string;
  }
  export interface RequestOptions {
    readonly vapidDetails: { readonly subject: string; readonly publicKey: string; readonly privateKey: string };
    /** In seconds. */
    readonly TTL: number;
    readonly urgency: "very-low" | "low" | "normal" | "high";
    readonly topic: string;
    readonly contentEncoding: "aes128gcm";
  }
  const library: {
    generateVAPIDKeys(): { publicKey: string; privateKey: string };
    /** Throws Error where the subscription is no good. */
    generateRequestDetails(
      subscription: { endpoint: string; keys: { p256dh: string; auth: string } },
      payload: string,
      options: RequestOptions,
    ): RequestDetails;
  };
  export default library;
}
