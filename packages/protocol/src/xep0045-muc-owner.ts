/** XEP-0045 §10: configuring a room and destroying it. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { type DataForm, Form, NS_DATA_FORMS } from "./xep0004-data-forms.ts";
import { buildDestruction, type Destruction, parseDestruction } from "./xep0045-muc-user.ts";
import { childOf, element } from "./xml/element.ts";

export const NS_MUC_OWNER = "http://jabber.org/protocol/muc#owner";

/** What an owner wants. */
export type OwnerRequest =
  /** A form without fields asks for what is the default: an instant room (§10.1.2). */
  | { readonly do: "configure"; readonly form: DataForm }
  /** Leaves everything as it was; a room that waits for its first configuration is destroyed (§10.1.3, §10.2). */
  | { readonly do: "cancel" }
  | { readonly do: "destroy"; readonly destruction: Destruction };

/** Asks for the form (§10.1.3, §10.2). */
export const OwnerGet = payload<undefined, "iq-get">({
  ns: NS_MUC_OWNER,
  name: "query",
  places: ["iq-get"],
  parse: () => undefined,
  build: () => element(NS_MUC_OWNER, "query"),
});

/** The form; `undefined` where there is nothing to configure (§10.1.3). */
export const OwnerResult = payload<DataForm | undefined, "iq-result">({
  ns: NS_MUC_OWNER,
  name: "query",
  places: ["iq-result"],
  parse: (query) => {
    const form = childOf(query, "x", NS_DATA_FORMS);
    return form === undefined ? undefined : Form.parse(form);
  },
  build: (form) => element(NS_MUC_OWNER, "query", {}, [form !== undefined && Form.build(form)]),
});

/** Throws StanzaError "bad-request" for anything but a form that was submitted or cancelled, or a destruction. */
export const OwnerSet = payload<OwnerRequest, "iq-set">({
  ns: NS_MUC_OWNER,
  name: "query",
  places: ["iq-set"],
  parse: (query) => {
    const destroy = childOf(query, "destroy");
    const x = childOf(query, "x", NS_DATA_FORMS);
    if (destroy !== undefined && x === undefined) return { do: "destroy", destruction: parseDestruction(destroy) };
    if (destroy !== undefined || x === undefined) return refuse("a form or a destruction, one of them");
    const form = Form.parse(x);
    if (form.type === "cancel") return { do: "cancel" };
    return form.type === "submit" ? { do: "configure", form } : refuse("a form that is submitted is expected");
  },
  build: (request) => {
    switch (request.do) {
      case "configure":
        return element(NS_MUC_OWNER, "query", {}, [Form.build(request.form)]);
      case "cancel":
        return element(NS_MUC_OWNER, "query", {}, [Form.build({ type: "cancel", fields: [] })]);
      case "destroy":
        return element(NS_MUC_OWNER, "query", {}, [buildDestruction(request.destruction, NS_MUC_OWNER)]);
    }
  },
});

const refuse = (text: string): never => {
  throw new StanzaError("bad-request", { text });
};
