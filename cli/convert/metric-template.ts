import { HEDDLE_GROUP, HEDDLE_VERSION } from '../../api/heddle.ts';
import { METRIC_PROVIDERS, METRIC_TEMPLATE_KIND, metricTemplateSpec } from '../../api/metric-template.ts';
import { carryMetadata, type Manifest, type Notes } from './notes.ts';
import { noteRefusals } from './refusals.ts';
import { namesSide } from './side-services.ts';

/** A MetricTemplate of Flagger as one of ours: the shape is the same. */
export function convertTemplate(manifest: Manifest, notes: Notes): Manifest[] {
  const { type } = (manifest.spec?.provider ?? {}) as { type?: string };
  // Flagger knows keptn, splunk and externalmetrics besides.
  if (!METRIC_PROVIDERS.some((known) => known === type)) {
    notes.add('spec.provider.type', `"${type}" can't be asked; there are ${METRIC_PROVIDERS.join(', ')}`);
  }
  const query = String(manifest.spec?.query ?? '');
  if (namesSide(query)) {
    notes.add(
      'spec.query',
      'it names something that ends in -primary or -canary: what is counted of a revision has the name of the Service or workload itself, so tell revisions apart by a label',
    );
  }
  noteRefusals(metricTemplateSpec, manifest.spec, notes);
  const { apiVersion: _old, kind: _kind, metadata: _metadata, ...rest } = manifest;
  return [
    {
      apiVersion: `${HEDDLE_GROUP}/${HEDDLE_VERSION}`,
      kind: METRIC_TEMPLATE_KIND,
      metadata: carryMetadata(manifest),
      ...rest,
    },
  ];
}
