import { readFile } from 'node:fs/promises';
import type { V1Pod } from '@kubernetes/client-node';
import type { KubeObject } from '../../kube/object.ts';
import { type InjectionSettings, settingsFrom } from '../../webhook/inject/settings.ts';
import { CliError } from '../cli-error.ts';
import { type ClusterFlags, connect } from '../cluster-options.ts';

export interface SettingsFlags extends ClusterFlags {
  /** File with the mesh's settings, or `default`. */
  readonly meshConfig?: string;
  /** Pods have IPv6 addresses; only beside `meshConfig`, else the cluster is asked. */
  readonly ipv6?: boolean;
}

/**
 * What is injected: by a file, or as the webhook of the cluster does it.
 * @throws {CliError} naming the way out when neither can be had
 */
export async function injectionSettings(flags: SettingsFlags): Promise<InjectionSettings> {
  const { readMeshConfig } = await import('../../api/mesh-config.ts');
  const { meshConfig, ipv6 = false } = flags;
  if (meshConfig === undefined) return clusterSettings(flags);
  try {
    const text = meshConfig === 'default' ? '' : await readFile(meshConfig, 'utf8');
    return settingsFrom(readMeshConfig(text), ipv6);
  } catch (error) {
    throw new CliError(`--mesh-config ${meshConfig}: ${(error as Error).message}`, undefined, 2);
  }
}

const OFFLINE = 'give the settings with --mesh-config FILE, or --mesh-config default';

async function clusterSettings(flags: ClusterFlags): Promise<InjectionSettings> {
  const [{ readMeshConfig }, { CONFIG_MAP }, { MESH_CONFIG_MAP, MESH_FILE }, { podsOf }] = await Promise.all([
    import('../../api/mesh-config.ts'),
    import('../../kube/kinds.ts'),
    import('../install/customize.ts'),
    import('../install/readiness.ts'),
  ]);
  const { SYSTEM_NAMESPACE: namespace, WEBHOOK_SERVICE } = await import('../../proxy/names.ts');
  const { api } = await connect(flags);
  try {
    const [{ data }, pods] = await Promise.all([
      api.get<KubeObject & { data?: Record<string, string> }>(CONFIG_MAP, { namespace, name: MESH_CONFIG_MAP }),
      podsOf<V1Pod & KubeObject>(api, WEBHOOK_SERVICE),
    ]);
    const ipv6 = pods.some(({ status }) => status?.podIPs?.some(({ ip }) => ip?.includes(':')));
    return settingsFrom(readMeshConfig(data?.[MESH_FILE] ?? ''), ipv6);
  } catch (error) {
    const { name, code, message } = error as Error & { code?: unknown };
    if (name === 'KubeError' && code === 404) {
      throw new CliError('Heddle is not installed in this cluster', `heddle install, or ${OFFLINE}`);
    }
    throw new CliError(
      `the mesh's settings can't be read: ${message}`,
      OFFLINE,
      name === 'KubeConnectionError' ? 3 : 1,
    );
  } finally {
    api.close();
  }
}
