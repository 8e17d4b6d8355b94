import { HEDDLE_GROUP, HEDDLE_VERSION } from '../../api/heddle.ts';
import { carryMetadata, type Manifest, type Notes } from './notes.ts';

/** Providers whose answers Heddle reads (the others Flagger knows are keptn, splunk and externalmetrics). */
const PROVIDERS = [
  'prometheus',
  'datadog',
  'cloudwatch',
  'newrelic',
  'graphite',
  'influxdb',
  'dynatrace',
  'stackdriver',
];

/** A MetricTemplate of Flagger as one of ours: the shape is the same. */
export function convertTemplate(manifest: Manifest, notes: Notes): Manifest[] {
  const { type } = (manifest.spec?.provider ?? {}) as { type?: string };
  if (!PROVIDERS.includes(type ?? '')) {
    notes.add('spec.provider.type', `"${type}" can't be asked; there are ${PROVIDERS.join(', ')}`);
  }
  const query = String(manifest.spec?.query ?? '');
  if (/-(primary|canary)\b/.test(query)) {
    notes.add(
      'spec.query',
      'it names a Service or workload that ends in -primary or -canary, which Flagger makes and Heddle does not; tell revisions apart by a label',
    );
  }
  const { apiVersion: _old, kind, metadata: _metadata, ...rest } = manifest;
  return [
    {
      apiVersion: `${HEDDLE_GROUP}/${HEDDLE_VERSION}`,
      kind: kind ?? 'MetricTemplate',
      metadata: carryMetadata(manifest),
      ...rest,
    },
  ];
}
