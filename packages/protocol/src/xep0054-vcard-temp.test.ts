import { expect, test } from "vitest";
import { emptyVCard, VCard } from "./xep0054-vcard-temp.ts";
import { parseElement } from "./xml/read.ts";

test("XEP-0054 §3: a card is kept as it is", () => {
  const card = parseElement(
    `<vCard xmlns='vcard-temp'><FN>Juliet</FN><TEL><HOME/><NUMBER/></TEL><PHOTO><TYPE>image/png</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO></vCard>`,
  );
  expect(VCard.build(VCard.parse(card))).toEqual(card);
  expect(emptyVCard).toEqual(parseElement("<vCard xmlns='vcard-temp'/>"));
});
