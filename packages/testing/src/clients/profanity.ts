import { spawnSync } from "node:child_process";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type At,
  type ChatClient,
  type ClientKind,
  type Contact,
  type Credentials,
  type Heard,
  Refused,
} from "./chat-client.ts";
import { Terminal } from "./terminal.ts";

const isOnPath = (program: string): boolean => spawnSync("which", [program], { stdio: "ignore" }).status === 0;

/** Profanity, a client for the terminal: the tests type into it and read its screen. */
export const profanity: ClientKind = {
  name: "Profanity",
  get missing() {
    const missing = ["profanity", "tmux"].filter((program) => !isOnPath(program));
    return missing.length === 0 ? undefined : `${missing.join(" and ")} is not on this machine: apt-get install ${missing.join(" ")}`;
  },
  login: (credentials, at) => Profanity.login(credentials, at),
  register: (credentials, at) => Profanity.register(credentials, at),
};
