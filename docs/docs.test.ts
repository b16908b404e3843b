/** Whether these pages say what the code says. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { EXIT } from "../packages/server/src/cli/exit-codes.ts";
import type { Io } from "../packages/server/src/cli/io.ts";
import { runProgram } from "../packages/server/src/cli/program.ts";
import type { ServerParts } from "../packages/server/src/cli/server.ts";

const root = join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const pages = ["README.md", "ARCHITECTURE.md", ...globSync("docs/*.md", { cwd: root }).sort()];

const withoutCode = (page: string): string => page.replace(/^```[\s\S]*?^```$/gm, "");

/** The anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (page: string): ReadonlySet<string> =>
  new Set(
    [...withoutCode(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );

/** Why a link leads nowhere; `undefined` where it does not. */
const fault = (page: string, link: string): string | undefined => {
  if (/^(?:https?|mailto):/.test(link)) return undefined;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : join(dirname(page), path);
  if (!existsSync(join(root, target))) return `${link}: there is no ${target}`;
  if (anchor === undefined || anchorsOf(read(target)).has(anchor)) return undefined;
  return `${link}: ${target} has no such heading`;
};

test.each(pages)("%s: every link leads somewhere", (page) => {
  const text = withoutCode(read(page));
  const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)].map(
    ([, one, other]) => one ?? other,
  );
  expect(links.flatMap((link) => fault(page, link ?? "") ?? [])).toEqual([]);
});

test.each(pages)("%s: every file that is named is there", (page) => {
  const named = [...withoutCode(read(page)).matchAll(/`((?:packages|docs|scripts|bench)\/[^`\s]*)`/g)];
  const missing = named.map(([, path = ""]) => path).filter((path) => globSync(path, { cwd: root }).length === 0);
  expect(missing).toEqual([]);
});

/** Blocks of code that come after a link to the file they are from. */
const quoted = pages.flatMap((page) =>
  [...read(page).matchAll(/\]\(((?:docs\/)?examples\/[\w.-]+)\)[^\n]*:\n\n```ts\n([\s\S]*?)```/g)].map(
    ([, file = "", code = ""]) => ({ page, file: join(dirname(page), file), code }),
  ),
);

test.each(quoted)("$page shows $file as it is", ({ file, code }) => {
  expect(read(file)).toContain(code.trimEnd());
});

test("the examples are shown", () => {
  const shown = new Set(quoted.map(({ file }) => file));
  expect([...shown].sort()).toEqual(globSync("docs/examples/*.ts", { cwd: root }).sort());
});

test.each(["README.md", "docs/modules.md"])("%s shows the shortest module as it is", (page) => {
  expect(read(page)).toContain(read("packages/server/src/modules/xep0199-ping.ts").trim());
});

/** What `kith … --help` prints. */
const helpOf = async (command: readonly string[]): Promise<string> => {
  const printed: string[] = [];
  const output = { write: (text: string) => printed.push(text) };
  const io = { out: output, err: output, environment: {}, directory: root } as unknown as Io;
  await runProgram([...command, "--help"], io, { version: "0" } as ServerParts);
  return printed.join("");
};

/** Every command there is, with what its help says. */
const commandsIn = async (command: readonly string[] = []): Promise<readonly (readonly [string, string])[]> => {
  const help = await helpOf(command);
  const section = /^Commands:\n([\s\S]*?)(?:\n\n|$(?![\s\S]))/m.exec(help)?.[1] ?? "";
  const names = [...section.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = ""]) => name).filter((name) => name !== "help");
  const inner = await Promise.all(names.map((name) => commandsIn([...command, name])));
  return [
    ...(command.length === 0 ? [] : [["kith", ...command].join(" ")].map((name) => [name, help] as const)),
    ...inner.flat(),
  ];
};

test("docs/command-line.md has every command and every option", async () => {
  const page = read("docs/command-line.md");
  const commands = await commandsIn();
  expect(commands.length).toBeGreaterThan(10);
  const options = commands.flatMap(([, help]) =>
    [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name]) => name),
  );
  const wanted = [...commands.map(([name]) => name), ...options];
  expect(wanted.filter((name) => !page.includes(name ?? ""))).toEqual([]);
});

test("docs/command-line.md has every exit code", () => {
  const rows = [...read("docs/command-line.md").matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  expect(rows.sort()).toEqual(Object.values(EXIT).sort());
});
