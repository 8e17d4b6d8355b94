import { ALERT_PROVIDER_KIND, ALERT_PROVIDER_TYPES, alertProviderSpec } from '../../api/alert-provider.ts';
import { HEDDLE_GROUP, HEDDLE_VERSION } from '../../api/heddle.ts';
import { carryMetadata, type Manifest, type Notes } from './notes.ts';
import { noteRefusals } from './refusals.ts';

/** An AlertProvider of Flagger as one of ours: the shape is the same. */
export function convertProvider(manifest: Manifest, notes: Notes): Manifest[] {
  const type = String(manifest.spec?.type ?? 'slack');
  if (!ALERT_PROVIDER_TYPES.some((known) => known === type)) {
    notes.add('spec.type', `"${type}" can't be told; there are ${ALERT_PROVIDER_TYPES.join(', ')}`);
  }
  noteRefusals(alertProviderSpec, manifest.spec ?? {}, notes);
  return [
    {
      apiVersion: `${HEDDLE_GROUP}/${HEDDLE_VERSION}`,
      kind: ALERT_PROVIDER_KIND,
      metadata: carryMetadata(manifest),
      spec: manifest.spec ?? {},
    },
  ];
}
