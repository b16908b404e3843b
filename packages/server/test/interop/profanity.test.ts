import { profanity } from "@kith/testing/clients";
import { chatSuite } from "./chat.suite.ts";

chatSuite(profanity, "starttls");
chatSuite(profanity, "direct");
