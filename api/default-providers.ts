import { z } from 'zod';
import { type ExtensionProvider, sortOf } from './extension-provider.ts';

/** What Telemetry resources are about. */
export type TelemetrySection = 'tracing' | 'metrics' | 'accessLogging';

/** Sorts of providers that a section may name. */
const SORTS: Readonly<Record<TelemetrySection, readonly string[]>> = {
  tracing: ['opentelemetry', 'zipkin'],
  metrics: ['prometheus'],
  accessLogging: ['envoyFileAccessLog', 'envoyOtelAls'],
};

/** Providers that are there without being in the mesh's settings, Istio's: `envoy` writes lines of text to the sidecar's output. */
const BUILTIN: readonly ExtensionProvider[] = [
  { name: 'envoy', envoyFileAccessLog: { path: '/dev/stdout', omitEmptyValues: false } },
  { name: 'prometheus', prometheus: {} },
];

const names = z.array(z.string().max(128)).max(20).default([]);

/** Who is told where no Telemetry says who; as Istio's `MeshConfig.DefaultProviders`. */
export const defaultProviders = z.strictObject({ tracing: names, metrics: names, accessLogging: names }).prefault({});

export type DefaultProviders = z.output<typeof defaultProviders>;

/**
 * Finds who is told, by name.
 * @returns what is wrong with the name, without a full stop at the end, when nobody can be told
 */
export function findProvider(
  providers: readonly ExtensionProvider[],
  section: TelemetrySection,
  name: string,
): ExtensionProvider | string {
  const found = [...providers, ...BUILTIN].find((one) => one.name === name);
  if (found === undefined) return `the mesh configuration has no provider "${name}"`;
  if (SORTS[section].includes(sortOf(found))) return found;
  return `the provider "${name}" is of ${sortOf(found)}, and ${section} takes ${SORTS[section].join(' and ')} alone`;
}

/** Reports default providers that can't be told. */
export function checkDefaultProviders(
  named: DefaultProviders,
  providers: readonly ExtensionProvider[],
  context: z.RefinementCtx,
): void {
  for (const section of ['tracing', 'metrics', 'accessLogging'] as const) {
    if (section === 'tracing' && named.tracing.length > 1) {
      context.addIssue({
        code: 'custom',
        path: ['defaultProviders', 'tracing'],
        message: 'must name one provider: spans go to one alone',
      });
    }
    for (const [index, name] of named[section].entries()) {
      const problem = findProvider(providers, section, name);
      if (typeof problem !== 'string') continue;
      const path = ['defaultProviders', section, index];
      context.addIssue({ code: 'custom', path, message: `must name one of extensionProviders: ${problem}` });
    }
  }
}
