import { parse } from 'yaml';
import { CONFIG_MAP, DEPLOYMENT } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import { OPERATOR_SERVICE, SYSTEM_NAMESPACE } from '../../proxy/names.ts';
import { CHOICES_ANNOTATION, DEPLOYMENTS, MESH_CONFIG_MAP, MESH_FILE, VERSION_LABEL } from './customize.ts';
import type { ManifestObject } from './manifest-object.ts';
import type { DeploymentState } from './readiness.ts';
import { type Choices, differingSettings, type Settings } from './settings.ts';

type ConfigMapObject = KubeObject & { readonly data?: Readonly<Record<string, string>> };

/** An installation as a cluster has it. */
export interface Installed {
  /** Undefined where it was not installed by this program: then nobody wrote it down. */
  readonly version: string | undefined;
  readonly choices: Choices;
  /** Whether the choices were told from how the settings differ, not read. */
  readonly guessed: boolean;
  /** Pods wanted, by Deployment. */
  readonly replicas: Readonly<Record<string, number>>;
}

/** Looks for an installation; undefined when the cluster has none. */
export async function findInstalled(
  api: Pick<KubeApi, 'get'>,
  shipped: readonly ManifestObject[],
): Promise<Installed | undefined> {
  const found = await Promise.all(DEPLOYMENTS.map((name) => get<DeploymentState>(api, DEPLOYMENT, name)));
  const deployments = found.filter((deployment) => deployment !== undefined);
  if (deployments.length === 0) return undefined;
  const replicas: Record<string, number> = {};
  for (const { metadata, spec } of deployments) {
    if (spec?.replicas !== undefined) replicas[metadata?.name ?? ''] = spec.replicas;
  }
  const version = deployments
    .map(({ metadata }) => metadata?.labels?.[VERSION_LABEL])
    .find((label) => label !== undefined);
  const configMap = await get<ConfigMapObject>(api, CONFIG_MAP, MESH_CONFIG_MAP);
  const written = readChoices(configMap?.metadata?.annotations?.[CHOICES_ANNOTATION]);
  if (written) return { version, choices: written, guessed: false, replicas };
  const operator = deployments.find(({ metadata }) => metadata?.name === OPERATOR_SERVICE);
  return { version, choices: guessChoices(configMap, operator, shipped), guessed: true, replicas };
}

/** Of an installation by `kubectl apply -k` the choices are what differs from the manifests of this version. */
function guessChoices(
  configMap: ConfigMapObject | undefined,
  operator: DeploymentState | undefined,
  shipped: readonly ManifestObject[],
): Choices {
  const of = (kind: string, name: string) => shipped.find((each) => each.kind === kind && each.metadata.name === name);
  const text = (object: object | undefined): string => (object as ConfigMapObject | undefined)?.data?.[MESH_FILE] ?? '';
  const settings = configMap
    ? differingSettings(parse(text(configMap)), parse(text(of('ConfigMap', MESH_CONFIG_MAP))))
    : {};
  const imageOf = (deployment: DeploymentState | undefined) => deployment?.spec?.template?.spec?.containers?.[0]?.image;
  const image = imageOf(operator);
  const own = imageOf(of('Deployment', OPERATOR_SERVICE) as DeploymentState | undefined);
  return { settings, ...(image === undefined || image === own ? {} : { image }) };
}

function readChoices(text: string | undefined): Choices | undefined {
  if (text === undefined) return undefined;
  try {
    const { settings, image, replicas } = JSON.parse(text) as { [key: string]: unknown };
    return {
      settings: (settings ?? {}) as Settings,
      ...(typeof image === 'string' ? { image } : {}),
      ...(typeof replicas === 'number' ? { replicas } : {}),
    };
  } catch {
    return undefined;
  }
}

async function get<T extends KubeObject>(
  api: Pick<KubeApi, 'get'>,
  kind: Parameters<KubeApi['get']>[0],
  name: string,
): Promise<T | undefined> {
  try {
    return await api.get<T>(kind, { namespace: SYSTEM_NAMESPACE, name });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Compares versions such as `0.2.0`; below zero where `a` is the older. What is no such version is no older and no newer. */
export function compareVersions(a: string, b: string): number {
  const parts = (text: string) => /^v?(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  const [left, right] = [parts(a), parts(b)];
  if (!left || !right) return 0;
  const index = left.findIndex((part, at) => part !== right[at]);
  return index < 0 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}
