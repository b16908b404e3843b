import {
  ArchiveFin,
  ArchiveQuery,
  ArchiveResult,
  find,
  type Iq,
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
    const wasLast = await readPage(wire, `page-${page}`, position, entries);
    const last = entries.at(-1);
    if (wasLast || last === undefined) break;
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
    if (stanza.kind === "message") entries.push(...resultsIn(stanza, id));
    else if (stanza.kind === "iq" && idOf(stanza) === id) return isLast(stanza);
  }
};

const resultsIn = (message: Message, queryId: string): readonly Entry[] => {
  const result = find(message, ArchiveResult);
  if (result?.queryId !== queryId) return [];
  const stanza = result.stanza as Message | undefined;
  return [{ stanzaId: result.id, id: (stanza && idOf(stanza)) ?? `nobody's: ${result.id}` }];
};

const isLast = (answer: Iq): boolean => {
  const fin = answer.type === "result" ? find(answer, ArchiveFin) : undefined;
  if (fin === undefined) throw new Error(`no archive: ${answer.payload}`);
  return fin.isComplete;
};
