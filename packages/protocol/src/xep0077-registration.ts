/** XEP-0077: registering with a host, changing the password there, and leaving it. */
import { type ErrorType, type StanzaCondition, StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { type DataForm, FORM_TYPE, Form, fieldValue, formTypeOf, NS_DATA_FORMS } from "./xep0004-data-forms.ts";
import { childOf, childrenOf, type Element, element, elementsOf, textOf, textOfChild } from "./xml/element.ts";

export const NS_REGISTER = "jabber:iq:register";
export const NS_REGISTER_CANCEL = "jabber:iq:register:cancel";
export const NS_REGISTER_CHANGE_PASSWORD = "jabber:iq:register:changepassword";
export const NS_REGISTER_FEATURE = "http://jabber.org/features/iq-register";
/** XEP-0066, as far as registration is redirected by it (§5). */
export const NS_OUT_OF_BAND = "jabber:x:oob";

/** Announces in-band registration (§8). */
export const registerFeature: Element = element(NS_REGISTER_FEATURE, "register");

/** The fields there are (§14.1); more of them only in a form (§4). */
export const REGISTER_FIELDS = [
  "username",
  "nick",
  "password",
  "name",
  "first",
  "last",
  "email",
  "address",
  "city",
  "state",
  "zip",
  "phone",
  "url",
  "date",
  "misc",
  "text",
  "key",
] as const;
export type RegisterField = (typeof REGISTER_FIELDS)[number];
export type RegisterValues = Readonly<Partial<Record<RegisterField, string>>>;

/** What a host wants to know, or knows (§3.1). */
export interface RegisterInfo {
  /** Whoever asks has registered already. */
  readonly registered: boolean;
  readonly instructions: string | undefined;
  /** Fields that are asked for, with `""`, or what is on file. */
  readonly fields: RegisterValues;
  readonly form: DataForm | undefined;
  /** Where to register instead (§5). */
  readonly url: string | undefined;
}

/** What is to be done, said in fields of either kind. */
export type RegisterRequest =
  | { readonly do: "remove" }
  | {
      readonly do: "submit";
      readonly values: RegisterValues;
      /** Which form the values come from: its FORM_TYPE, `""` for one that does not say; `undefined`: no form. */
      readonly form: string | undefined;
      /** What else the form says: "old_password" and whatever a host adds. */
      readonly others: Readonly<Record<string, string>>;
    };

/** Asks what to fill in (§3.1). */
export const RegisterGet = payload({
  ns: NS_REGISTER,
  name: "query",
  places: ["iq-get"],
  parse: () => undefined,
  build: () => element(NS_REGISTER, "query"),
});

/** What is to be filled in, or is on file (§3.1). */
export const RegisterResult = payload({
  ns: NS_REGISTER,
  name: "query",
  places: ["iq-result"],
  parse: (query): RegisterInfo => {
    const form = childOf(query, "x", NS_DATA_FORMS);
    const outOfBand = childOf(query, "x", NS_OUT_OF_BAND);
    return {
      registered: childOf(query, "registered") !== undefined,
      instructions: textOfChild(query, "instructions"),
      fields: valuesIn(query),
      form: form === undefined ? undefined : Form.parse(form),
      url: outOfBand === undefined ? undefined : textOfChild(outOfBand, "url"),
    };
  },
  build: ({ registered, instructions, fields, form, url }) =>
    element(NS_REGISTER, "query", {}, [
      registered && element(NS_REGISTER, "registered"),
      instructions !== undefined && field("instructions", instructions),
      ...fieldElements(fields),
      form !== undefined && Form.build(form),
      url !== undefined && element(NS_OUT_OF_BAND, "x", {}, [element(NS_OUT_OF_BAND, "url", {}, [url])]),
    ]),
});

/**
 * Registers, changes the password or leaves (§3.1 to §3.3). Where there is a form, it alone counts (§4 rule 5).
 * Throws StanzaError "bad-request" for `<remove/>` beside anything else (§3.2), and for a form that was not submitted.
 */
export const RegisterSet = payload({
  ns: NS_REGISTER,
  name: "query",
  places: ["iq-set"],
  parse: (query): RegisterRequest => {
    if (childOf(query, "remove") !== undefined) {
      if (elementsOf(query).length > 1) throw registrationError("bad-request", "<remove/> stands alone");
      return { do: "remove" };
    }
    const form = childOf(query, "x", NS_DATA_FORMS);
    if (form === undefined) return { do: "submit", values: valuesIn(query), form: undefined, others: {} };
    return submitted(Form.parse(form));
  },
  build: (request) =>
    request.do === "remove"
      ? element(NS_REGISTER, "query", {}, [element(NS_REGISTER, "remove")])
      : element(
          NS_REGISTER,
          "query",
          {},
          request.form === undefined ? fieldElements(request.values) : [submitForm(request, request.form)],
        ),
});

const field = (name: string, value: string): Element => element(NS_REGISTER, name, {}, [value]);

const fieldElements = (values: RegisterValues): readonly Element[] =>
  REGISTER_FIELDS.flatMap((name) => (values[name] === undefined ? [] : [field(name, values[name])]));

const valuesIn = (query: Element): RegisterValues =>
  Object.fromEntries(
    REGISTER_FIELDS.flatMap((name) => {
      const [first] = childrenOf(query, name);
      return first === undefined ? [] : [[name, textOf(first)]];
    }),
  );

const FORMS: ReadonlySet<string> = new Set([NS_REGISTER, NS_REGISTER_CANCEL, NS_REGISTER_CHANGE_PASSWORD]);
const isField = (name: string): boolean => (REGISTER_FIELDS as readonly string[]).includes(name);

const submitted = (form: DataForm): RegisterRequest => {
  if (form.type !== "submit") throw registrationError("bad-request", "a form that is submitted is expected");
  const type = formTypeOf(form) ?? "";
  if (type !== "" && !FORMS.has(type)) throw registrationError("bad-request", "the form is of another kind");
  const given = form.fields.flatMap(({ var: name }) => {
    const value = name === undefined || name === FORM_TYPE ? undefined : fieldValue(form, name);
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  return {
    do: "submit",
    values: Object.fromEntries(given.filter(([name]) => isField(name))),
    form: type,
    others: Object.fromEntries(given.filter(([name]) => !isField(name))),
  };
};

const submitForm = ({ values, others }: RegisterRequest & { readonly do: "submit" }, type: string): Element =>
  Form.build({
    type: "submit",
    fields: [
      ...(type === "" ? [] : [{ var: FORM_TYPE, type: "hidden" as const, values: [type] }]),
      ...Object.entries({ ...values, ...others }).map(([name, value]) => ({ var: name, values: [value ?? ""] })),
    ],
  });

/** The form that asks for a user name and a password, for clients that know forms (§4). */
export const registrationForm = (username: string | undefined): DataForm => ({
  type: "form",
  title: "Registration",
  fields: [
    { var: FORM_TYPE, type: "hidden", values: [NS_REGISTER] },
    {
      var: "username",
      type: "text-single",
      label: "User name",
      required: true,
      ...(username === undefined ? {} : { values: [username] }),
    },
    { var: "password", type: "text-private", label: "Password", required: true },
  ],
});

/** The numbers that XEP-0086 gives the conditions this specification uses. */
const CODES = {
  "bad-request": 400,
  conflict: 409,
  forbidden: 403,
  "item-not-found": 404,
  "not-acceptable": 406,
  "not-allowed": 405,
  "not-authorized": 401,
  "registration-required": 407,
  "resource-constraint": 500,
  "service-unavailable": 503,
  "unexpected-request": 400,
} as const satisfies Partial<Record<StanzaCondition, number>>;
export type RegistrationCondition = keyof typeof CODES;

/** An error of this namespace, which has to be of the new and of the old style (§9). */
export const registrationError = (condition: RegistrationCondition, text: string, type?: ErrorType): StanzaError =>
  new StanzaError(condition, { text, legacyCode: CODES[condition], ...(type === undefined ? {} : { type }) });

/** The same error, with its old number if it has one. */
export const asRegistrationError = (error: StanzaError): StanzaError => {
  const code = Object.hasOwn(CODES, error.condition) ? CODES[error.condition as RegistrationCondition] : undefined;
  return new StanzaError(error.condition, {
    ...error.options,
    type: error.type,
    ...(code === undefined ? {} : { legacyCode: code }),
  });
};
