import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isFailure } from '../../operator/telemetry/outcome.ts';
import { DASHBOARDS, GRAFANA_FOLDER, grafanaFiles } from './files.ts';
import { GOOD } from './queries.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: object;
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string }; readonly overrides: readonly object[] };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly datasource: object }[];
}

interface Board {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly __inputs: readonly { readonly name: string }[];
  readonly __requires: readonly { readonly type: string; readonly id: string }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly Panel[];
}

const root = join(import.meta.dirname, '../..');
const files = grafanaFiles();
const boards = [...files].map(([path, text]): [string, Board] => [path, JSON.parse(text)]);
/** Grafana's own, not of a dashboard. */
const GLOBALS = ['__rate_interval', '__value', '__url_time_range', '__all'];

describe('committed dashboards', () => {
  test.each([...files.keys()])('%s is what hack/grafana says (else: npm run generate)', async (path) => {
    expect(await readFile(join(root, path), 'utf8')).toBe(files.get(path));
  });

  test('nothing else is in their folder', async () => {
    const names = await readdir(join(root, GRAFANA_FOLDER));
    expect(names.map((name) => `${GRAFANA_FOLDER}/${name}`).sort()).toEqual([...files.keys()].sort());
  });

  test('have names of their own', () => {
    for (const key of ['uid', 'title'] as const) {
      expect(new Set(DASHBOARDS.map((board) => board[key])).size).toBe(DASHBOARDS.length);
    }
  });
});

describe.each(boards)('%s', (path, board) => {
  test('is of Grafana 10, asks for a Prometheus alone, and has panels of its core', () => {
    expect(board.schemaVersion).toBe(39);
    expect(path).toBe(`${GRAFANA_FOLDER}/${board.uid}.json`);
    expect(board.uid).toMatch(/^[a-z-]{1,40}$/);
    expect(board.__inputs).toMatchObject([{ name: 'DS_PROMETHEUS', type: 'datasource', pluginId: 'prometheus' }]);
    const types = new Set(board.panels.map(({ type }) => type));
    for (const type of types) expect(['row', 'stat', 'table', 'timeseries']).toContain(type);
    const required = board.__requires.filter(({ type }) => type === 'panel').map(({ id }) => id);
    expect(new Set([...required, 'row'])).toEqual(types);
  });

  test('has panels that lie in the grid, none over another, each with an id, a unit and queries', () => {
    const taken = new Set<string>();
    for (const { title, gridPos, type, fieldConfig, targets, datasource } of board.panels) {
      const { x, y, w, h } = gridPos;
      expect(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 24).toBe(true);
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          const cell = `${column}/${line}`;
          expect(taken.has(cell) ? `${title} lies over another at ${cell}` : '').toBe('');
          taken.add(cell);
        }
      }
      if (type === 'row') continue;
      expect(datasource).toEqual({ type: 'prometheus', uid: `\${datasource}` });
      expect(JSON.stringify(fieldConfig)).toContain('unit');
      expect(targets?.length).toBeGreaterThan(0);
      expect(new Set(targets?.map(({ refId }) => refId)).size).toBe(targets?.length);
    }
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
  });

  test('has each variable that it uses, and uses each that it has', () => {
    const has = board.templating.list.map(({ name }) => name);
    const text = JSON.stringify(board);
    const used = [...text.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name = '']) => name);
    const known = new Set([...used, 'DS_PROMETHEUS'].filter((name) => !GLOBALS.includes(name)));
    expect([...known].sort()).toEqual([...has, 'DS_PROMETHEUS'].sort());
  });

  test('leads to dashboards and variables that there are', () => {
    for (const [, uid, variable] of JSON.stringify(board).matchAll(/\/d\/([a-z-]+)\?var-(\w+)=/g)) {
      const other = DASHBOARDS.find((one) => one.uid === uid);
      expect(other?.variables.map(({ name }) => name)).toContain(variable);
    }
    expect(board).toMatchObject({
      tags: ['heddle'],
      links: [{ type: 'dashboards', tags: ['heddle'], keepTime: true }],
    });
  });

  test('has nothing left to fill in once Grafana imported it', () => {
    const { __inputs: _, ...imported } = JSON.parse(JSON.stringify(board).replaceAll(`\${DS_PROMETHEUS}`, 'abc'));
    expect(JSON.stringify(imported)).not.toContain('DS_');
    expect(imported.templating.list[0]).toMatchObject({ type: 'datasource', current: { value: 'abc' } });
  });
});

test('what the queries take for a failure is what the operator takes for one', () => {
  const isGood = (labels: Readonly<Record<string, string>>): boolean =>
    [...GOOD.matchAll(/(\w+)(=~|!~)"([^"]*)"/g)].every(
      ([, label = '', sign, regex]) => new RegExp(`^(?:${regex})$`).test(labels[label] ?? '') === (sign === '=~'),
    );
  const flags = ['-', 'UF', 'UH', 'UC', 'UT', 'LR', 'UR', 'URX', 'UO', 'NC', 'NR', 'UPE', 'SI', 'DT', 'OM', 'DF'];
  const more = ['DC', 'RL', 'UAEX', 'RLSE', 'FI', 'IH', 'UF,URX', 'NR,DT', 'DC,RL'];
  const statuses = ['', ...Array.from({ length: 17 }, (_, status) => String(status))];
  for (const response_code of ['0', '101', '200', '302', '404', '429', '499', '500', '503', '599']) {
    for (const response_flags of [...flags, ...more]) {
      for (const grpc_response_status of statuses) {
        const labels = { response_code, response_flags, grpc_response_status };
        expect({ ...labels, failed: !isGood(labels) }).toEqual({
          ...labels,
          failed: isFailure(new Map(Object.entries(labels))),
        });
      }
    }
  }
});
