import { xmppJs } from "@kith/testing/clients";
import { chatSuite } from "./chat.suite.ts";

chatSuite(xmppJs, "starttls");
chatSuite(xmppJs, "direct");
