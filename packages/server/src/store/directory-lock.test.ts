import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DirectoryInUse, type DirectoryLock, lockDirectory } from "./directory-lock.ts";
import { Child, temporaryPaths } from "./test-support.ts";

const newPath = temporaryPaths();

const inUse = (directory: string): DirectoryInUse => {
  let lock: DirectoryLock;
  try {
    lock = lockDirectory(directory);
  } catch (error) {
    if (error instanceof DirectoryInUse) return error;
    throw error;
  }
  lock.release();
  throw new Error("the lock was free");
};

test("a lock is held by one at a time, within a process too", () => {
  const directory = newPath();
  const lock = lockDirectory(directory);
  expect(lock.directory).toBe(directory);
  const { message, holder } = inUse(directory);
  expect(holder).toBe(process.pid);
  expect(message).toContain(directory);
  expect(message).toContain(`process ${process.pid}`);
  inUse(directory);
  lock.release();
  lock.release();
  const next = lockDirectory(directory);
  lock.release();
  expect(inUse(directory).holder).toBe(process.pid);
  next.release();
});

test("directories are locked apart", () => {
  const locks = [lockDirectory(newPath()), lockDirectory(newPath())];
  for (const lock of locks) lock.release();
});

test("a lock goes with the process that held it, killed or not", async () => {
  const directory = newPath();
  const module = new URL("./directory-lock.ts", import.meta.url);
  const source = `
    import { setFlagsFromString } from "node:v8";
    import { runInNewContext } from "node:vm";
    import { lockDirectory } from ${JSON.stringify(module.href)};
    lockDirectory(process.argv[2]);
    setFlagsFromString("--expose-gc");
    (globalThis.Bun?.gc ?? runInNewContext("gc"))(true);
    console.log("held");
    setInterval(() => undefined, 1000);`;
  for (let round = 0; round < 2; round++) {
    const child = new Child(source, newPath(), directory);
    expect(await child.line()).toBe("held");
    expect(inUse(directory).holder).toBe(child.pid);
    await child.kill();
    lockDirectory(directory).release();
  }
});

test("the directory is made where it is missing, for the server's user only", () => {
  const directory = join(newPath(), "deep", "data");
  lockDirectory(directory).release();
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, "kith.lock")).mode & 0o777).toBe(0o600);
});

test("what cannot be locked is not in use, but an error of its own", () => {
  const directory = newPath();
  lockDirectory(directory).release();
  expect(() => lockDirectory(join(directory, "kith.lock"))).toThrow(/EEXIST|ENOTDIR/);
});
