import { slixmpp } from "@kith/testing/clients";
import { chatSuite } from "./chat.suite.ts";

chatSuite(slixmpp, "starttls");
chatSuite(slixmpp, "direct");
