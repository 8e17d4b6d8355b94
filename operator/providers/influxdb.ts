import { finite, only, type Provider, QueryError, readJson, secretKey } from './provider.ts';

/** Flux. Secret: `org`, `token`. */
export const influxdb: Provider = async (query, context) => {
  const { address, secret } = context;
  const org = secret.size === 0 ? '' : secretKey(context, 'org');
  const token: Record<string, string> =
    secret.size === 0 ? {} : { authorization: `Token ${secretKey(context, 'token')}` };
  const response = await context.exchange({
    method: 'POST',
    url: `${address}/api/v2/query?${new URLSearchParams({ org })}`,
    headers: { accept: 'application/csv', 'content-type': 'application/vnd.flux', ...token },
    body: query,
  });
  // Errors are JSON, whatever was asked for.
  if (response.status !== 200) readJson(response);
  return finite(only(valuesIn(response.text), 'rows'));
};

/** What stands in the column `_value`, over all tables of an answer; each begins with a header of its own. */
function valuesIn(text: string): string[] {
  const values: string[] = [];
  let column: number | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    if (line === '') {
      column = undefined;
      continue;
    }
    const cells = cellsOf(line);
    if (column !== undefined) {
      values.push(cells[column] ?? '');
      continue;
    }
    if (cells.includes('error')) throw new QueryError('ServerRefused', 'InfluxDB answered an error in place of rows');
    column = cells.indexOf('_value');
    if (column < 0) throw new QueryError('NoValue', 'the answer has no column _value');
  }
  return values;
}

/** Cells of one line of CSV (RFC 4180). */
function cellsOf(line: string): string[] {
  const cells = line.match(/(?<=^|,)(?:"(?:[^"]|"")*"|[^,]*)/g) ?? [];
  return cells.map((cell) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell));
}
