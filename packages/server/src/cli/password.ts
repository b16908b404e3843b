/** Where a command gets a password from: standard input, a terminal without echo, or chance. */
import { randomInt } from "node:crypto";
import { OperationError } from "../control/operations.ts";
import type { Input, Io } from "./io.ts";

export interface PasswordSource {
  readonly passwordStdin?: boolean | undefined;
  readonly generate?: boolean | undefined;
}

export interface Password {
  readonly text: string;
  /** Nobody has seen it yet: it is printed once it is somebody's. */
  readonly isNew: boolean;
}

/** Rejects with OperationError where none can be had. */
export const readPassword = async (source: PasswordSource, io: Io): Promise<Password> =>
  source.generate === true ? { text: generated(), isNew: true } : { text: await given(source, io), isNew: false };

const given = async (source: PasswordSource, io: Io): Promise<string> => {
  if (source.passwordStdin === true) return fromInput(io.input);
  if (io.input.isTTY !== true)
    throw new OperationError("no password: use --password-stdin or --generate, or a terminal");
  const password = await hidden("Password: ", io);
  const again = await hidden("Once more: ", io);
  if (password !== again) throw new OperationError("the two are not the same");
  return password;
};

/** Letters and digits that are not mistaken for each other; 20 of them are about 117 bits. */
const ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LETTERS = 20;

const generated = (): string => Array.from({ length: LETTERS }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");

/** More than any password has, in characters. */
const MOST_INPUT = 8_192;

/** All of standard input but the newline at its end. */
const fromInput = (input: Input): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = "";
    input.setEncoding("utf8");
    input.on("data", (more) => {
      text += more;
      if (text.length <= MOST_INPUT) return;
      input.pause();
      reject(new OperationError("what comes on standard input is too long for a password"));
    });
    input.on("error", reject);
    input.on("end", () => {
      const password = text.replace(/\r?\n$/, "");
      if (/[\r\n]/.test(password)) reject(new OperationError("a password has one line only"));
      else if (password === "") reject(new OperationError("there is no password on standard input"));
      else resolve(password);
    });
    input.resume();
  });

const ENTER = /[\r\n]/;
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const ERASE = new Set(["\b", "\u007f"]);
const CTRL_U = "\u0015";

/** What is typed until Enter, shown to nobody. */
const hidden = (prompt: string, { input, err }: Io): Promise<string> =>
  new Promise((resolve, reject) => {
    const typed: string[] = [];
    const finish = (): void => {
      input.off("data", receive);
      input.setRawMode?.(false);
      input.pause();
      err.write("\n");
    };
    const receive = (text: string): void => {
      for (const character of text) {
        if (character === CTRL_C || character === CTRL_D) {
          finish();
          reject(new OperationError("given up"));
          return;
        }
        if (ENTER.test(character)) {
          finish();
          resolve(typed.join(""));
          return;
        }
        edit(typed, character);
      }
    };
    err.write(prompt);
    input.setEncoding("utf8");
    input.setRawMode?.(true);
    input.on("data", receive);
    input.resume();
  });

const edit = (typed: string[], character: string): void => {
  if (ERASE.has(character)) typed.pop();
  else if (character === CTRL_U) typed.length = 0;
  // Escape sequences of arrow keys and the like have nothing to say here.
  else if (character >= " ") typed.push(character);
};
