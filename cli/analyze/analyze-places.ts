import { readMeshConfig } from '../../api/mesh-config.ts';
import { CliError } from '../cli-error.ts';
import type { Cluster } from '../cluster-options.ts';
import { listMeshObjects, type MeshObjects } from '../snapshot/read-mesh.ts';
import { analyze } from './analysis.ts';
import { LEVELS, type Level } from './codes.ts';
import type { AnyObject } from './documents.ts';
import type { Message } from './message.ts';
import { readFiles } from './read-files.ts';
import { readSuppression } from './suppression.ts';

export interface AnalyzedPlaces {
  readonly messages: readonly Message[];
  readonly notes: readonly string[];
  /** `namespace: shop`, as Istio writes it. */
  readonly where: string;
}

interface Flags {
  readonly useCluster?: boolean;
  readonly allNamespaces?: boolean;
  readonly namespace?: string;
  readonly suppress: readonly string[];
}

/** Analyzes files, the cluster, or files over the cluster. Of the cluster the messages of one namespace are told, unless all are asked for. */
export async function analyzePlaces(
  paths: readonly string[],
  flags: Flags,
  connect: () => Promise<Cluster>,
): Promise<AnalyzedPlaces> {
  const suppressed = flags.suppress.map(readSuppression);
  const { objects: files, findings } = await readFiles(paths);
  const asksCluster = paths.length === 0 || flags.useCluster === true;
  const cluster = asksCluster ? await connect() : undefined;
  const found = cluster && (await listMeshObjects(cluster.api));
  const namespace = flags.namespace ?? cluster?.namespace ?? 'default';
  const messages = analyze({
    config: found?.config ?? readMeshConfig(''),
    files,
    findings,
    cluster: found === undefined ? [] : plainObjects(found),
    keys: found?.objects.filter(({ kind }) => kind === 'Jwks') ?? [],
    namespace,
  });
  const isOwn = ({ object, place }: Message): boolean =>
    place !== undefined ||
    (paths.length === 0 &&
      (flags.allNamespaces === true ||
        object.namespace === namespace ||
        (object.kind === 'Namespace' && object.name === namespace)));
  const told = messages.filter((message) => isOwn(message) && !suppressed.some((leavesOut) => leavesOut(message)));
  const where =
    paths.length > 0 ? paths.join(', ') : flags.allNamespaces ? 'all namespaces' : `namespace: ${namespace}`;
  return { messages: told, notes: found?.notes ?? [], where };
}

/** @throws {CliError} with code 2 */
export function readLevel(text: string): Level {
  const level = LEVELS.find((one) => one === text);
  if (level === undefined) throw new CliError(`${text} is no level`, `levels are ${LEVELS.join(', ')}`, 2);
  return level;
}

/** What can be analyzed of a cluster's objects. */
export function plainObjects({ objects }: MeshObjects): AnyObject[] {
  return objects.flatMap(({ kind, object }) => (kind === 'Jwks' ? [] : [object as AnyObject]));
}
