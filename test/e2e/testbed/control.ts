import { hostname } from 'node:os';
import { VERSION } from './echo.ts';
import type { ServerState } from './server-state.ts';
import { queryOf } from './wishes.ts';

/**
 * Answers what is asked of the server itself: `GET /seen?key=NAME`, and `POST /admin` with any of `errors=0|1`, `status`, `delay`
 * (ms), `reset=0|1`, `ready=0|1`, `concurrent` (0: any number), `burn` (part of a core), `hold` (MiB) and `forget=1` (what was seen). A GET of `/admin` tells and
 * changes nothing.
 * @returns the answer's value, or undefined when the path is none of these
 */
export function control(method: string, path: string, state: ServerState): object | undefined {
  const query = queryOf(path);
  const [place] = path.split('?', 1);
  if (place === '/seen') return state.seen(query.get('key') ?? '');
  if (place !== '/admin') return undefined;
  if (method === 'POST') change(query, state);
  const { limit, busy, waiting } = state.pool;
  const { cores: burn, mebibytes: hold } = state.burner;
  return { pod: hostname(), version: VERSION, ...state.behaviour, concurrent: limit, busy, waiting, burn, hold };
}

function change(query: URLSearchParams, state: ServerState): void {
  const { behaviour, pool, burner } = state;
  for (const [name, value] of query) {
    if (name === 'errors') behaviour.errors = value === '1';
    else if (name === 'status') behaviour.status = Number(value);
    else if (name === 'delay') behaviour.delayMs = Number(value);
    else if (name === 'reset') behaviour.reset = value === '1';
    else if (name === 'ready') behaviour.ready = value === '1';
    else if (name === 'concurrent') pool.resize(Number(value));
    else if (name === 'burn') burner.cores = Number(value);
    else if (name === 'hold') burner.mebibytes = Number(value);
    else if (name === 'forget' && value === '1') state.forget();
  }
}
