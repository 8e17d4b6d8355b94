import { visibleWidth } from './colour.ts';

/**
 * Lays `rows` out in columns under `header`, as kubectl does: upper-case titles, three spaces between columns, nothing after
 * the last one. Cells may hold colours; missing cells are empty.
 */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header.map((title) => title.toUpperCase()), ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => visibleWidth(line[column] ?? ''))));
  return lines.map((line) => formatLine(line, widths)).join('\n');
}

function formatLine(cells: readonly string[], widths: readonly number[]): string {
  return widths
    .map((width, column) => {
      const cell = cells[column] ?? '';
      return cell + ' '.repeat(width - visibleWidth(cell));
    })
    .join('   ')
    .trimEnd();
}
