import type { Dashboard, Lines, Panel, Section, Stat, Table, Variable } from './dashboard.ts';

/** The schema of Grafana 10. */
const SCHEMA_VERSION = 39;
/** Columns of Grafana's grid. */
const GRID = 24;
const TAG = 'heddle';
/**
 * The data source is a variable, so that one may choose another any time, and it begins with what is asked for at the import. Where files are
 * provisioned nobody asks, and Grafana takes its first Prometheus.
 */
const INPUT = 'DS_PROMETHEUS';
const PROMETHEUS = 'datasource';
const DATASOURCE = { type: 'prometheus', uid: `\${${PROMETHEUS}}` };
const SIZES: Readonly<Record<Panel['kind'], { readonly w: number; readonly h: number }>> = {
  stat: { w: 6, h: 4 },
  lines: { w: 12, h: 8 },
  table: { w: GRID, h: 10 },
};

/** The JSON of a dashboard, as Grafana's import and its provisioning take it. */
export function renderDashboard({ uid, title, description, variables, sections }: Dashboard): object {
  const panels = place(sections);
  const types = [...new Set(panels.map(({ type }) => type))].filter((type) => type !== 'row').sort();
  return {
    __inputs: [
      {
        name: INPUT,
        label: 'Prometheus',
        description: 'Scrapes the sidecars and the operator.',
        type: 'datasource',
        pluginId: 'prometheus',
        pluginName: 'Prometheus',
      },
    ],
    __requires: [
      { type: 'grafana', id: 'grafana', name: 'Grafana', version: '10.0.0' },
      { type: 'datasource', id: 'prometheus', name: 'Prometheus', version: '1.0.0' },
      ...types.map((id) => ({ type: 'panel', id, name: id, version: '' })),
    ],
    id: null,
    uid,
    title,
    description,
    tags: [TAG],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: '',
    annotations: { list: [] },
    links: [links()],
    templating: { list: [datasourceVariable(), ...variables.map(variable)] },
    panels,
  };
}

/** A menu of all of our dashboards, which takes the time and what is chosen along. */
function links(): object {
  return {
    title: 'Heddle',
    type: 'dashboards',
    tags: [TAG],
    asDropdown: true,
    includeVars: true,
    keepTime: true,
    targetBlank: false,
    icon: 'external link',
    tooltip: '',
    url: '',
  };
}

interface Placed {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

/** Panels from left to right, and in the next line when there is no room. */
function place(sections: readonly Section[]): Placed[] {
  const placed: Placed[] = [];
  let y = 0;
  for (const { title, panels } of sections) {
    const heading = { type: 'row', title, collapsed: false, panels: [] };
    placed.push({ id: placed.length + 1, ...heading, gridPos: { x: 0, y, w: GRID, h: 1 } });
    y += 1;
    let [x, height] = [0, 0];
    for (const panel of panels) {
      const { w, h } = SIZES[panel.kind];
      if (x + w > GRID) [x, y, height] = [0, y + height, 0];
      placed.push({ id: placed.length + 1, ...renderPanel(panel), gridPos: { x, y, w, h } });
      [x, height] = [x + w, Math.max(height, h)];
    }
    y += height;
  }
  return placed;
}

function renderPanel(panel: Panel) {
  const { title, description } = panel;
  const shared = { title, description, datasource: DATASOURCE };
  if (panel.kind === 'stat') return { type: 'stat', ...shared, ...stat(panel) };
  if (panel.kind === 'lines') return { type: 'timeseries', ...shared, ...timeseries(panel) };
  return { type: 'table', ...shared, ...table(panel) };
}

function stat({ unit, query, bounds }: Stat): object {
  const [yellow, red] = bounds ?? [];
  const steps = [
    { color: bounds === undefined ? 'text' : 'green', value: null },
    ...(bounds === undefined
      ? []
      : [
          { color: 'yellow', value: yellow },
          { color: 'red', value: red },
        ]),
  ];
  return {
    fieldConfig: {
      defaults: { unit, thresholds: { mode: 'absolute', steps }, color: { mode: 'thresholds' } },
      overrides: [],
    },
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      colorMode: 'value',
      graphMode: 'area',
      textMode: 'auto',
      justifyMode: 'auto',
      orientation: 'auto',
    },
    targets: [target(query, '', 0)],
  };
}

function timeseries({ unit, queries }: Lines): object {
  const custom = { drawStyle: 'line', lineWidth: 1, fillOpacity: 10, showPoints: 'auto', spanNulls: false };
  return {
    fieldConfig: { defaults: { unit, min: 0, color: { mode: 'palette-classic' }, custom }, overrides: [] },
    options: {
      legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    targets: queries.map(({ expr, legend }, index) => target(expr, legend, index)),
  };
}

function table({ key, columns }: Table): object {
  const url = `/d/${key.leadsTo.uid}?var-${key.leadsTo.variable}=\${__value.raw}&\${__url_time_range}`;
  const override = (name: string, id: string, value: unknown): object => ({
    matcher: { id: 'byName', options: name },
    properties: [{ id, value }],
  });
  const names = columns.map(({ title }, index) => [`Value #${refId(index)}`, title]);
  return {
    fieldConfig: {
      defaults: { custom: { align: 'auto', filterable: false } },
      overrides: [
        override(key.title, 'links', [{ title: 'Look closer', url }]),
        ...columns.map(({ title, unit }) => override(title, 'unit', unit)),
      ],
    },
    options: { showHeader: true, cellHeight: 'sm', sortBy: [{ displayName: columns[0]?.title, desc: true }] },
    targets: columns.map(({ expr }, index) => ({
      ...target(expr, '', index),
      format: 'table',
      instant: true,
      range: false,
    })),
    transformations: [
      { id: 'merge', options: {} },
      {
        id: 'organize',
        options: {
          excludeByName: { Time: true },
          renameByName: { [key.label]: key.title, ...Object.fromEntries(names) },
        },
      },
    ],
  };
}

function target(expr: string, legendFormat: string, index: number): object {
  const asked = { editorMode: 'code', instant: false, range: true };
  return { refId: refId(index), datasource: DATASOURCE, expr, legendFormat: legendFormat || '__auto', ...asked };
}

function refId(index: number): string {
  return String.fromCharCode(65 + index);
}

function datasourceVariable(): object {
  return {
    type: 'datasource',
    name: PROMETHEUS,
    label: 'Prometheus',
    query: 'prometheus',
    regex: '',
    current: { selected: true, text: `\${${INPUT}}`, value: `\${${INPUT}}` },
    options: [],
    multi: false,
    includeAll: false,
    refresh: 1,
    hide: 0,
    skipUrlSync: false,
  };
}

function variable({ name, label, from, multiple }: Variable): object {
  const isMultiple = multiple === true;
  const shared = { name, label, hide: 0, skipUrlSync: false, multi: isMultiple, includeAll: isMultiple };
  if (from.of === 'choice') {
    const options = from.values.map((value, index) => ({ selected: index === 0, text: value, value }));
    return { type: 'custom', ...shared, query: from.values.join(','), current: options[0], options };
  }
  const query = from.of === 'label' ? `label_values(${from.series}, ${from.label})` : `query_result(${from.query})`;
  return {
    type: 'query',
    ...shared,
    ...(isMultiple ? { allValue: '.*' } : {}),
    datasource: DATASOURCE,
    definition: query,
    query: { query, refId: 'PrometheusVariableQueryEditor-VariableQuery' },
    regex: from.of === 'label' ? '' : '/="([^"]+)"/',
    refresh: 2,
    sort: 1,
    current: isMultiple ? { selected: true, text: ['All'], value: ['$__all'] } : {},
    options: [],
  };
}
