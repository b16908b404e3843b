import { XmlScanner } from "@kith/protocol";
import { Random } from "./random.ts";
// brute: small doc, random cuts & pauses, log the ops of shortest failure
const doc = new TextEncoder().encode("<s xmlns='jabber:client'><a/>\n<b/><c/></s>");
let best: string[] | undefined;
for (let seed = 0; seed < 200000; seed++) {
  const r = new Random(seed); const ops: string[] = []; let els = 0, closed = 0; let err: any;
  const sc = new XmlScanner({ opened() { if (r.oneIn(2)) { sc.pause(); ops.push("  (pause in opened)"); } }, element() { els++; if (r.oneIn(2)) { sc.pause(); ops.push("  (pause in element)"); } }, closed() { closed++; } }, { content: "jabber:client" });
  let at = 0;
  try {
    while (at < doc.length || sc.paused) {
      if (sc.paused && r.oneIn(2) ) { ops.push("resume"); sc.resume(); }
      else if (at < doc.length) { const n = r.between(1, 12); const c = doc.slice(at, at + n); ops.push("feed " + JSON.stringify(new TextDecoder().decode(c))); sc.feed(c); c.fill(0xff); at += n; }
    }
  } catch (e: any) { err = e.condition ?? e; }
  if (err !== undefined || els !== 3 || closed !== 1) { ops.push(`=> ${err} ${els} ${closed}`); if (best === undefined || ops.length < best.length) best = ops; }
}
console.log(best?.join("\n"));
