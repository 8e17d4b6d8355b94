import { Command } from 'commander';
import type { PodObject } from '../check/context.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import type { DeploymentState } from '../install/readiness.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';

interface VersionFlags extends ClusterFlags {
  readonly output: Format;
  readonly client: boolean;
}

/** The versions of everything that takes part. */
export interface Versions {
  readonly client: string;
  /** Absent with --client. */
  readonly controlPlane?: readonly { readonly name: string; readonly version: string; readonly image: string }[];
  /** Sidecars by image and by the version of what was injected. */
  readonly proxies?: readonly { readonly image: string; readonly injection: string; readonly pods: number }[];
}

/** `heddle version`. */
export function versionCommand(): Command {
  const command = new Command('version')
    .description('Says the versions of this program, of the control plane and of the sidecars.')
    .option('--client', 'of this program alone; no cluster is asked', false);
  return withOutputOption(withClusterOptions(command))
    .addHelpText('after', '\n  heddle version\n  heddle version --client\n  heddle version -o json')
    .action(async (flags: VersionFlags) => {
      const { clientVersion } = await import('../install/home.ts');
      const client = await clientVersion();
      const versions: Versions = flags.client ? { client } : { client, ...(await clusterVersions(flags)) };
      if (flags.output === 'json' || flags.output === 'yaml') console.log(formatObjects(versions, flags.output));
      else console.log(formatVersions(versions));
    });
}

async function clusterVersions(flags: VersionFlags): Promise<Omit<Versions, 'client'>> {
  const [{ DEPLOYMENT, POD }, { DEPLOYMENTS, VERSION_LABEL }, names, { SYSTEM_NAMESPACE }] = await Promise.all([
    import('../../kube/kinds.ts'),
    import('../install/customize.ts'),
    import('../../api/pod-names.ts'),
    import('../../proxy/names.ts'),
  ]);
  const { api } = await connect(flags);
  const [deployments, pods] = await Promise.all([
    api.list<DeploymentState>(DEPLOYMENT, { namespace: SYSTEM_NAMESPACE }),
    api.list<PodObject>(POD, {
      labelSelector: `${names.TLS_MODE_LABEL}=${names.TLS_MODE_ISTIO}`,
      namespace: flags.namespace,
    }),
  ]);
  api.close();
  const controlPlane = deployments.items
    .filter(({ metadata }) => DEPLOYMENTS.includes(metadata?.name ?? ''))
    .map(({ metadata, spec }) => ({
      name: metadata?.name ?? '',
      version: metadata?.labels?.[VERSION_LABEL] ?? 'not written down',
      image: spec?.template?.spec?.containers?.[0]?.image ?? '',
    }));
  return { controlPlane, proxies: await countProxies(pods.items) };
}

/** Sidecars by what they are. */
async function countProxies(pods: readonly PodObject[]): Promise<NonNullable<Versions['proxies']>> {
  const [{ PROXY_CONTAINER }, { injectionVersion }] = await Promise.all([
    import('../../api/pod-names.ts'),
    import('../check/pods.ts'),
  ]);
  const counts = new Map<string, { image: string; injection: string; pods: number }>();
  for (const pod of pods) {
    const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
    const image = containers.find(({ name }) => name === PROXY_CONTAINER)?.image;
    if (image === undefined) continue;
    const injection = injectionVersion(pod) ?? 'not of Heddle';
    const known = counts.get(`${image} ${injection}`) ?? { image, injection, pods: 0 };
    counts.set(`${image} ${injection}`, { ...known, pods: known.pods + 1 });
  }
  return [...counts.values()].sort((a, b) => b.pods - a.pods);
}

/** Versions in lines. */
function formatVersions({ client, controlPlane, proxies }: Versions): string {
  const lines = [`client: ${client}`];
  if (controlPlane?.length === 0) lines.push('control plane: not installed');
  for (const { name, version, image } of controlPlane ?? []) lines.push(`${name}: ${version} (${image})`);
  if (proxies?.length === 0) lines.push('sidecars: none');
  for (const { image, injection, pods } of proxies ?? [])
    lines.push(`sidecars: ${pods} of ${image}, injected as ${injection}`);
  return lines.join('\n');
}
