import { findProvider, type TelemetrySection } from '../../api/default-providers.ts';
import type { ExtensionProvider } from '../../api/extension-provider.ts';
import type { WorkloadMode } from '../../api/telemetry.ts';
import { answersAt } from './authorizer.ts';
import type { PodFacts } from './pod.ts';
import { findProviderService } from './provider-service.ts';
import type { MeshSettings } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import type { CallSide, Told } from './telemetry.ts';

/** Whether something of a Telemetry is about a side. */
export function isAboutSide(match: { readonly mode?: WorkloadMode | undefined } | undefined, side: CallSide): boolean {
  const { mode = 'CLIENT_AND_SERVER' } = match ?? {};
  return mode === 'CLIENT_AND_SERVER' || mode === side;
}

/** Names of the providers that some part of a Telemetry names. */
export function namesOf({
  providers = [],
}: {
  readonly providers?: readonly { readonly name: string }[] | undefined;
}): readonly string[] {
  return providers.map(({ name }) => name);
}

/** Where a provider is; undefined: nowhere but in the sidecar. */
export function addressOf({
  envoyOtelAls,
  opentelemetry,
  zipkin,
}: ExtensionProvider): { readonly service: string; readonly port: number } | undefined {
  return envoyOtelAls ?? opentelemetry ?? zipkin;
}

/**
 * Whether a pod is one of those who are told: of the requests by which it is told nothing may be told to it, or there would be no end.
 * @returns false where nobody knows who is told
 */
export function isToldItself(settings: MeshSettings, tables: MeshTables, { provider }: Told, pod: PodFacts): boolean {
  const address = addressOf(provider);
  const service = address && findProviderService(settings, tables, address);
  return service !== undefined && typeof service !== 'string' && answersAt(service, pod).length > 0;
}

/** Who is told by a name; a sentence without a full stop where nobody can be. */
export function findTold(
  settings: MeshSettings,
  tables: MeshTables,
  section: TelemetrySection,
  name: string,
): Told | string {
  const provider = findProvider(settings.extensionProviders ?? [], section, name);
  if (typeof provider === 'string') return provider;
  const address = addressOf(provider);
  if (address === undefined) return { provider };
  const service = findProviderService(settings, tables, address);
  return typeof service === 'string' ? `of the provider "${name}" ${service}` : { provider, service: service.key };
}
