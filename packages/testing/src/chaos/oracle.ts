import type { Findings } from "./findings.ts";
import type { Entry } from "./history.ts";
import type { Ledger, Said } from "./ledger.ts";

/** What a device has put together of its account's conversations. */
export interface Remembered {
  readonly account: string;
  readonly device: string;
  readonly entries: readonly Entry[];
}

/** What there is at the end of a run. */
export interface Outcome {
  readonly ledger: Ledger;
  /** Each account's archive, whole and in its order, by localpart. */
  readonly archives: ReadonlyMap<string, readonly Entry[]>;
  readonly histories: readonly Remembered[];
}

/**
 * Judges a run: whatever its sender saw acknowledged is exactly once in both archives, and in the history of every device that it
 * concerns; nothing at all is more than once anywhere, or shown and not archived; everything is in order.
 */
export const judge = ({ ledger, archives, histories }: Outcome, findings: Findings): void => {
  const owed = [...ledger.all].filter(
    ({ kind, isAcknowledged, isRefused }) => kind === "kept" && isAcknowledged && !isRefused,
  );
  findings.count("messages acknowledged", owed.length);
  for (const [account, entries] of archives) judgeArchive(account, entries, owed, ledger, findings);
  for (const remembered of histories)
    judgeHistory(remembered, archives.get(remembered.account) ?? [], owed, ledger, findings);
};

const judgeArchive = (
  account: string,
  entries: readonly Entry[],
  owed: readonly Said[],
  ledger: Ledger,
  findings: Findings,
): void => {
  const ids = new Set<string>();
  for (const { id } of entries) {
    const said = ledger.find(id);
    if (ids.has(id) && !mayBeTwice(said)) findings.violated("twice in an archive", `of ${account}`, said);
    ids.add(id);
  }
  for (const said of owed) {
    const { sender, recipient } = said.lane;
    const concerns = sender === account || recipient === account;
    if (concerns && !ids.has(said.id)) findings.violated("lost from an archive", `of ${account}`, said);
  }
  judgeLanes(entries, ledger, `in the archive of ${account}`, findings);
};

const judgeLanes = (entries: readonly Entry[], ledger: Ledger, where: string, findings: Findings): void => {
  const latest = new Map<string, Said>();
  for (const { id } of entries) {
    const said = ledger.find(id);
    if (said === undefined || mayBeTwice(said)) continue;
    const before = latest.get(said.lane.name);
    if (before !== undefined && before.number > said.number)
      findings.violated("out of order", `${where}, behind ${before.id}`, said, before);
    else latest.set(said.lane.name, said);
  }
};

const judgeHistory = (
  { account, device, entries }: Remembered,
  archive: readonly Entry[],
  owed: readonly Said[],
  ledger: Ledger,
  findings: Findings,
): void => {
  const who = `${account}/${device}`;
  const ids = new Set<string>();
  for (const { id } of entries) {
    const said = ledger.find(id);
    if (ids.has(id) && !mayBeTwice(said)) findings.violated("twice in a history", `of ${who}`, said);
    ids.add(id);
  }
  for (const said of owed) {
    if (concernsDevice(said, account, device) && !ids.has(said.id))
      findings.violated("lost from a history", `of ${who}`, said);
  }
  judgePlaces(who, entries, archive, ledger, findings);
};

/** XEP-0313 §3: what is shown comes in the order of the archive, and is in it. */
const judgePlaces = (
  who: string,
  entries: readonly Entry[],
  archive: readonly Entry[],
  ledger: Ledger,
  findings: Findings,
): void => {
  const places = new Map(archive.map(({ stanzaId }, at) => [stanzaId, at]));
  let last = -1;
  for (const { stanzaId, id } of entries) {
    const place = places.get(stanzaId);
    const before = archive[last]?.id ?? "";
    if (place === undefined) findings.violated("shown but not archived", `at ${who}, as ${stanzaId}`, ledger.find(id));
    else if (place < last)
      findings.violated("out of order", `${who} was shown it after ${before}`, ledger.find(id), ledger.find(before));
    else last = place;
  }
};

/** What a device has sent itself it need not be shown. */
const concernsDevice = ({ lane }: Said, account: string, device: string): boolean =>
  lane.recipient === account || (lane.sender === account && lane.device !== device);

/** Without an id of its sender's it is another message on another stream, and nobody can know better. */
const mayBeTwice = (said: Said | undefined): boolean => said?.isSentAnew === true && !said.isRecognisable;
