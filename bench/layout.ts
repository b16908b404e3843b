/** Lines of cells under one another: the first column to the left, the others to the right. */
export const oneByOne = (lines: readonly (readonly string[])[]): string => {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines
    .map((line) => {
      const cells = line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)));
      return `  ${cells.join("  ").trimEnd()}\n`;
    })
    .join("");
};
