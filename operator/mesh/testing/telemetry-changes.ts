import fc from 'fast-check';
import type { MeshChange } from '../mesh-object.ts';
import { telemetry } from './objects.ts';
import { maybe } from './optional.ts';

const index = fc.nat({ max: 3 });
const namespaces = fc.constantFrom('shop', 'other', 'heddle-system');
const modes = fc.constantFrom('CLIENT' as const, 'SERVER' as const, 'CLIENT_AND_SERVER' as const);

const overrides = fc.array(
  fc.record({
    match: fc.record({
      metric: fc.constantFrom('ALL_METRICS' as const, 'REQUEST_COUNT' as const, 'TCP_SENT_BYTES' as const),
      mode: modes,
    }),
    disabled: fc.boolean(),
    tagOverrides: fc.constantFrom({}, { a: { value: '"b"' } }, { a: { value: 'request.host' } }),
  }),
  { maxLength: 3 },
);

const spec = fc.record({
  selector: maybe(fc.constantFrom<Record<string, string>[]>({}, { app: 'a' }, { tier: 'x' })),
  target: maybe(fc.constantFrom('s0', 's1', 's9')),
  mode: modes,
  provider: maybe(fc.constantFrom('envoy', 'unknown')),
  disabled: fc.boolean(),
  isBroken: fc.boolean(),
  metrics: maybe(overrides),
  creation: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
});

/** Telemetry resources that come, change and go. */
export const telemetryChanges = fc.tuple(namespaces, index, maybe(spec)).map(([namespace, i, options]): MeshChange => {
  const key = `${namespace}/tm${i}`;
  if (options === undefined) return { kind: 'Telemetry', key, object: undefined };
  const { selector, target, mode, provider, disabled, isBroken, metrics, creation } = options;
  const aim =
    target === undefined
      ? selector && { selector: { matchLabels: selector } }
      : { targetRefs: [{ kind: 'Service', name: target }] };
  const accessLogging = [
    { match: { mode }, ...(provider === undefined ? {} : { providers: [{ name: provider }] }), disabled },
    ...(isBroken ? [{ filter: { expression: 'response.' } }] : []),
  ];
  const told = metrics === undefined ? {} : { metrics: [{ overrides: metrics }] };
  return { kind: 'Telemetry', key, object: telemetry(key, { ...aim, accessLogging, ...told }, creation) };
});
