import { describe, expect, test } from "vitest";
import { StanzaError } from "./errors.ts";
import {
  booleanOf,
  type DataForm,
  Form,
  fieldValue,
  fieldValues,
  formTypeOf,
  standardForm,
} from "./xep0004-data-forms.ts";
import { element } from "./xml/element.ts";
import { parseElement } from "./xml/read.ts";

const questionnaire = `
  <x xmlns='jabber:x:data' type='form'>
    <title>A new garden</title>
    <instructions>Say what is to grow.</instructions>
    <instructions>You can change it later.</instructions>
    <field type='hidden' var='FORM_TYPE'><value>urn:example:garden</value></field>
    <field type='fixed'><value>Beds</value></field>
    <field type='text-single' var='name' label='Name'><desc>Shown to visitors</desc><required/></field>
    <field type='list-multi' var='plants'>
      <value>thyme</value><value>rue</value>
      <option label='Thyme'><value>thyme</value></option>
      <option><value>rue</value></option>
    </field>
    <field type='boolean' var='open'><value>1</value></field>
  </x>`
  .replaceAll(/>\s+</g, "><")
  .trim();

test("XEP-0004 §3: a form to be filled in is read whole and written back the same", () => {
  const form = Form.parse(parseElement(questionnaire));
  expect(form).toMatchObject({
    type: "form",
    title: "A new garden",
    instructions: ["Say what is to grow.", "You can change it later."],
  });
  expect(form.fields[2]).toMatchObject({
    var: "name",
    label: "Name",
    desc: "Shown to visitors",
    required: true,
    values: [],
  });
  expect(form.fields[3]?.options).toEqual([
    { label: "Thyme", value: "thyme" },
    { label: undefined, value: "rue" },
  ]);
  expect(fieldValues(form, "plants")).toEqual(["thyme", "rue"]);
  expect(fieldValue(form, "plants")).toBe("thyme");
  expect(fieldValue(form, "name")).toBeUndefined();
  expect(fieldValues(form, "weeds")).toBeUndefined();
  expect(Form.build(form)).toEqual(parseElement(questionnaire));
});

test("XEP-0004 §3.4: reported fields and items", () => {
  const xml = `<x xmlns='jabber:x:data' type='result'><title>Found</title><reported><field var='name' label='Name'/></reported><item><field var='name'><value>thyme</value></field></item><item><field var='name'><value>rue</value></field></item></x>`;
  const form = Form.parse(parseElement(xml));
  expect(form.reported?.map((field) => field.var)).toEqual(["name"]);
  expect(form.items?.map(([field]) => field?.values)).toEqual([["thyme"], ["rue"]]);
  expect(form.fields).toEqual([]);
  expect(Form.build(form)).toEqual(parseElement(xml));
});

test("XEP-0004 §3.3: a field of a type that is not understood is text-single", () => {
  const [field] = Form.parse(
    parseElement("<x xmlns='jabber:x:data' type='form'><field var='a' type='hologram'/></x>"),
  ).fields;
  expect(field?.type).toBe("text-single");
});

test.each(["", "type=''", "type='FORM'", "type='error'"])(
  "XEP-0004 §3.1: a form of no known type is refused (%s)",
  (attribute) => {
    expect(() => Form.parse(parseElement(`<x xmlns='jabber:x:data' ${attribute}/>`))).toThrow(StanzaError);
  },
);

test("XEP-0004 §3.3: both spellings of a boolean", () => {
  expect(["1", "true", "0", "false", "yes", "", undefined].map(booleanOf)).toEqual([
    true,
    true,
    false,
    false,
    undefined,
    undefined,
    undefined,
  ]);
});

describe("XEP-0068 §5: the form's type", () => {
  const typed = (type: DataForm["type"], fieldType?: "hidden" | "text-single"): DataForm => ({
    type,
    fields: [{ var: "FORM_TYPE", type: fieldType, values: ["urn:example:garden"] }],
  });
  test("is told by a hidden field", () => {
    expect(formTypeOf(typed("form", "hidden"))).toBe("urn:example:garden");
    expect(formTypeOf(typed("result", "hidden"))).toBe("urn:example:garden");
  });
  test("is not told by a field that is not hidden", () => {
    expect(formTypeOf(typed("form"))).toBeUndefined();
    expect(formTypeOf(typed("result", "text-single"))).toBeUndefined();
    expect(formTypeOf(typed("submit", "text-single"))).toBeUndefined();
  });
  test("needs no field type in a submitted form", () => {
    expect(formTypeOf(typed("submit"))).toBe("urn:example:garden");
  });
  test("stands first in a form made for a purpose", () => {
    const form = standardForm("result", "urn:example:garden", { plants: ["thyme"], weeds: undefined });
    expect(form.fields).toEqual([
      { var: "FORM_TYPE", type: "hidden", values: ["urn:example:garden"] },
      { var: "plants", values: ["thyme"] },
    ]);
  });
});

test("XEP-0004 §3.2: what is in other namespaces is no field", () => {
  const form = Form.parse(
    element("jabber:x:data", "x", { type: "submit" }, [element("urn:example:other", "field", { var: "a" }), "text"]),
  );
  expect(form.fields).toEqual([]);
});

test("XEP-0004: ten thousand fields are read in their order", () => {
  const fields = Array.from({ length: 10_000 }, (_, at) => element("jabber:x:data", "field", { var: `f${at}` }));
  const form = Form.parse(element("jabber:x:data", "x", { type: "submit" }, fields));
  expect(form.fields).toHaveLength(10_000);
  expect(form.fields[9_999]?.var).toBe("f9999");
});
