import {
  childrenOfStanza,
  type DomainJid,
  type Element,
  hasChild,
  type Message,
  NS_DELAY,
  tryJid,
  withChildren,
} from "@kith/protocol";
import type { Module } from "../module.ts";

/** XEP-0203 §5: takes away delays that somebody else gives out as the account's own server's. */
export const delay = (): Module => ({
  name: "delay",
  xeps: [{ xep: "XEP-0203", version: "2.0" }],
  receiving: {
    amend: (stanza) =>
      stanza.kind === "message" && stanza.to !== undefined && hasChild(stanza, NS_DELAY, "delay")
        ? withoutForgeries(stanza, stanza.to.domain)
        : stanza,
  },
});

const withoutForgeries = (message: Message, domain: DomainJid): Message => {
  const children = childrenOfStanza(message);
  const honest = children.filter((child) => !claims(child, domain));
  return honest.length === children.length ? message : withChildren(message, honest);
};

const claims = ({ ns, name, attributes }: Element, domain: DomainJid): boolean =>
  ns === NS_DELAY && name === "delay" && tryJid(attributes.from ?? "")?.full === domain;
