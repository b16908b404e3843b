import type { DomainJid } from "@kith/protocol";
import type { Config } from "./config.ts";
import { asciiHost } from "./listen/development-certificate.ts";
import { WebPushHttpSender } from "./listen/web-push-sender.ts";
import type { PushSettings } from "./modules/index.ts";
import type { Log } from "./router/log.ts";

const TELLING = {
  count: { sender: false, body: false },
  sender: { sender: true, body: false },
  text: { sender: true, body: true },
} as const;

/** What the configuration says of waking people up. */
export const pushSettings = ({ push, hosts }: Pick<Config, "push" | "hosts">, log: Log): PushSettings => ({
  services: push.services ? { telling: TELLING[push.tell] } : undefined,
  browsers: push.browsers
    ? {
        telling: TELLING[push.tellBrowsers],
        sender: new WebPushHttpSender({ log }),
        subject: (domain) => mailOf(hosts.get(domain)?.contacts ?? {}, domain),
      }
    : undefined,
});

/** Whom a push service may turn to (RFC 8292 §2.1): a contact of the host that reads mail, or whom every host has (RFC 2142 §5). */
const mailOf = (contacts: Readonly<Record<string, readonly string[] | undefined>>, domain: DomainJid): string =>
  Object.values(contacts)
    .flatMap((addresses) => addresses ?? [])
    .find((address) => /^mailto:/i.test(address)) ?? `mailto:postmaster@${asciiHost(domain)}`;
