import type { Draw } from '../../../operator/xds/testing/draw.ts';

/** Texts that an encoding, an expression or a check might stumble over. */
const TEXTS = [
  '"',
  "'",
  '\\',
  '\\Q.*\\E',
  '[',
  ']',
  '[^',
  '(',
  ')',
  '(?i)a',
  '(?P<a>',
  '{',
  '}',
  '{2}',
  'a{1,1000}',
  '{*}',
  '{**}',
  '+',
  '|',
  '^$',
  '.',
  '?',
  '#',
  '%',
  '%00',
  '%zz',
  '/',
  '//',
  '*',
  '**',
  '***',
  '*a*',
  'a*b',
  ' ',
  '\t',
  '\n',
  '\r\n',
  '\0',
  '\x7f',
  '\x01',
  'ä',
  '☃',
  '😀',
  '\ud800',
  '\ufffd',
  '\u2028',
  '\u202e',
  '__proto__',
  'a',
  'shop',
  '-',
  '=',
  ',',
  ';',
  ':',
  '@',
  '~',
  '`',
  '<',
  '&',
  '$',
  '!',
];
const KEYS = [
  'source.ip',
  'remote.ip',
  'source.namespace',
  'source.principal',
  'source.serviceAccount',
  'source.trustDomain',
  'request.auth.principal',
  'request.auth.audiences',
  'request.auth.presenter',
  'destination.ip',
  'destination.port',
  'connection.sni',
];
const BLOCKS = [
  '10.0.0.0/8',
  '10.1.2.3',
  '0.0.0.0/0',
  '10.1.2.3/32',
  '10.1.2.3/8',
  '10.0.0.0/08',
  '::/0',
  '::1',
  '2001:db8::/32',
  '::ffff:10.0.0.1',
  '::10.0.0.1/100',
  '2001:DB8:0:0:0:0:0:1/128',
  'fe80::1%eth0',
  '1:2:3:4:5:6:7::',
];
/** All that a template may have, but for its operators. */
const TEMPLATE_CHARACTERS = [..."-azAZ09._~%!$&'()+,;:@="];
const FIELDS_OF_SOURCE = ['principals', 'requestPrincipals', 'namespaces', 'serviceAccounts', 'trustDomains'];
const FIELDS_OF_OPERATION = ['hosts', 'methods'];

/** A spec with the fields there are, most of whose values are odd; of the right shape. */
export function oddPolicySpec(draw: Draw): unknown {
  const action = draw.one(['ALLOW', 'DENY', 'DENY', 'AUDIT', 'CUSTOM']);
  const provider = action === 'CUSTOM' ? { provider: { name: oddText(draw) } } : {};
  const rule = () => ({
    ...(draw.once(2) && action !== 'CUSTOM' ? { from: draw.list(1, 2, () => ({ source: oddSource(draw) })) } : {}),
    ...(draw.once(2) ? { to: draw.list(1, 2, () => ({ operation: oddOperation(draw) })) } : {}),
    ...(draw.once(2) ? { when: draw.list(1, 2, () => oddCondition(draw, action === 'CUSTOM')) } : {}),
  });
  return { action, ...provider, rules: draw.list(1, 2, rule) };
}

function oddSource(draw: Draw): unknown {
  const name = draw.one(FIELDS_OF_SOURCE);
  const blocks = draw.once(2)
    ? { [draw.one(['ipBlocks', 'remoteIpBlocks', 'notIpBlocks', 'notRemoteIpBlocks'])]: [draw.one(BLOCKS)] }
    : {};
  return { ...blocks, [negated(draw, name)]: draw.list(1, 3, () => oddText(draw)) };
}

function oddOperation(draw: Draw): unknown {
  const ports = draw.once(2) ? { [negated(draw, 'ports')]: [draw.one(['1', '65535', '00080', '8080'])] } : {};
  if (draw.once(2)) return { ...ports, [negated(draw, 'paths')]: draw.list(1, 3, () => oddPath(draw)) };
  return { ...ports, [negated(draw, draw.one(FIELDS_OF_OPERATION))]: draw.list(1, 3, () => oddText(draw)) };
}

function oddPath(draw: Draw): string {
  if (draw.once(3)) return oddText(draw);
  const segment = () => draw.one(['{*}', '', draw.list(1, 6, () => draw.one(TEMPLATE_CHARACTERS)).join('')]);
  const rest = draw.one(['', '/{**}', '/{**}/', '/{**}/a', '/{*}', `/${TEMPLATE_CHARACTERS.join('')}/{*}`]);
  return `/${draw.list(0, 3, segment).join('/')}${rest}`;
}

function oddCondition(draw: Draw, anonymous: boolean): unknown {
  const texts = () => draw.list(1, 2, () => oddText(draw));
  const free = [
    `request.headers[${oddText(draw)}]`,
    'request.headers[x-a]',
    `request.headers[x${draw.one(TEXTS)}]`,
    'connection.sni',
  ];
  if (anonymous || draw.once(2)) {
    return {
      key: draw.one([...free, `experimental.envoy.filters.a.b[${oddText(draw)}]`]),
      [draw.one(['values', 'notValues'])]: texts(),
    };
  }
  const key = draw.one([...KEYS, `request.auth.claims[${oddText(draw)}]`, `request.auth.claims[a][${oddText(draw)}]`]);
  if (key.endsWith('.ip')) return { key, values: [draw.one(BLOCKS)], notValues: [draw.one(BLOCKS)] };
  if (key === 'destination.port') return { key, values: ['80', '00081'] };
  return { key, values: texts(), ...(draw.once(2) ? { notValues: texts() } : {}) };
}

function oddText(draw: Draw): string {
  const text = draw.list(1, 3, () => draw.one(TEXTS)).join('');
  if (draw.once(60))
    return `${draw.one(['', '*', '/'])}${draw.one(['x', '☃', '\\', '.', '{', ',']).repeat(draw.one([2700, 4096, 8000, 8192]))}`.slice(
      0,
      8192,
    );
  return draw.one([text, text, `${text}*`, `*${text}`, `a/${text}`, `${text}/*`]);
}

function negated(draw: Draw, name: string): string {
  return draw.once(3) ? `not${name.charAt(0).toUpperCase()}${name.slice(1)}` : name;
}
