import { posix } from 'node:path';

/** A room of the house and what its files may import from elsewhere in the tree: folders, or single files. */
export interface Room {
  readonly path: string;
  readonly may: readonly string[];
}

/** Interface files that stand for a contract between rooms (ARCHITECTURE.md): types, and names both sides must spell alike. */
const MESH_TYPES = ['operator/mesh/snapshot.ts', 'operator/mesh/object-ref.ts'];
const RATE_LIMITS = ['operator/mesh/rate-limits.ts', 'operator/mesh/rate-limit-descriptor.ts'];
const RESOURCE = 'operator/xds/resource.ts';
const TRAFFIC = 'operator/telemetry/traffic.ts';
const BOUNDED_READER = 'operator/ads/bounded-reader.ts';
/** What pods use, and of how much. */
const USAGE = ['operator/usage/pod-usage.ts', 'operator/usage/fullness.ts'];
/** Judges recorded checks, and knows nothing but these. */
const JUDGE = 'operator/canary/judge';
const SHARED_NAMES = ['proxy/names.ts', 'proxy/ports.ts'];
/** In which the sidecars count, and the ledger with them. */
const BUCKETS = 'proxy/duration-buckets.ts';
/** What certificates say of workloads, which metrics repeat. */
const SUBJECT = 'proxy/peer-subject.ts';

/** The whole list of allowed edges. Files that are not in a room here (`hack`, `test`, tests beside their file) are free. */
export const ROOMS: readonly Room[] = [
  { path: 'api', may: [] },
  { path: 'kube', may: ['api'] },
  { path: 'proxy', may: ['api'] },
  { path: 'operator/mesh', may: ['api', ...SHARED_NAMES] },
  { path: 'operator/xds', may: ['operator/mesh', 'proxy', 'api', 'generated'] },
  { path: 'operator/ads', may: [RESOURCE, 'kube', 'generated', ...SHARED_NAMES] },
  { path: 'operator/replicas', may: ['operator/ads', RESOURCE, 'kube', ...SHARED_NAMES] },
  { path: 'operator/ratelimit', may: [...RATE_LIMITS, 'api', 'kube', BOUNDED_READER, 'generated'] },
  { path: 'operator/certificates', may: ['api', 'kube', ...MESH_TYPES, RESOURCE, 'generated', ...SHARED_NAMES] },
  { path: 'operator/outward', may: [] },
  { path: 'operator/jwks', may: ['operator/outward', 'api', 'kube'] },
  { path: 'operator/usage', may: ['api', 'kube'] },
  {
    path: 'operator/canary',
    may: ['api', 'kube', 'operator/outward', ...MESH_TYPES, TRAFFIC, ...USAGE, ...SHARED_NAMES],
  },
  { path: 'operator/providers', may: ['operator/outward', 'api', 'kube'] },
  {
    path: 'operator/telemetry',
    may: ['api', 'kube', ...MESH_TYPES, BOUNDED_READER, BUCKETS, SUBJECT, 'generated', ...SHARED_NAMES],
  },
  { path: 'operator/status', may: ['operator/mesh', 'api', 'kube'] },
  { path: 'operator/dashboard', may: ['operator/telemetry', 'operator/outward', 'api', 'kube'] },
  // Runs in a browser: of the API it has types, and words that need nothing.
  { path: 'operator/dashboard/page', may: ['api'] },
  { path: 'webhook', may: ['api', 'kube', 'proxy'] },
  { path: 'cli', may: ['api', 'kube', 'proxy', 'operator/mesh', 'operator/xds', JUDGE, 'webhook/inject', 'generated'] },
  { path: 'config/samples/shop/app', may: [] },
  { path: 'test/e2e/testbed', may: [] },
];

/** Rooms whose functions give the same for the same arguments: no I/O, clock, logger or client. (Kubernetes' types they may have.) */
export const PURE = ['api', 'operator/mesh', 'operator/xds'];

/** What a pure room can have no honest use for. */
export const EFFECTS = [
  ...['fs', 'fs/promises', 'net', 'http', 'http2', 'https', 'tls', 'dns', 'dns/promises', 'child_process', 'process'],
  ...['timers', 'timers/promises', 'os', 'worker_threads', 'dgram'],
].map((name) => `node:${name}`);
const EFFECTFUL_PACKAGES = ['@grpc/grpc-js', 'winston', 'express', 'prom-client'];

/** How deep folders may nest inside a room; the rules are written out for each depth. */
export const MAX_DEPTH = 2;

const TESTS = ['!**/*.test.ts', '!**/*.fixture.ts', '!**/testdata/**', '!**/testing/**'];

/** The part of Biome's configuration that enforces the law: one override for each room and depth. */
export function lawConfiguration(rooms: readonly Room[] = ROOMS): object {
  const overrides = rooms.flatMap((room) => Array.from({ length: MAX_DEPTH + 1 }, (_, depth) => override(room, depth)));
  return { $schema: '../../node_modules/@biomejs/biome/configuration_schema.json', overrides };
}

function override({ path, may }: Room, depth: number): object {
  const folder = posix.join(path, ...Array.from({ length: depth }, () => '*'));
  const allowed = may.flatMap((target) => relativeForms(path, depth, target)).map((form) => `!${form}`);
  // Everything that leaves the room, but for what is allowed.
  const group = [`${'../'.repeat(depth + 1)}**`, ...allowed];
  const list = may.length === 0 ? 'nothing outside of it' : may.join(', ');
  const message = `${path} may import ${list} (hack/lint/import-law.ts). Declare a port and let main.ts join the rooms.`;
  const pure = {
    group: [...EFFECTS, ...EFFECTFUL_PACKAGES],
    message: `${path} is pure: no I/O, clock, logger or client.`,
  };
  const patterns = [{ group, message }, ...(PURE.includes(path) ? [pure] : [])];
  return {
    includes: [`${folder}/*.ts`, ...TESTS],
    linter: { rules: { style: { noRestrictedImports: { level: 'error', options: { patterns } } } } },
  };
}

/** How a file of `room`, `depth` folders down, can spell the import of `target`. */
function relativeForms(room: string, depth: number, target: string): string[] {
  const relative = posix.relative(posix.join(room, ...Array.from({ length: depth }, () => 'x')), target);
  return [target.endsWith('.ts') ? relative : `${relative}/**`];
}
