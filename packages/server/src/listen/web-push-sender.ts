import { createECDH } from "node:crypto";
import { type LookupAddress, lookup } from "node:dns";
import { type RequestOptions, request } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { WebPushSubscription } from "@kith/protocol";
import ipaddr from "ipaddr.js";
import type { Log } from "../router/log.ts";

export interface WebPushSenderOptions {
  readonly log: Log;
  /** From connecting to the answer, in milliseconds. Default 10 s. */
  readonly timeoutMs?: number;
  /** Requests under way at once; more are not sent. Default 100. */
  readonly concurrent?: number;
  /** May this address be connected to? Default: it is one of the public internet's. */
  readonly isPublic?: (address: string) => boolean;
  /** Ports that may be connected to. Default: that of HTTPS alone. */
  readonly ports?: readonly number[];
  /** Certificates to trust in place of the machine's, as PEM. */
  readonly ca?: string;
  /** Looks names up. Default: as this machine does. */
  readonly lookUp?: (name: string, done: (error: Error | null, found: readonly LookupAddress[]) => void) => void;
}

/** As the module sees it (`modules/web-push.ts`); written here as well, since listeners know no modules. */
interface Vapid {
  readonly publicKey: string;
  readonly privateKey: string;
  readonly subject: string;
}
type Outcome = "sent" | "gone" | "failed";

/** A push service keeps a notification for a browser that is away so long, in seconds: four weeks. */
const KEEP_SECONDS = 2_419_200;
/** One that is kept is replaced by the next (RFC 8030 §5.4): they all say that there is something to come for. */
const TOPIC = "messages";
const LONGEST_ENDPOINT = 2_048;
const HTTPS = 443;

/**
 * Sends to the push services of browsers. Where that is, clients say, who may be anybody: so only HTTPS, to a name that stands for nothing
 * but public addresses when it is looked up for this very connection, no redirections, nothing of the answer read but its status.
 */
export class WebPushHttpSender {
  readonly #options: WebPushSenderOptions;
  readonly #ports: readonly number[];
  readonly #lookup: LookupFunction;
  #underWay = 0;

  constructor(options: WebPushSenderOptions) {
    this.#options = options;
    this.#ports = options.ports ?? [HTTPS];
    this.#lookup = publicOnly(options.lookUp ?? lookUpHere, options.isPublic ?? isPublicAddress);
  }

  /** RFC 8292 §2: a key pair on P-256. */
  createKeys(): { publicKey: string; privateKey: string } {
    const pair = createECDH("prime256v1");
    const publicKey = pair.generateKeys("base64url");
    // Leading zeros are left out, and belong to it.
    const privateKey = Buffer.from(pair.getPrivateKey("hex").padStart(64, "0"), "hex").toString("base64url");
    return { publicKey, privateKey };
  }

  accepts(endpoint: string): boolean {
    if (endpoint.length > LONGEST_ENDPOINT || !URL.canParse(endpoint)) return false;
    const { protocol, hostname, port, username, password } = new URL(endpoint);
    if (protocol !== "https:" || username !== "" || password !== "") return false;
    // A name with a dot in it, and no address: those in brackets are IPv6.
    const isName = hostname.includes(".") && isIP(hostname) === 0 && !hostname.startsWith("[");
    return isName && this.#ports.includes(port === "" ? HTTPS : Number(port));
  }

  async send({ endpoint, p256dh, auth }: WebPushSubscription, payload: string, vapid: Vapid): Promise<Outcome> {
    const { concurrent = 100, log } = this.#options;
    if (!this.accepts(endpoint)) return "gone";
    if (this.#underWay >= concurrent) return "failed";
    this.#underWay++;
    const { host } = new URL(endpoint);
    try {
      const status = await this.#post(endpoint, await requestOf(endpoint, { p256dh, auth }, payload, vapid));
      const outcome = outcomeOf(status);
      log.debug({ service: host, status }, "web push");
      return outcome;
    } catch (error) {
      log.debug({ service: host, err: error }, "web push failed");
      return "failed";
    } finally {
      this.#underWay--;
    }
  }

  #post(endpoint: string, { method, headers, body }: Outgoing): Promise<number> {
    const { ca, timeoutMs = 10_000 } = this.#options;
    const options: RequestOptions = {
      method,
      headers,
      lookup: this.#lookup,
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      ...(ca === undefined ? {} : { ca }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(endpoint, options, (response) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }
}

interface Outgoing {
  readonly method: string;
  readonly headers: Record<string, string | number>;
  readonly body: Uint8Array;
}

/** The library is loaded when it is first needed: most servers never do, and it takes 15 MB. */
const requestOf = async (
  endpoint: string,
  keys: { readonly p256dh: string; readonly auth: string },
  payload: string,
  { subject, publicKey, privateKey }: Vapid,
): Promise<Outgoing> => {
  const { default: webPush } = await import("web-push");
  const { method, headers, body } = webPush.generateRequestDetails({ endpoint, keys }, payload, {
    vapidDetails: { subject, publicKey, privateKey },
    TTL: KEEP_SECONDS,
    urgency: "high",
    topic: TOPIC,
    contentEncoding: "aes128gcm",
  });
  return { method, headers: { ...headers, Connection: "close" }, body: body ?? new Uint8Array() };
};

/** RFC 8030 §5, §7.3; RFC 8292 §4.2: 403 is for a subscription that is bound to another key. */
const outcomeOf = (status: number): Outcome => {
  if (status >= 200 && status < 300) return "sent";
  return status === 404 || status === 410 || status === 403 ? "gone" : "failed";
};

/** An address that anybody on the internet could reach; not this machine, nor a neighbour of it. */
export const isPublicAddress = (text: string): boolean => {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  // Of IPv6 only 2000::/3 has been given out (RFC 4291 §2.4); what embeds an IPv4 address is not what it seems.
  const isGiven = address instanceof ipaddr.IPv4 || (address.parts[0] ?? 0) >> 13 === 1;
  return isGiven && address.range() === "unicast";
};

/**
 * Looks a name up and fails where any of its addresses is none to connect to: a name that stands for both is nobody's push service. The
 * address that was judged is the one that is connected to, so that a name cannot change between.
 */
const publicOnly =
  (lookUp: NonNullable<WebPushSenderOptions["lookUp"]>, isPublic: (address: string) => boolean): LookupFunction =>
  (hostname, options, done) => {
    lookUp(hostname, (error, found) => {
      const problem = error ?? problemWith(found, isPublic);
      const [first] = found;
      if (problem !== undefined || first === undefined) done(problem ?? null, "", 0);
      else if (options.all === true) done(null, [...found]);
      else done(null, first.address, first.family);
    });
  };

const lookUpHere: NonNullable<WebPushSenderOptions["lookUp"]> = (name, done) =>
  lookup(name, { all: true }, (error, found) => done(error, error === null ? found : []));

const problemWith = (found: readonly LookupAddress[], isPublic: (address: string) => boolean): Error | undefined => {
  if (found.length === 0) return new Error("the name stands for no address");
  return found.every(({ address }) => isPublic(address))
    ? undefined
    : new Error("the name stands for an address that is not public");
};
