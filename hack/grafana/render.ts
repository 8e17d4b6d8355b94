import type * as grafana from '@grafana/schema';
import type { PrometheusDataQuery } from '@grafana/schema/dist/esm/raw/composable/prometheus/dataquery/x/PrometheusDataQuery_types.gen.js';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen.js';
import type { Options as TableOptions } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen.js';
import type { Options as TimeSeriesOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen.js';
import type { Dashboard, Lines, Panel, Section, Stat, Table, Variable } from './dashboard.ts';
import type { InJson } from './in-json.ts';

/** What a file holds besides the dashboard: what is asked for at the import, and what Grafana must have. */
interface ForImport {
  readonly __inputs: readonly {
    readonly name: string;
    readonly label: string;
    readonly description: string;
    readonly type: 'datasource';
    readonly pluginId: string;
    readonly pluginName: string;
  }[];
  readonly __requires: readonly {
    readonly type: 'grafana' | 'datasource' | 'panel';
    readonly id: string;
    readonly name: string;
    readonly version: string;
  }[];
}

/** A file that Grafana imports: types are its own (of version 10), so that a field or a value that it does not know is refused here. */
export type DashboardFile = ForImport & InJson<grafana.Dashboard>;
type PanelFile = InJson<grafana.Panel>;
type RowFile = InJson<grafana.RowPanel>;
type VariableFile = InJson<grafana.VariableModel>;

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
export function renderDashboard({ uid, title, description, variables, sections }: Dashboard): DashboardFile {
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
      ...types.map((id) => ({ type: 'panel' as const, id, name: id, version: '' })),
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
function links(): InJson<grafana.DashboardLink> {
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

/** Panels from left to right, and in the next line when there is no room. */
function place(sections: readonly Section[]): (PanelFile | RowFile)[] {
  const placed: (PanelFile | RowFile)[] = [];
  let y = 0;
  for (const { title, panels } of sections) {
    const heading: Omit<RowFile, 'id' | 'gridPos'> = { type: 'row', title, collapsed: false, panels: [] };
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

function renderPanel(panel: Panel): Omit<PanelFile, 'id' | 'gridPos'> {
  const { title, description } = panel;
  const shared = { title, description, datasource: DATASOURCE };
  if (panel.kind === 'stat') return { type: 'stat', ...shared, ...stat(panel) };
  if (panel.kind === 'lines') return { type: 'timeseries', ...shared, ...timeseries(panel) };
  return { type: 'table', ...shared, ...table(panel) };
}

type PanelBody = Required<Pick<PanelFile, 'fieldConfig' | 'options' | 'targets'>> & Pick<PanelFile, 'transformations'>;

function stat({ unit, query, bounds }: Stat): PanelBody {
  const coloured = (bounds ?? []).map((value, index) => ({ color: index === 0 ? 'yellow' : 'red', value }));
  const steps = [{ color: bounds === undefined ? 'text' : 'green', value: null }, ...coloured];
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
    } satisfies Partial<InJson<StatOptions>>,
    targets: [target(query, '', 0)],
  };
}

function timeseries({ unit, queries }: Lines): PanelBody {
  const custom: InJson<grafana.GraphFieldConfig> = {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: 10,
    showPoints: 'auto',
    spanNulls: false,
  };
  return {
    fieldConfig: { defaults: { unit, min: 0, color: { mode: 'palette-classic' }, custom }, overrides: [] },
    options: {
      legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
      tooltip: { mode: 'multi', sort: 'desc' },
    } satisfies InJson<TimeSeriesOptions>,
    targets: queries.map(({ expr, legend }, index) => target(expr, legend, index)),
  };
}

function table({ key, columns }: Table): PanelBody {
  const url = `/d/${key.leadsTo.uid}?var-${key.leadsTo.variable}=\${__value.raw}&\${__url_time_range}`;
  const override = (name: string, id: string, value: unknown) => ({
    matcher: { id: 'byName', options: name },
    properties: [{ id, value }],
  });
  const names = columns.map(({ title }, index) => [`Value #${refId(index)}`, title]);
  return {
    fieldConfig: {
      defaults: { custom: { align: 'auto', filterable: false } satisfies Partial<InJson<grafana.TableFieldOptions>> },
      overrides: [
        override(key.title, 'links', [{ title: 'Look closer', url }]),
        ...columns.map(({ title, unit }) => override(title, 'unit', unit)),
      ],
    },
    options: {
      showHeader: true,
      cellHeight: 'sm',
      sortBy: [{ displayName: columns[0]?.title ?? '', desc: true }],
    } satisfies Partial<InJson<TableOptions>>,
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

function target(expr: string, legendFormat: string, index: number): InJson<PrometheusDataQuery> {
  const asked = { editorMode: 'code', instant: false, range: true } as const;
  return { refId: refId(index), datasource: DATASOURCE, expr, legendFormat: legendFormat || '__auto', ...asked };
}

function refId(index: number): string {
  return String.fromCharCode(65 + index);
}

function datasourceVariable(): VariableFile {
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

function variable({ name, label, from, multiple }: Variable): VariableFile {
  const isMultiple = multiple === true;
  const shared = { name, label, hide: 0, skipUrlSync: false, multi: isMultiple, includeAll: isMultiple };
  if (from.of === 'choice') {
    const options = from.values.map((value, index) => ({ selected: index === 0, text: value, value }));
    const [current] = options;
    return { type: 'custom', ...shared, query: from.values.join(','), ...(current && { current }), options };
  }
  const query = from.of === 'label' ? `label_values(${from.series}, ${from.label})` : `query_result(${from.query})`;
  return {
    type: 'query',
    ...shared,
    ...(isMultiple ? { allValue: '.*', current: { selected: true, text: ['All'], value: ['$__all'] } } : {}),
    datasource: DATASOURCE,
    query: { query, refId: 'PrometheusVariableQueryEditor-VariableQuery' },
    regex: from.of === 'label' ? '' : '/="([^"]+)"/',
    refresh: 2,
    sort: 1,
    options: [],
  };
}
