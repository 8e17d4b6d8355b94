import type { Draw } from '../../../operator/xds/testing/draw.ts';

/** Texts with every character that means something to Envoy, to expressions or to YAML. */
const TEXTS = [
  'a',
  '',
  '%',
  '%REQ(x)%',
  '%%',
  'a:b',
  'a)b',
  '(a',
  '[a',
  'é',
  '☃',
  '\u0000',
  'a\nb',
  '"',
  '\\',
  '*',
  '{}',
];
const LONG = ['x'.repeat(1024), '('.repeat(1024), '☃'.repeat(1024), 'x'.repeat(1025)];
const REGEXES = ['.*', '(a|b)+', 'a{1,100}', '[^/]*', '\\d+', '(', '(?=x)', '☃+', '(?i)a', 'x'.repeat(1000)];
const NAMES = [
  'x-user',
  'X-User',
  'x_y',
  'x.y',
  'sub',
  'realm.tenant',
  'https/a.b',
  'a:b',
  'a)',
  '%',
  '',
  'é',
  '__proto__',
];
const COUNTS = [1, 2, 1000, 1_000_000_000, 0, 1.5, 1_000_000_001];
const UNITS = ['Second', 'Minute', 'Hour', 'Day'];
const IDENTITIES = ['cluster.local/ns/shop/sa/ui', 'a.b/ns/é/sa/☃', 'ui', ''];

/** The spec of a RateLimitPolicy about everything, mostly right but for its texts. */
export function oddLimitSpec(draw: Draw): unknown {
  const parts: Record<string, unknown> = {};
  if (!draw.once(5)) parts.limits = draw.list(1, 4, () => limit(draw));
  if (draw.once(3)) parts.connections = some(draw, ['max', 'perSecond'], () => draw.one(COUNTS.slice(0, 5)));
  if (draw.once(3)) {
    parts.bandwidth = some(draw, ['sendKiBPerSecond', 'receiveKiBPerSecond'], () => draw.one(COUNTS.slice(0, 5)));
  }
  if (draw.once(3)) parts.failureMode = draw.one(['Open', 'Closed']);
  if (draw.once(8)) parts.dryRun = true;
  if (draw.once(3)) {
    const headers = Object.fromEntries(draw.list(0, 2, () => [draw.one(['x-a', 'X-B', 'x_c', ...NAMES]), text(draw)]));
    parts.response = { headers, status: draw.one([429, 503, 403, 418, 511]), limitHeaders: draw.once(2) };
  }
  return parts;
}

function limit(draw: Draw): object {
  const isGlobal = draw.once(2);
  const countBy = draw.once(3) ? undefined : draw.list(1, 3, () => count(draw));
  return {
    requests: count1(draw),
    unit: draw.one(UNITS),
    ...(isGlobal ? { scope: 'Global' } : draw.once(3) ? { burst: count1(draw) } : {}),
    ...(draw.once(2) ? { match: draw.list(1, 3, () => match(draw)) } : {}),
    ...(countBy === undefined ? {} : { countBy }),
    ...(countBy !== undefined && draw.once(2) ? { overrides: draw.list(1, 3, () => override(draw, countBy)) } : {}),
  };
}

const count1 = (draw: Draw): number => (draw.once(30) ? draw.one(COUNTS) : draw.one(COUNTS.slice(0, 4)));
const text = (draw: Draw): string =>
  draw.once(8) ? draw.one(LONG) : draw.one(draw.once(4) ? TEXTS : ['a', 'b c', '~']);

function count(draw: Draw): { kind: string; name?: string } {
  const kind = draw.one(['Caller', 'Header', 'Claim']);
  if (kind === 'Caller') return { kind };
  return { kind, name: draw.once(6) ? draw.one(NAMES) : draw.one(NAMES.slice(0, 6)) };
}

function override(draw: Draw, countBy: readonly { kind: string }[]): object {
  const values = countBy.map(({ kind }) => {
    if (kind === 'Caller') return draw.one(draw.once(10) ? IDENTITIES : IDENTITIES.slice(0, 2));
    return draw.once(10) ? '' : draw.one(TEXTS.filter((one) => one !== ''));
  });
  return { values, requests: count1(draw), ...(draw.once(2) ? { unit: draw.one(UNITS) } : {}) };
}

function match(draw: Draw): object {
  const string = (): object => {
    if (draw.once(3)) return { regex: draw.one(draw.once(8) ? REGEXES : REGEXES.slice(0, 5)) };
    return { [draw.one(['exact', 'prefix'])]: text(draw) };
  };
  return some(draw, ['uri', 'method', 'authority', 'headers'], (field) => {
    if (field === 'uri') return { [draw.one(['exact', 'prefix'])]: `/${text(draw)}` };
    if (field !== 'headers') return string();
    return Object.fromEntries(
      draw.list(1, 2, () => [draw.one(['x-a', 'cookie', 'X-B']), draw.once(4) ? {} : string()]),
    );
  });
}

/** Some of the fields, one at least. */
function some(draw: Draw, names: readonly string[], make: (name: string) => unknown): Record<string, unknown> {
  const first = draw.one(names);
  return Object.fromEntries(names.filter((name) => name === first || draw.once(3)).map((name) => [name, make(name)]));
}
