/** Something that must hold does not. */
export class Broken extends Error {
  override readonly name = "Broken";
}

export const ensure: (holds: boolean, otherwise: string) => asserts holds = (holds, otherwise) => {
  if (!holds) throw new Broken(otherwise);
};
