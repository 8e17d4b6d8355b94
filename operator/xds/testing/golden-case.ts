import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { JsonObject, Registry } from '@bufbuild/protobuf';
import type { V1Pod } from '@kubernetes/client-node';
import { parseAllDocuments, stringify } from 'yaml';
import { extensionProviders } from '../../../api/extension-provider.ts';
import { buildSnapshot } from '../../mesh/mesh-builder.ts';
import { type MeshObject, meshObject } from '../../mesh/mesh-object.ts';
import type { MeshSettings } from '../../mesh/snapshot.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  type ProxyIdentity,
  ROUTE_TYPE,
  VIRTUAL_HOST_TYPE,
} from '../resource.ts';
import { XdsCache } from '../xds-cache.ts';
import { deltaBetween, SETTINGS } from './mesh-fixture.ts';
import { resourceJson } from './resource-json.ts';
import { shareParts } from './shared-parts.ts';

/** Where golden files are. */
export const FOLDER = join(import.meta.dirname, '..', 'testdata');

/** Names of all golden cases. */
export function goldenNames(): string[] {
  const inputs = readdirSync(FOLDER).filter((file) => file.endsWith('.in.yaml'));
  return inputs.map((file) => basename(file, '.in.yaml'));
}

/** Kinds of resources, each a file of what a case gives. */
export const PARTS = {
  clusters: [CLUSTER_TYPE],
  endpoints: [ENDPOINT_TYPE],
  listeners: [LISTENER_TYPE],
  routes: [ROUTE_TYPE, VIRTUAL_HOST_TYPE],
} as const;
export type Part = keyof typeof PARTS;

/** What a case may say of itself, in a document of this kind. */
interface CaseHeader {
  readonly kind: 'GoldenCase';
  /** A file of objects that stand beside the case's own. */
  readonly with?: string;
  /** `namespace/name` of the pod that asks; the first pod unless said. */
  readonly proxy?: string;
  readonly settings?: Partial<MeshSettings>;
  /** What is reported of its objects, as `KIND/NAMESPACE/NAME REASON`: everything, lest a case show what becomes of a refused object. */
  readonly problems?: readonly string[];
  /**
   * The resources that the case is about, by the beginning of their names; of the others nothing is written down. A part that is left out has no
   * file. `80/ordering` is, of route configuration 80, the virtual hosts that begin so; `80` is all of it.
   */
  readonly shows?: Partial<Record<Part, readonly string[]>>;
}

/** A golden case: objects, and who asks what they come to. */
export interface GoldenCase {
  readonly cache: XdsCache;
  readonly proxy: ProxyIdentity;
  /** The parts that have a file. */
  readonly parts: readonly Part[];
  readonly expectedProblems: readonly string[];
  readonly problems: readonly string[];
  readonly render: (part: Part, registry: Registry) => string;
}

/** Reads `NAME.in.yaml`. */
export function loadGoldenCase(name: string): GoldenCase {
  const documents = readDocuments(`${name}.in.yaml`);
  // What such a document may hold is for whoever writes one to know.
  const header = documents.find(({ kind }) => kind === 'GoldenCase') as CaseHeader | undefined;
  const objects = [...(header?.with === undefined ? [] : readDocuments(header.with)), ...documents]
    .map(meshObject)
    .filter((object): object is MeshObject => object !== undefined);
  const { extensionProviders: providers, ...settings } = header?.settings ?? {};
  const asked = extensionProviders.parse(providers ?? []);
  const snapshot = buildSnapshot({ ...SETTINGS, ...settings, extensionProviders: asked }, objects);
  const cache = new XdsCache();
  cache.update(snapshot, deltaBetween(undefined, snapshot));
  const proxy = findProxy(name, objects, header?.proxy);
  const shows = header?.shows;
  const all = Object.keys(PARTS) as Part[];
  const render = (part: Part, registry: Registry): string => {
    const everything = PARTS[part].flatMap((typeUrl) => [...cache.wildcard(proxy, typeUrl)]);
    const resources = everything.sort(([a], [b]) => (a < b ? -1 : 1));
    const messages = resources.map(([, resource]) => resourceJson(resource, registry));
    const wanted = shows?.[part];
    const shown = wanted === undefined ? messages : wanted.flatMap((prefix) => select(messages, prefix, name));
    return shown.map((message) => stringify(shareParts(message), { lineWidth: 0 })).join('---\n');
  };
  const problems = [...snapshot.policies].flatMap(([key, view]) =>
    view.problems.map(({ reason }) => `${key} ${reason}`),
  );
  return {
    cache,
    proxy,
    parts: shows === undefined ? all : all.filter((part) => Object.hasOwn(shows, part)),
    expectedProblems: header?.problems ?? [],
    problems: problems.sort(),
    render,
  };
}

function readDocuments(file: string): { readonly kind?: string }[] {
  return parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8')).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as { kind?: string };
  });
}

function findProxy(name: string, objects: readonly MeshObject[], wanted: string | undefined): ProxyIdentity {
  const pods = objects.flatMap(({ kind, object }) => (kind === 'Pod' ? [object as V1Pod] : []));
  const isWanted = ({ metadata }: V1Pod): boolean => `${metadata?.namespace}/${metadata?.name}` === wanted;
  const pod = wanted === undefined ? pods[0] : pods.find(isWanted);
  if (pod?.metadata?.uid === undefined) throw new Error(`${name}.in.yaml needs a pod with a uid`);
  const { uid, name: podName = '', namespace = '' } = pod.metadata;
  return { uid, podName, namespace, serviceAccount: pod.spec?.serviceAccountName ?? 'default' };
}

/** What of some messages a case shows; at least one, lest it go on showing nothing. A prefix after `!` is of what must not be there. */
function select(messages: readonly JsonObject[], prefix: string, name: string): JsonObject[] {
  const beginning = (wanted: string) => messages.filter((message) => nameOf(message).startsWith(wanted));
  if (prefix.startsWith('!')) {
    const found = beginning(prefix.slice(1));
    if (found.length > 0) throw new Error(`${name}.in.yaml: there must be nothing that begins with ${prefix.slice(1)}`);
    return [];
  }
  const found = beginning(prefix);
  if (found.length === 0) throw new Error(`${name}.in.yaml shows ${prefix}, and there is nothing that begins so`);
  return found;
}

function nameOf({ name, cluster_name }: JsonObject): string {
  return String(name ?? cluster_name);
}
