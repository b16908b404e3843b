import {
  ArchiveFin,
  ArchiveQuery,
  ArchiveResult,
  find,
  idOf,
  iq,
  isStanza,
  type Message,
  type PagePosition,
  readStanza,
  writeStanza,
} from "@kith/protocol";
import type { Entry } from "./history.ts";
import { authenticate, bind } from "./login.ts";
import { Wire } from "./wire.ts";

const PAGE = 250;

/** An account's whole archive, read page by page. */
export const readArchive = async (port: number, account: string): Promise<readonly Entry[]> => {
  const wire = new Wire(port);
  await authenticate(wire, account);
  await bind(wire, "auditor");
  const entries: Entry[] = [];
  let position: PagePosition = { is: "start" };
  for (let page = 1; ; page++) {
    const isLast = await readPage(wire, `page-${page}`, position, entries);
    const last = entries.at(-1);
    if (isLast || last === undefined) break;
    position = { is: "after", id: last.stanzaId };
  }
  wire.leave();
  await wire.closed;
  return entries;
};

const readPage = async (wire: Wire, id: string, position: PagePosition, entries: Entry[]): Promise<boolean> => {
  const query = ArchiveQuery.build({ queryId: id, filter: {}, page: { max: PAGE, position }, isFlipped: false });
  wire.send(writeStanza(iq({ type: "set", id }, [query])));
  for (;;) {
    const raw = await wire.next();
    if (!isStanza(raw)) continue;
    const stanza = readStanza(raw);
    const fin = stanza.kind === "iq" && stanza.type === "result" ? find(stanza, ArchiveFin) : undefined;
    if (fin !== undefined) return fin.isComplete;
    if (stanza.kind === "iq" && stanza.type === "error") throw new Error(`no archive: ${stanza.payload}`);
    const result = stanza.kind === "message" ? find(stanza, ArchiveResult) : undefined;
    if (result?.queryId === id)
      entries.push({ stanzaId: result.id, id: idOf(result.stanza as Message) ?? `nobody's: ${result.id}` });
  }
};
