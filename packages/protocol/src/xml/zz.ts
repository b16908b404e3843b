import fc from "fast-check";
import { scan, verdict, utf8, everyNth, infoset } from "./test-support.ts";
import { mutated, elementText, mutation } from "./test-documents.ts";
import { XmlScanner } from "./scanner.ts";
const saxesAccepts = (bytes: Uint8Array): boolean => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (text.startsWith("\ufeff")) return false;
    infoset(text);
    return !/<!--|<!DOCTYPE|<\?/.test(text.replace(/^<\?xml\s/, "").replace(/<!\[CDATA\[[^]*?\]\]>/g, ""));
  } catch {
    return false;
  }
};
const seen = new Set();
for (let i = 0; i < 400000; i++) {
  const [text] = fc.sample(elementText, { numRuns: 1, seed: i });
  const [ms] = fc.sample(fc.array(mutation, {maxLength:2}), { numRuns: 1, seed: i });
  const b = mutated(utf8(text!), ms!);
  const v = verdict(b);
  if ((v === "accepted") !== saxesAccepts(b)) {
    let why = ""; try { infoset(new TextDecoder().decode(b)); } catch (e) { why = String(e); }
    let our = ""; try { const s = new XmlScanner({opened(){},element(){},closed(){}},{framing:"document"}); s.feed(b); s.end(); } catch (e) { our = String(e) }
    const k = our + why.replace(/[0-9]+/g, ""); if (seen.has(k)) continue; seen.add(k);
    console.log(JSON.stringify(new TextDecoder().decode(b)), "\n OURS", our, "\n SAXES", why);
  }
}
