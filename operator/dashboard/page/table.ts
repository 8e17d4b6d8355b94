import { type ComponentChildren, h, type JSX } from 'preact';
import { useState } from 'preact/hooks';
import { plural } from './format.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** What rows are ordered by when this column is chosen; undefined goes last. */
  readonly sort?: (row: Row) => number | string | undefined;
  /** Numbers stand right. */
  readonly number?: boolean;
  /** Narrow screens leave it out. */
  readonly minor?: boolean;
}

interface TableProps<Row> {
  /** Names the table for who does not see it. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Said in place of no rows. */
  readonly empty: string;
  /** A class for a row. */
  readonly tone?: (row: Row) => string;
  /** What stands below a row, over its whole width. */
  readonly more?: (row: Row) => ComponentChildren;
}

/** So many rows are shown before somebody asks for all. */
const FIRST = 200;

/** Rows that can be ordered by any column that says how; on a narrow screen each is a card. */
export function Table<Row>(props: TableProps<Row>): JSX.Element {
  const { caption, columns, rows, keyOf, empty, tone, more } = props;
  const [order, setOrder] = useState<{ title: string; down: boolean }>();
  const [all, setAll] = useState(false);
  if (rows.length === 0) return h('p', { class: 'empty' }, empty);
  const by = columns.find(({ title }) => title === order?.title)?.sort;
  const sorted = by === undefined ? rows : [...rows].sort((a, b) => compare(by(a), by(b), order?.down === true));
  const choose = (column: Column<Row>) =>
    setOrder({ title: column.title, down: order?.title === column.title ? !order.down : column.number === true });
  const header = columns.map((column) => {
    const chosen = order?.title === column.title;
    const sorting = chosen ? (order?.down ? 'descending' : 'ascending') : 'none';
    const className = classOf(column);
    if (column.sort === undefined) return h('th', { scope: 'col', class: className, key: column.title }, column.title);
    const button = h('button', { type: 'button', onClick: () => choose(column) }, column.title);
    return h('th', { scope: 'col', class: className, 'aria-sort': sorting, key: column.title }, button);
  });
  const body = (all ? sorted : sorted.slice(0, FIRST)).flatMap((row) => {
    const key = keyOf(row);
    const below = more?.(row);
    const cells = columns.map((column) =>
      h('td', { class: classOf(column), 'data-title': column.title, key: column.title }, column.cell(row)),
    );
    return [
      h('tr', { key, class: tone?.(row) ?? '' }, cells),
      below
        ? h(
            'tr',
            { key: `${key} more`, class: `more ${tone?.(row) ?? ''}` },
            h('td', { colSpan: columns.length }, below),
          )
        : null,
    ];
  });
  return h(
    'div',
    { class: 'table-box' },
    h(
      'table',
      {},
      h('caption', { class: 'hidden' }, caption),
      h('thead', {}, h('tr', {}, header)),
      h('tbody', {}, body),
    ),
    all || rows.length <= FIRST
      ? null
      : h(
          'button',
          { type: 'button', class: 'button', onClick: () => setAll(true) },
          `Show all of ${plural(rows.length, 'row')}`,
        ),
  );
}

function classOf({ number, minor }: Column<never>): string {
  return `${number ? 'number' : ''} ${minor ? 'minor' : ''}`.trim();
}

function compare(a: number | string | undefined, b: number | string | undefined, down: boolean): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
  return down ? -order : order;
}
