/** What strings, numbers and keys of random specs may be, by the names of their fields: mostly right, and what is wrong in every known way. */

/** As long as a name may be. */
const LONGEST = `${'x'.repeat(63)}.${'y'.repeat(63)}.${'z'.repeat(63)}.${'w'.repeat(61)}`;
const HOSTS = [
  ...[
    'a',
    'b',
    'a.shop.svc.cluster.local',
    'b.shop.svc.cluster.local',
    'a.bank.svc.cluster.local',
    'headless',
    'alias',
  ],
  ...[
    'api.example.com',
    '*.example.com',
    'A.Example.com',
    'nobody',
    '*',
    LONGEST,
    '*.svc.cluster.local',
    '*.shop.svc.cluster.local',
  ],
];
const DURATIONS = ['1s', '0.5s', '25ms', '1h', '0s', '1ms', '87600h', '1m30s', '-1s', '1.0001ms', 'soon'];
const PATHS = ['/', '/a', '/a/b', '', 'GET', 'http', 'x'];
const REGEXES = ['.*', '/v[0-9]+/.*', '(a|b)+', '(', '[^/]*', '(?i)x', '\\1', 'a{1,1000}', '(?=x)', '^/(.*)$'];
const NAMES = ['v1', 'v2', 'a', 'http', 'tcp-x', '__proto__', 'constructor', 'x'.repeat(64)];
const HEADERS = ['x-a', ':path', ':method', 'host', 'Host', 'cookie', 'X-Upper', '__proto__', 'te', 'x y', ''];
const LOCALITIES = ['r1', 'r1/*', 'r1/z1', 'r2/z2/s', '*', 'r1/*/x', '__proto__'];

const IDENTITIES = [
  'cluster.local/ns/shop/sa/a',
  'cluster.local/*',
  '*/sa/b',
  '*',
  'issuer/subject',
  'a.b+(c',
  '**',
  '*a*',
];
const PARTS_OF_IDENTITIES = ['shop', 'bank', 'shop*', '*op', '*', 'shop/a', 'a/b/c', 'cluster.local', '[x]', '('];
const BLOCKS = ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::1', '10.0.0.0/33', '10.0.0', 'x', '::ffff:10.0.0.1'];
const PATH_PATTERNS = [
  '/a',
  '/a*',
  '*/b',
  '*',
  '/{*}/x',
  '/x/{**}',
  '/{**}/y',
  '{*}',
  '/{*}a',
  '/a b/{*}',
  '/é/{*}',
  '/a?b',
  '/=/{*}',
];
const ATTRIBUTES = [
  ...['request.headers[x-team]', 'request.headers[X-Team]', 'request.headers[:path]', 'request.headers[x y]'],
  ...['source.ip', 'remote.ip', 'source.namespace', 'source.principal', 'source.serviceAccount', 'source.trustDomain'],
  ...['request.auth.principal', 'request.auth.audiences', 'request.auth.presenter', 'request.auth.claims[a][b]'],
  ...['destination.ip', 'destination.port', 'connection.sni', 'experimental.envoy.filters.http.x[y]', 'nothing', ''],
];

export const TEXTS = [
  '',
  'a',
  '__proto__',
  'constructor',
  'toString',
  'é',
  'a\nb',
  '%',
  '%%',
  '%REQ(x-a)%',
  '\u0000',
  '"',
  '|',
  '*',
];

export const FIELD_VALUES: ReadonlyMap<string, readonly string[]> = new Map([
  ['host', HOSTS],
  ['hosts', HOSTS],
  ['egress.hosts', ['./*', '*/*', '~/*', 'shop/*', './a.shop.svc.cluster.local', 'bank/*.svc.cluster.local', 'a']],
  ['sniHosts', HOSTS],
  ['authority', ['a.example.com', 'a.example.com:8080', '', 'a b']],
  ...['principals', 'notPrincipals', 'requestPrincipals', 'notRequestPrincipals'].map(
    (field): [string, readonly string[]] => [field, IDENTITIES],
  ),
  ...['namespaces', 'notNamespaces', 'trustDomains', 'notTrustDomains', 'serviceAccounts', 'notServiceAccounts'].map(
    (field): [string, readonly string[]] => [field, PARTS_OF_IDENTITIES],
  ),
  ...['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'].map((field): [string, readonly string[]] => [
    field,
    BLOCKS,
  ]),
  ...['operation.ports', 'notPorts'].map((field): [string, readonly string[]] => [
    field,
    ['8080', '9000', '0', 'http'],
  ]),
  ...['methods', 'notMethods'].map((field): [string, readonly string[]] => [field, ['GET', 'P*', '*T', '*', 'get']]),
  ...['paths', 'notPaths'].map((field): [string, readonly string[]] => [field, PATH_PATTERNS]),
  ['key', ATTRIBUTES],
  ['values', [...IDENTITIES, ...BLOCKS, '8080']],
  ['notValues', [...IDENTITIES, ...BLOCKS, '8080']],
  ['kind', ['Service', 'Service', 'Gateway']],
  ['gateways', ['mesh', 'mesh', 'mesh', 'edge']],
  ['exportTo', ['.', '*', 'shop', 'bank', '~']],
  ['subset', ['v1', 'v2', '', 'nope', '__proto__']],
  ['name', NAMES],
  ['namespace', ['shop', 'bank', 'nowhere']],
  ['sourceNamespace', ['shop', 'bank']],
  ['exact', PATHS],
  ['prefix', PATHS],
  ['regex', REGEXES],
  ['match', REGEXES],
  ['rewrite', ['/x', '\\1', '\\\\', '\\9']],
  ['uri', PATHS],
  ['uri.exact', ['/', '/a', '/a/b', '/é', '/%41', 'a']],
  ['uri.prefix', ['/', '/a', '/a/b', '/a/', 'a']],
  ['rewrite.uri', ['/', '/x', '']],
  ['redirect.uri', ['/', '/x', '/x?y=%']],
  ['scheme', ['http', 'https']],
  ['protocol', ['HTTP', 'HTTP2', 'GRPC', 'TCP', 'TLS', 'HTTPS', 'MONGO', 'UDP', 'http', 'XYZ', 'constructor']],
  ['bind', ['127.0.0.1', '0.0.0.0', '::1', 'unix:///run/x.sock', '10.0.0.1', 'nowhere']],
  ['defaultEndpoint', ['127.0.0.1:9090', '0.0.0.0:9090', 'unix:///run/x.sock', '[::1]:80', '127.0.0.1:0', 'x']],
  [
    'address',
    ['10.9.0.1', '10.9.0.2', 'fd00::9', 'vm.example.com', 'unix:///run/x.sock', '10.9.0.1/32', 'not an address'],
  ],
  ['addresses', ['10.8.0.1', '10.8.0.0/16', '0.0.0.0/0', 'fd00::/8', 'fd00::8', '0.0.0.0', '10.8.0.300', '10.96.0.1']],
  ['destinationSubnets', ['10.96.0.0/16', '10.96.0.1', 'fd00::/8', '0.0.0.0/0', '10.0.0.0/33']],
  ['sourceSubnet', ['10.0.0.0/8']],
  ['locality', ['r1/z1', 'r2', 'r1/z1/s1', '']],
  ['from', LOCALITIES],
  ['to', ['r1', 'r2']],
  ['failoverPriority', ['version', 'topology.kubernetes.io/zone', 'cell=a', '__proto__', '']],
  ['subjectAltNames', ['a.example.com', 'spiffe://cluster.local/ns/shop/sa/a', '10.0.0.1', '', '*.example.com']],
  ['sni', ['a.example.com', 'x'.repeat(300)]],
  ['credentialName', ['db', 'kubernetes://db', 'a/b']],
  ['caCertificates', ['/etc/certs/ca.pem', 'system']],
  ['clientCertificate', ['/etc/certs/c.pem']],
  ['privateKey', ['/etc/certs/c.key']],
  ['httpHeaderName', ['x-user', ':path', 'X-User', 'x y']],
  ['httpQueryParameterName', ['q', '']],
  ['path', ['/', '/cart', 'x;y']],
  ['retryOn', ['5xx', '503,409', 'gateway-error, reset', 'retriable-status-codes', '', 'nonsense', '99,1000']],
  ['grpcStatus', ['UNAVAILABLE', 'OK', 'NOPE']],
  ['allowMethods', ['GET', '*', 'G T']],
  ['allowHeaders', ['x-a', '*']],
  ['exposeHeaders', ['x-a']],
  ['remove', HEADERS],
  ['string', ['short and stout', 'x'.repeat(5000), '']],
  ['bytes', ['AQID', '!!']],
  ['serviceAccount', ['vm', '', 'a/b']],
  ['targetPort', ['http']],
  ['set{}', ['1', '%REQ(x-a)%', '%%', '%', 'a.example.com', 'é', 'a\r\nb', '']],
  ['add{}', ['1', '%DOWNSTREAM_REMOTE_ADDRESS%', '%NOPE%', '50%', '']],
  ['labels{}', ['a', 'b', 'v1', 'v2']],
  ['matchLabels{}', ['a', 'b', 'v1']],
  ['sourceLabels{}', ['a', 'ui', 'v1']],
  ...[
    ...[
      'timeout',
      'perTryTimeout',
      'backoff',
      'fixedDelay',
      'maxAge',
      'ttl',
      'interval',
      'baseEjectionTime',
      'connectTimeout',
    ],
    ...['time', 'idleTimeout', 'maxConnectionDuration', 'duration', 'warmupDurationSecs'],
  ].map((name): [string, string[]] => [name, DURATIONS]),
]);

const COUNTS = [0, 1, 2, 100, 1024, 2_147_483_647, -1];
export const NUMBERS: ReadonlyMap<string, readonly number[]> = new Map([
  ['number', [80, 80, 81, 443, 9000, 5432, 15_001, 0, 70_000]],
  ['port', [80, 80, 81, 443, 0, 70_000]],
  ['targetPort', [80, 8080, 0, 70_000]],
  ['ports{}', [80, 8080, 9090, 0, 70_000]],
  ['weight', [0, 1, 5, 50, 95, 100, 2_147_483_647, -1]],
  ['value', [0, 0.0001, 0.1, 33.3, 100, 100, 101, -1]],
  ['percent', [0, 20, 33, 100, 101]],
  ['status', [200, 404, 503, 599, 99, 600]],
  ['httpStatus', [200, 503, 599, 99, 600]],
  ['redirectCode', [301, 302, 303, 307, 308, 200]],
  ['tableSize', [2, 65_537, 5_000_011, 4, 0]],
  ['minimumRingSize', [0, 1, 1024, 8_388_608, 8_388_609]],
  ['minimumPercent', [0, 0.5, 10, 100, 101]],
  ['aggression', [1, 2.5, 0, -1]],
  ['maxEjectionPercent', [0, 10, 100, 101]],
  ['to{}', [1, 30, 70, 100, 0]],
  ['maxConnections', COUNTS],
]);

const LABELS = ['app', 'version', 'tier', '__proto__', 'constructor'];
export const KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['', LABELS],
  ['headers', HEADERS],
  ['withoutHeaders', HEADERS],
  ['set', HEADERS],
  ['add', HEADERS],
  ['queryParams', ['q', 'page', '__proto__', '']],
  ['ports', ['http', 'tcp-x', '__proto__', 'x']],
  ['to', LOCALITIES],
  ['portLevelMtls', ['8080', '9000', '0', '__proto__']],
]);
