/** The packages that are published: compiled by tsc, with a package.json that names the compiled files. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, run, Unready } from "./setup.mjs";

/** In the order in which they need each other. */
export const published = ["protocol", "server"];

export const stageOf = (name) => join(root, "dist", name);

/** Throws `Unready` if one does not compile. */
export const build = async (node) => {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  for (const name of published) {
    await compile(node, name);
    stage(name);
  }
};

const compile = async (node, name) => {
  const config = join(root, "dist", `tsconfig.${name}.json`);
  mkdirSync(join(root, "dist"), { recursive: true });
  writeFileSync(config, JSON.stringify(configOf(name)));
  const code = await run(node, ["node_modules/typescript/bin/tsc", "-p", config]);
  if (code !== 0) throw new Unready(`packages/${name} does not compile (see above).`);
};

const configOf = (name) => ({
  extends: "../tsconfig.json",
  compilerOptions: {
    noEmit: false,
    declaration: true,
    // As it is written. For older targets TypeScript 7.0.2 loses a class that its own static field names.
    target: "esnext",
    rewriteRelativeImportExtensions: true,
    rootDir: `../packages/${name}/src`,
    outDir: `${name}/dist`,
    // Protocol runs in browsers too: nothing of Node's may slip in.
    ...(name === "protocol" ? { types: [], lib: ["es2024", "dom"] } : {}),
  },
  include: [`../packages/${name}/src`],
  exclude: ["**/*.test.ts", "**/*.suite.ts", "**/test-*.ts"].map((files) => `../packages/${name}/src/${files}`),
});

const stage = (name) => {
  const source = join(root, "packages", name);
  const { devDependencies: _, ...manifest } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  const compiled = (path) => path.replace("./src/", "./dist/").replace(/\.ts$/, ".js");
  const entry = (path) => ({ types: compiled(path).replace(/\.js$/, ".d.ts"), default: compiled(path) });
  const map = (record, change) => Object.fromEntries(Object.entries(record).map(([key, path]) => [key, change(path)]));
  const out = {
    ...manifest,
    exports: map(manifest.exports, entry),
    ...(manifest.bin ? { bin: map(manifest.bin, compiled) } : {}),
    files: ["dist"],
    engines: { node: ">=26", bun: ">=1.4" },
  };
  writeFileSync(join(stageOf(name), "package.json"), `${JSON.stringify(out, null, 2)}\n`);
  copyFileSync(join(root, "LICENSE"), join(stageOf(name), "LICENSE"));
  const readme = [join(source, "README.md"), join(root, "README.md")].find((path) => existsSync(path));
  if (readme) copyFileSync(readme, join(stageOf(name), "README.md"));
};
