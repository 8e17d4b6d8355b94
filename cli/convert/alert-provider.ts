import { HEDDLE_GROUP, HEDDLE_VERSION } from '../../api/heddle.ts';
import { carryMetadata, type Manifest, type Notes } from './notes.ts';

const TYPES = ['slack', 'msteams', 'discord', 'rocket', 'gchat'];

/** An AlertProvider of Flagger as one of ours: the shape is the same. */
export function convertProvider(manifest: Manifest, notes: Notes): Manifest[] {
  const type = String(manifest.spec?.type ?? 'slack');
  if (!TYPES.includes(type)) notes.add('spec.type', `"${type}" can't be told; there are ${TYPES.join(', ')}`);
  return [
    {
      apiVersion: `${HEDDLE_GROUP}/${HEDDLE_VERSION}`,
      kind: 'AlertProvider',
      metadata: carryMetadata(manifest),
      spec: manifest.spec ?? {},
    },
  ];
}
