/** Namespaces of RFC 6120's stream-level protocols. */
export const NS_STREAMS = "http://etherx.jabber.org/streams";
export const NS_CLIENT = "jabber:client";
export const NS_SERVER = "jabber:server";
/** XEP-0114. */
export const NS_COMPONENT = "jabber:component:accept";
export const NS_STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams";
export const NS_TLS = "urn:ietf:params:xml:ns:xmpp-tls";
export const NS_BIND = "urn:ietf:params:xml:ns:xmpp-bind";
/** RFC 3921 §3; RFC 6121 keeps it for old clients as a feature that does nothing. */
export const NS_SESSION = "urn:ietf:params:xml:ns:xmpp-session";
/** Application-specific conditions (XEP-0182). */
export const NS_ERRORS = "urn:xmpp:errors";
