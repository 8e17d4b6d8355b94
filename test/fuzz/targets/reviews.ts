import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { MAX_BODY_BYTES } from '../../../webhook/body.ts';
import { MAX_OBJECT_VALUES, MAX_VALUES } from '../../../webhook/review.ts';
import { podReview } from '../../../webhook/testing/review.ts';
import { repeated } from './repeated.ts';

const ROOT = join(import.meta.dirname, '../../..');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** A review of an object, as an API server sends it. */
export function reviewOf(object: unknown): Buffer {
  const { apiVersion, kind, metadata } = object as Manifest;
  const [version, group = ''] = apiVersion.split('/').reverse();
  const request = {
    uid: 'u',
    kind: { group, version, kind },
    operation: 'CREATE',
    name: metadata.name,
    namespace: 'shop',
  };
  return Buffer.from(
    JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { ...request, object } }),
  );
}

/** Reviews of all objects that webhooks judge, of the samples and of what the goldens are made of. */
export function policyReviews(): Buffer[] {
  const folders = [
    'config/samples/traffic',
    'config/samples/security',
    'config/samples/shop',
    'config/samples/canary',
    'operator/xds/testdata',
  ];
  const files = folders.flatMap((folder) => readdirSync(join(ROOT, folder)).map((file) => join(ROOT, folder, file)));
  const texts = files
    .filter((file) => /samples.*\.yaml$|\.in\.yaml$/.test(file))
    .map((file) => readFileSync(file, 'utf8'));
  const objects = texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJSON() as Manifest));
  return objects.filter((object) => /(istio\.io|heddle\.dev)\//.test(object?.apiVersion ?? '')).map(reviewOf);
}

/**
 * The largest review that is read at all and differs from a small one by a list of equal items, or by a member for each of many names.
 * @param review with the text `"@"` where that goes
 * @param item one of the list; with `"#"` for its name it is a member
 */
export function filledReview(review: object, item: string): Buffer {
  const text = JSON.stringify(review);
  const room = Math.min(MAX_OBJECT_VALUES - 200, MAX_VALUES - valuesIn(text) - 2);
  const most = Math.min(room / (1 + valuesIn(item)), (MAX_BODY_BYTES - text.length) / (item.length + 4));
  const items = Array.from({ length: Math.floor(most) }, (_, index) => item.replace('#', index.toString(36)));
  return Buffer.from(text.replace('"@"', item.startsWith('"#"') ? `{${items.join()}}` : `[${items.join()}]`));
}

/** Values in a text, as they are counted there. */
const valuesIn = (text: string): number => text.split(/[[{,]/).length - 1;

/** A review of a pod with one thing in it that is not as usual. */
export function oddPod(metadata: Record<string, unknown>, spec: Record<string, unknown>): object {
  return podReview('u', metadata, spec);
}

/** The largest review that differs from a small one by a long text, of equal pieces. @param review with the text `"@"` where that goes */
export function longReview(review: object, piece: string): Buffer {
  const text = JSON.stringify(review);
  return Buffer.from(text.replace('"@"', JSON.stringify(repeated(piece, MAX_BODY_BYTES - text.length).toString())));
}

/** The deepest review that is read at all. */
export function deepReview(review: object): Buffer {
  const text = JSON.stringify(review);
  const depth = MAX_OBJECT_VALUES - 200;
  return Buffer.from(text.replace('"@"', '['.repeat(depth) + ']'.repeat(depth)));
}

/** As many bytes as are read. */
export function longestBodies(): Buffer[] {
  const half = MAX_BODY_BYTES / 2;
  return [
    repeated('[', MAX_BODY_BYTES),
    Buffer.from('['.repeat(half) + ']'.repeat(half)),
    Buffer.from(`[${repeated('{},', MAX_BODY_BYTES - 4)}1]`),
    Buffer.from(`["${repeated('\\u0000', MAX_BODY_BYTES - 8)}"]`),
  ];
}
