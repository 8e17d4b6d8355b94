import { PASSWORD } from './prometheus-process.ts';

/** A dashboard, as far as it asks Prometheus. */
export interface Board {
  readonly uid: string;
  readonly templating: { readonly list: readonly BoardVariable[] };
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}

interface BoardVariable {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
  readonly regex?: string;
  readonly multi: boolean;
  readonly options: readonly { readonly value: string }[];
}

/** What is chosen for each variable. */
export type Choice = Readonly<Record<string, string>>;

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

/** Asks a Prometheus as Grafana does. */
export class GrafanaVariables {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** What a query gives now. @throws {Error} with what Prometheus says of it */
  query(expr: string, choice: Choice): Promise<Sample[]> {
    const query = fill(expr, choice);
    return this.#ask<{ result: Sample[] }>(`query?${new URLSearchParams({ query })}`).then(({ result }) => result);
  }

  /** All that a reader may choose, each variable depending on those before it. Of several values: all there are, by name and by `.*`. */
  async choices(board: Board): Promise<Choice[]> {
    let choices: Choice[] = [{}];
    for (const variable of board.templating.list) {
      if (variable.type === 'datasource') continue;
      const next: Choice[] = [];
      for (const choice of choices) {
        const values = await this.values(variable, choice);
        const offered = variable.multi ? [`(${values.join('|')})`, '.*'] : values;
        if (values.length > 0) next.push(...offered.map((value) => ({ ...choice, [variable.name]: value })));
      }
      choices = next;
    }
    return choices;
  }

  /** What a variable offers. */
  async values({ name, type, query, regex = '', options }: BoardVariable, choice: Choice): Promise<string[]> {
    if (type === 'custom') return options.map(({ value }) => value);
    const text = fill(typeof query === 'string' ? query : query.query, choice);
    const [, series, label] = /^label_values\((.+),\s*(\w+)\)$/.exec(text) ?? [];
    if (series !== undefined) return this.#ask(`label/${label}/values?${new URLSearchParams({ 'match[]': series })}`);
    const [, asked] = /^query_result\((.+)\)$/.exec(text) ?? [];
    if (asked === undefined) throw new Error(`variable ${name} asks nothing that Grafana knows: ${text}`);
    const pattern = new RegExp(regex.slice(1, -1));
    const results = await this.query(asked, {});
    return results.flatMap(({ metric }) => {
      const labels = Object.entries(metric).map(([key, value]) => `${key}="${value}"`);
      return pattern.exec(`{${labels.join(',')}} 1`)?.[1] ?? [];
    });
  }

  async #ask<T>(path: string): Promise<T> {
    const headers = { authorization: `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}` };
    const answer = await fetch(`${this.#url}/api/v1/${path}`, { headers });
    const said = (await answer.json()) as { data: T; error?: string };
    if (answer.status !== 200) throw new Error(`${said.error} in ${decodeURIComponent(path)}`);
    return said.data;
  }
}

/** Writes what is chosen into a query. Scrapes of tests are a second apart. */
function fill(text: string, choice: Choice): string {
  return text.replace(/\$([A-Za-z_]\w*)/g, (_, name: string) => {
    const value = name === '__rate_interval' ? '30s' : choice[name];
    if (value === undefined) throw new Error(`$${name} is no variable: ${text}`);
    return value;
  });
}
