/** A dashboard as data; `render.ts` makes Grafana's JSON of it. */
export interface Dashboard {
  /** Of its file and of links to it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly sections: readonly Section[];
}

/** Panels below a heading. */
export interface Section {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** What is chosen at the top, and stands in queries as `$name`. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  readonly from: VariableSource;
  /** Several values, or all, may be chosen; queries then match with `=~`. */
  readonly multiple?: true;
}

export type VariableSource =
  /** Values of a label of some series. */
  | { readonly of: 'label'; readonly series: string; readonly label: string }
  /** Values of the one label that the answer to a query has. */
  | { readonly of: 'query'; readonly query: string }
  | { readonly of: 'choice'; readonly values: readonly string[] };

/** Grafana's names of units. */
export type Unit = 'short' | 'reqps' | 'cps' | 'ops' | 'percentunit' | 'percent' | 'ms' | 's' | 'bytes' | 'Bps';

export interface Query {
  readonly expr: string;
  /** Of a series in the legend, with labels as `{{label}}`. */
  readonly legend: string;
}

/** One number; of several series the worst or the sum is for the query to say. */
export interface Stat {
  readonly kind: 'stat';
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  readonly query: string;
  /** From which values on it is yellow and red; none: it has no colour. */
  readonly bounds?: readonly [yellow: number, red: number];
}

/** Lines over time. */
export interface Lines {
  readonly kind: 'lines';
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
}

/** A row for each value of a label, with what holds now. */
export interface Table {
  readonly kind: 'table';
  readonly title: string;
  readonly description: string;
  readonly key: {
    readonly label: string;
    readonly title: string;
    /** The dashboard, and its variable, that a click leads to. */
    readonly leadsTo: { readonly uid: string; readonly variable: string };
  };
  readonly columns: readonly { readonly title: string; readonly unit: Unit; readonly expr: string }[];
}

export type Panel = Stat | Lines | Table;

/** Lines of one query. */
export function lines(title: string, description: string, unit: Unit, expr: string, legend: string): Lines {
  return { kind: 'lines', title, description, unit, queries: [{ expr, legend }] };
}
