/** XEP-0004: forms that are filled in and data that is reported; XEP-0068: what kind of form it is. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { childOf, childrenOf, type Element, element, elementsOf, textOf, textOfChild } from "./xml/element.ts";

export const NS_DATA_FORMS = "jabber:x:data";
/** The field that says which form this is (XEP-0068). */
export const FORM_TYPE = "FORM_TYPE";

const FORM_TYPES = ["form", "submit", "cancel", "result"] as const;
export type FormType = (typeof FORM_TYPES)[number];

const FIELD_TYPES = [
  "boolean",
  "fixed",
  "hidden",
  "jid-multi",
  "jid-single",
  "list-multi",
  "list-single",
  "text-multi",
  "text-private",
  "text-single",
] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

export interface FormOption {
  readonly label?: string | undefined;
  readonly value: string;
}

export interface FormField {
  /** The field's name; may be missing only where the type is "fixed" (§3.2). */
  readonly var?: string | undefined;
  /** `undefined`: what the form as it was asked says, or "text-single" (§3.2). */
  readonly type?: FieldType | undefined;
  readonly label?: string | undefined;
  readonly desc?: string | undefined;
  readonly required?: boolean | undefined;
  readonly values?: readonly string[] | undefined;
  readonly options?: readonly FormOption[] | undefined;
  /** What other specifications put into a field: how its values are checked (XEP-0122), media (XEP-0221). */
  readonly extensions?: readonly Element[] | undefined;
}

export interface DataForm {
  readonly type: FormType;
  readonly title?: string | undefined;
  readonly instructions?: readonly string[] | undefined;
  readonly fields: readonly FormField[];
  /** What the fields of `items` are (§3.4). */
  readonly reported?: readonly FormField[] | undefined;
  readonly items?: readonly (readonly FormField[])[] | undefined;
}

export const Form = payload({
  ns: NS_DATA_FORMS,
  name: "x",
  places: ["message"],
  parse: (x): DataForm => {
    const type = FORM_TYPES.find((known) => known === x.attributes.type);
    if (type === undefined)
      throw new StanzaError("bad-request", { text: "a form is of type form, submit, cancel or result" });
    const reported = childOf(x, "reported");
    const items = childrenOf(x, "item");
    return {
      type,
      title: textOfChild(x, "title"),
      instructions: childrenOf(x, "instructions").map(textOf),
      fields: parseFields(x),
      ...(reported === undefined ? {} : { reported: parseFields(reported) }),
      ...(items.length === 0 ? {} : { items: items.map(parseFields) }),
    };
  },
  build: ({ type, title, instructions = [], fields, reported, items = [] }) =>
    element(NS_DATA_FORMS, "x", { type }, [
      title !== undefined && text("title", title),
      ...instructions.map((line) => text("instructions", line)),
      ...fields.map(buildField),
      reported !== undefined && element(NS_DATA_FORMS, "reported", {}, reported.map(buildField)),
      ...items.map((item) => element(NS_DATA_FORMS, "item", {}, item.map(buildField))),
    ]),
});

const text = (name: string, content: string): Element => element(NS_DATA_FORMS, name, {}, [content]);

const parseFields = (parent: Element): readonly FormField[] => childrenOf(parent, "field").map(parseField);

const parseField = (field: Element): FormField => {
  const { type, label } = field.attributes;
  const options = childrenOf(field, "option");
  const extensions = elementsOf(field).filter(({ ns }) => ns !== NS_DATA_FORMS);
  return {
    var: field.attributes.var,
    // A type that is not understood is "text-single" (§3.3).
    type: type === undefined ? undefined : (FIELD_TYPES.find((known) => known === type) ?? "text-single"),
    label,
    desc: textOfChild(field, "desc"),
    required: childOf(field, "required") !== undefined,
    values: childrenOf(field, "value").map(textOf),
    ...(options.length === 0 ? {} : { options: options.map(parseOption) }),
    ...(extensions.length === 0 ? {} : { extensions }),
  };
};

const parseOption = (option: Element): FormOption => ({
  label: option.attributes.label,
  value: textOfChild(option, "value") ?? "",
});

const buildField = (field: FormField): Element => {
  const { var: name, type, label, desc, required, values = [], options = [], extensions = [] } = field;
  return element(NS_DATA_FORMS, "field", { var: name, type, label }, [
    desc !== undefined && text("desc", desc),
    required === true && element(NS_DATA_FORMS, "required"),
    ...values.map((value) => text("value", value)),
    ...options.map((option) =>
      element(NS_DATA_FORMS, "option", { label: option.label }, [text("value", option.value)]),
    ),
    ...extensions,
  ]);
};

/** All values of a field, `undefined` where the form has no such field. */
export const fieldValues = (form: DataForm, name: string): readonly string[] | undefined => {
  const field = form.fields.find((candidate) => candidate.var === name);
  return field === undefined ? undefined : (field.values ?? []);
};

/** The first value of a field, `undefined` where it has none. */
export const fieldValue = (form: DataForm, name: string): string | undefined => fieldValues(form, name)?.[0];

/** A value of a field of type "boolean" (§3.3); `undefined` where it is neither. */
export const booleanOf = (value: string | undefined): boolean | undefined => {
  if (value === "1" || value === "true") return true;
  return value === "0" || value === "false" ? false : undefined;
};

/** Which form this is. Only a hidden field tells, or one of a submitted form that names no type (XEP-0068 §5). */
export const formTypeOf = (form: DataForm): string | undefined => {
  const field = form.fields.find((candidate) => candidate.var === FORM_TYPE);
  const tells = field?.type === "hidden" || (form.type === "submit" && field?.type === undefined);
  return tells ? field?.values?.[0] : undefined;
};

/** Data under field names that a specification gives a meaning (XEP-0068, XEP-0128). */
export const standardForm = (
  type: FormType,
  formType: string,
  values: Readonly<Record<string, readonly string[] | undefined>>,
): DataForm => ({
  type,
  fields: [
    { var: FORM_TYPE, type: "hidden", values: [formType] },
    ...Object.entries(values).flatMap(([name, list]) => (list === undefined ? [] : [{ var: name, values: list }])),
  ],
});
