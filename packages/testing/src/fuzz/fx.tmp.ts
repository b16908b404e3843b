import { Random } from "/work/main/packages/testing/src/fuzz/random.ts";
import { XmlDocuments } from "/work/main/packages/testing/src/fuzz/xml-documents.ts";
import { mutated } from "/work/main/packages/testing/src/fuzz/mutate.ts";
import { checkReader, Broken } from "/work/main/packages/testing/src/fuzz/xml-reader.ts";
import { minimise } from "/work/main/packages/testing/src/fuzz/minimise.ts";
import { SCANNER_LIMITS } from "@kith/protocol";
const seconds = Number(process.argv[2]); const seed = Number(process.argv[3] ?? 1); const want = Number(process.argv[4] ?? 5);
const random = new Random(seed);
const until = Date.now() + seconds*1000; const out: any = {closed:0,open:0,refused:0}; let n=0; const seen = new Set<string>();
while (Date.now() < until && seen.size < want) {
  const r = new Random(random.fork());
  const docs = new XmlDocuments(r);
  let bytes = new TextEncoder().encode(docs.stream());
  if (r.oneIn(2)) bytes = mutated(bytes, r, r.between(1, 3)) as any;
  const limits = r.oneIn(4) ? { stanzaBytes: r.between(60, 2000), depth: r.between(1,6), attributes: r.between(1,6), children: r.between(1,6), prefixes: r.between(0,4)} : SCANNER_LIMITS;
  const input = { bytes, limits, seed: r.fork() };
  n++;
  try { out[checkReader(input)]++; } catch (e: any) {
    const key = e.message.slice(0, 25);
    if (seen.has(key)) continue; seen.add(key);
    const small = await minimise([...bytes], (list) => { try { checkReader({...input, bytes: Uint8Array.from(list)}); return false } catch (x: any) { return x.message.slice(0,25) === key } });
    console.log("FAIL", r.seed, limits === SCANNER_LIMITS ? "" : JSON.stringify(limits), "\n", Buffer.from(small).toString("utf8"));
    try { checkReader({...input, bytes: Uint8Array.from(small)}) } catch (x: any) { console.log("  ->", x.message.slice(0, 900)); }
  }
}
console.log(n, out);
