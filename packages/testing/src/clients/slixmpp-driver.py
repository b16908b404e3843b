"""Drives slixmpp by JSON lines: commands on standard input, answers and what happens on standard output."""

import asyncio
import json
import logging
import sys
from datetime import datetime

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream import ET, tostring
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatcherId

NS_REGISTER = "jabber:iq:register"
# How long it rests before it tries to connect again, in seconds.
REST = 0.05

logging.basicConfig(level=logging.WARNING, stream=sys.stderr)


def say(**fields):
    print(json.dumps(fields), flush=True)


class Client(slixmpp.ClientXMPP):
    def __init__(self, options):
        super().__init__(options["jid"], options["password"])
        self.token = options.get("token")
        self.ca_certs = options["certificate"]
        self.auto_authorize = None
        self.auto_subscribe = False
        self.online = asyncio.get_running_loop().create_future()
        for plugin in ("xep_0030", "xep_0191", "xep_0199", "xep_0203", "xep_0280", "xep_0313", "xep_0352"):
            self.register_plugin(plugin)
        if options["register"]:
            self.register_before_sasl()
        self.add_event_handler("session_start", self.started)
        self.refusal = None
        self.add_event_handler("failed_auth", self.refused)
        self.add_event_handler("message", self.message)
        self.add_event_handler("roster_update", self.roster_changed)
        for direction in ("received", "sent"):
            self.add_event_handler("carbon_" + direction, self.carbon(direction))
        for kind in ("available", "unavailable", "subscribe"):
            self.add_event_handler("presence_" + kind, self.presence(kind))
        self.way_in = (("127.0.0.1", options["port"]), options["direct"])
        if options.get("mobile"):
            self.become_mobile()
        else:
            self.add_event_handler("disconnected", self.disconnected_for_good)
        self.connect(*self.way_in)

    def become_mobile(self):
        """It manages its stream (XEP-0198), and connects again whenever its connection breaks."""
        self.is_leaving = False
        self.register_plugin("xep_0198", {"window": 1})
        self.add_event_handler("disconnected", self.connect_again)
        for name, what in (("sm_enabled", "bound"), ("session_resumed", "resumed"), ("sm_failed", "refused")):
            self.add_event_handler(name, self.stream_is(what))
        self.add_event_handler("stanza_acked", self.acknowledged)

    def stream_is(self, what):
        return lambda _: say(event="stream", what=what, jid=self.boundjid.full)

    def acknowledged(self, stanza):
        if isinstance(stanza, slixmpp.Message):
            say(event="acknowledged", text=stanza["body"])

    async def connect_again(self, _):
        say(event="stream", what="lost", jid=self.boundjid.full)
        if not self.is_leaving:
            await asyncio.sleep(REST)
            self.connect(*self.way_in)

    def register_before_sasl(self):
        handlers = self._stream_feature_handlers
        authenticate, restart = handlers["mechanisms"]

        async def register(features):
            try:
                await self.make_account()
            except IqError as error:
                self.fail(error.condition)
                self.abort()
                return True
            result = authenticate(features)
            return await result if asyncio.iscoroutine(result) else result

        handlers["mechanisms"] = (register, restart)

    async def make_account(self):
        if self.token is not None:
            await self.payload("set", ET.Element("{urn:xmpp:pars:0}preauth", token=self.token))
        await self.payload("get", ET.Element("{%s}query" % NS_REGISTER))
        query = ET.Element("{%s}query" % NS_REGISTER)
        for name, value in (("username", self.requested_jid.user), ("password", self.password)):
            ET.SubElement(query, "{%s}%s" % (NS_REGISTER, name)).text = value
        await self.payload("set", query)

    async def payload(self, kind, element):
        """An IQ request before there is a session; `send` would keep it back until then."""
        iq = self.make_iq(itype=kind)
        iq["to"] = self.requested_jid.domain
        iq.append(element)
        answer = asyncio.get_running_loop().create_future()
        self.register_handler(Callback(iq["id"], MatcherId(iq["id"]), answer.set_result, once=True))
        self.send_raw(tostring(iq.xml, xmlns=self.default_ns, stream=self, top_level=True))
        result = await asyncio.wait_for(answer, 30)
        if result["type"] == "error":
            raise IqError(result)

    async def started(self, _):
        await self.get_roster()
        self.send_presence()
        # Answered after the presence has been handled.
        await self["xep_0199"].ping(self.requested_jid.domain)
        if not self.online.done():
            self.online.set_result(None)

    def refused(self, failure):
        """It goes on with the next mechanism by itself, until none is left or the server has had enough."""
        self.refusal = failure["condition"]

    def fail(self, condition):
        if not self.online.done():
            self.online.set_exception(Exception(condition))

    def disconnected_for_good(self, reason):
        self.fail(self.refusal or "disconnected: %s" % reason)
        say(event="disconnected")

    def message(self, message):
        say(
            event="message",
            type=message["type"],
            jid=message["from"].bare,
            text=message["body"],
            id=self.id_of(message),
            delayed=message.xml.find("{urn:xmpp:delay}delay") is not None,
            condition=message["error"]["condition"] if message["type"] == "error" else None,
        )

    def carbon(self, direction):
        def copied(message):
            original = message["carbon_" + direction]
            other = original["from"] if direction == "received" else original["to"]
            text, identifier = original["body"], self.id_of(original)
            say(event="carbon", direction=direction, jid=other.bare, text=text, id=identifier)

        return copied

    def id_of(self, message):
        """What the archive of the account calls it (XEP-0359)."""
        ids = message.xml.findall("{urn:xmpp:sid:0}stanza-id")
        own = [one.get("id") for one in ids if one.get("by") == self.boundjid.bare]
        return own[0] if len(own) == 1 else None

    async def archive(self, query):
        """XEP-0313: page by page, as the plugin goes."""
        bounds = {name: datetime.fromisoformat(query[name]) for name in ("start", "end") if name in query}
        with_jid = slixmpp.JID(query["with"]) if "with" in query else None
        found = self["xep_0313"].iterate(
            with_jid=with_jid, reverse=query.get("reverse", False), rsm={"max": query.get("page", 50)}, **bounds
        )
        return [archived(result["mam_result"]) async for result in found]

    def presence(self, kind):
        return lambda presence: say(event="presence", type=kind, jid=presence["from"].bare)

    def roster_changed(self, iq):
        for jid, item in iq["roster"]["items"].items():
            say(event="contact", jid=str(jid), name=item["name"] or None, subscription=item["subscription"])


def archived(result):
    forwarded = result["forwarded"]
    message, stamp = forwarded["stanza"], forwarded["delay"]["stamp"]
    return {
        "id": result["id"],
        "jid": message["from"].bare,
        "text": message["body"],
        "stamp": stamp.isoformat(),
    }


async def perform(client, command):
    do, jid = command["do"], command.get("jid")
    if do == "online":
        await client.online
    elif do == "contact":
        await client.update_roster(jid, name=command["name"])
    elif do in ("subscribe", "subscribed"):
        client.send_presence_subscription(pto=jid, ptype=do)
    elif do == "say":
        client.send_message(mto=jid, mbody=command["text"], mtype="chat")
    elif do == "block":
        await client["xep_0191"].block(jid)
    elif do == "unblock":
        await client["xep_0191"].unblock(jid)
    elif do == "carbons":
        await client["xep_0280"].enable()
    elif do == "inactive":
        client["xep_0352"].send_inactive()
    elif do == "active":
        client["xep_0352"].send_active()
    elif do == "settle":
        await client["xep_0199"].ping(client.requested_jid.domain)
    elif do == "archive":
        return await client.archive(command)
    elif do == "leave":
        client.is_leaving = True
        await client.disconnect()
    else:
        raise ValueError(do)
    return None


async def answer(client, command):
    try:
        say(answer=command["id"], error=None, result=await perform(client, command))
    except IqError as error:
        say(answer=command["id"], error=error.condition)
    except IqTimeout:
        say(answer=command["id"], error="no answer")
    except Exception as error:
        say(answer=command["id"], error=str(error))


async def main():
    client = Client(json.loads(sys.argv[1]))
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = set()
    while line := await reader.readline():
        tasks.add(asyncio.ensure_future(answer(client, json.loads(line))))
    client.abort()


asyncio.run(main())
