import { CUSTOM_RESOURCES } from '../../../api/registry.ts';
import { type Analyzer, refOf } from '../context.ts';

/** Groups of Istio and of Heddle: whoever has objects of these means them for the mesh. */
const GROUP = /(^|\.)(istio\.io|heddle\.dev)$/;

/** Objects that the mesh does nothing about: of kinds that it has not, or of a version that their definition has not. */
export const analyzeKinds: Analyzer = function* ({ objects }) {
  for (const object of objects) {
    const { kind = '', apiVersion = '' } = object;
    const [group = '', version = ''] = apiVersion.split('/');
    if (!GROUP.test(group)) continue;
    const known = CUSTOM_RESOURCES.find((one) => one.kind === kind && one.group === group);
    if (known?.versions.includes(version)) continue;
    const message =
      known === undefined
        ? `kind: Heddle has no ${kind} of ${group}, so this has no effect in its mesh; see how it is spelled`
        : `apiVersion: ${kind} has no version ${version}, so the API server refuses it; it has ${known.versions.join(', ')}`;
    yield { code: 'HED0008', object: refOf(object), field: known === undefined ? 'kind' : 'apiVersion', message };
  }
};
