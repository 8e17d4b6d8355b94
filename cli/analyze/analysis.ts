import type { MeshConfig } from '../../api/mesh-config.ts';
import { type MeshObject, meshObject } from '../../operator/mesh/mesh-object.ts';
import { buildMesh } from '../snapshot/read-mesh.ts';
import { ANALYZERS } from './analyzers/registry.ts';
import { LEVELS } from './codes.ts';
import type { AnalysisContext } from './context.ts';
import type { AnyObject, FileObject } from './documents.ts';
import { expectPods } from './expected-pods.ts';
import { type Finding, levelOf, type Message, originOf } from './message.ts';

/** What is analyzed. */
export interface AnalysisInput {
  readonly config: MeshConfig;
  /** Of files; they take the place of objects of the cluster that have their name. */
  readonly files: readonly FileObject[];
  readonly cluster: readonly AnyObject[];
  /** Keys that the operator fetched. */
  readonly keys?: readonly MeshObject[];
  /** What files that could not be read said. */
  readonly findings?: readonly Finding[];
  /** Objects without a namespace are in this one. */
  readonly namespace: string;
}

/** Kinds of the cluster, which have no namespace. */
const CLUSTER_SCOPED = new Set([
  'Namespace',
  'Node',
  'TrustRotation',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleBinding',
]);

/** Looks at all objects together. @returns the worst first, then by object and place; nothing twice */
export function analyze(input: AnalysisInput): Message[] {
  const files = input.files.map((one) => ({ ...one, object: placed(one.object, input.namespace) }));
  const known = new Map<string, AnyObject>();
  for (const object of [...input.cluster, ...files.map(({ object }) => object)]) known.set(keyOfObject(object), object);
  for (const namespace of new Set(files.flatMap(({ object }) => object.metadata?.namespace || []))) {
    const assumed = assumedNamespace(namespace);
    if (!known.has(keyOfObject(assumed))) known.set(keyOfObject(assumed), assumed);
  }
  const given = [...known.values()];
  const objects = [...given, ...expectPods(given)];
  const context = contextOf(input, objects);
  const places = new Map(files.map((one) => [keyOfObject(one.object), one]));
  const messages = new Map<string, Message>();
  const findings = [...(input.findings ?? []), ...ANALYZERS.flatMap((analyzer) => [...analyzer(context)])];
  for (const finding of findings) {
    const { object, field, at } = finding;
    const place = at ?? places.get(`${object.kind} ${object.namespace}/${object.name}`)?.place(field);
    const message = { ...finding, level: levelOf(finding.code), ...(place && { place }) };
    // What a judge says of a field the condition says too, as a sentence.
    const said = `${originOf(object)} ${finding.message.replace(/\.$/, '')}`;
    if (!messages.has(said)) messages.set(said, message);
  }
  return [...messages.values()].sort(byWeight);
}

/** A namespace that objects of files lie in and nothing tells of: who analyzes files alone means them for the mesh. */
function assumedNamespace(name: string): AnyObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'heddle.dev/injection': 'enabled' } } };
}

function byWeight(a: Message, b: Message): number {
  const level = LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level);
  const key = ({ code, object, place }: Message) =>
    `${originOf(object)} ${place?.file ?? ''} ${String(place?.line ?? 0).padStart(8, '0')} ${code}`;
  return level || key(a).localeCompare(key(b));
}

function contextOf({ config, keys = [] }: AnalysisInput, objects: readonly AnyObject[]): AnalysisContext {
  const meshed = objects.flatMap((object) => meshObject(object) ?? []);
  const { snapshot } = buildMesh({ config, objects: [...meshed, ...keys] });
  const byKey = new Map(objects.map((object) => [keyOfObject(object), object]));
  return {
    config,
    snapshot,
    objects,
    knowsPods: objects.some(({ kind }) => kind === 'Pod'),
    find: (kind, namespace, name) => byKey.get(`${kind} ${namespace}/${name}`),
    ofKind: <T extends AnyObject>(kind: string) => objects.filter((one): one is T => one.kind === kind),
  };
}

function placed(object: AnyObject, namespace: string): AnyObject {
  if (CLUSTER_SCOPED.has(object.kind ?? '') || (object.metadata?.namespace ?? '') !== '') return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function keyOfObject({ kind = '', metadata }: AnyObject): string {
  return `${kind} ${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;
}
