import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { artifactsFolder } from '../../../hack/test/artifacts.ts';
import { testKubectl } from './cluster.ts';

/** Container of the sidecar. */
const SIDECAR = 'istio-proxy';
const TAIL = '--tail=300';

interface Named {
  readonly name: string;
}

/**
 * Writes what a person would look at after a failure: objects, events and logs of the namespaces and of Heddle, one file
 * each, into a folder whose name is printed (below HEDDLE_TEST_ARTIFACTS, else the temporary folder). Never throws.
 */
export async function dumpState(test: string, namespaces: readonly Named[]): Promise<void> {
  const slug = test
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60);
  const folder = join(artifactsFolder(), `${slug}-${Date.now()}`);
  try {
    await mkdir(folder, { recursive: true });
    for (const { name } of [...namespaces, { name: 'heddle-system' }]) {
      await dumpNamespace(folder, name);
    }
    process.stderr.write(`state at the failure of "${test}": ${folder}\n`);
  } catch (error) {
    process.stderr.write(`no state of "${test}": ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

async function dumpNamespace(folder: string, namespace: string): Promise<void> {
  const kubectl = testKubectl();
  const write = async (file: string, args: readonly string[]): Promise<void> => {
    const { stdout, stderr } = await kubectl.try(['-n', namespace, ...args], { timeoutMs: 20_000 });
    await writeFile(join(folder, `${namespace}-${file}.txt`), stdout + stderr);
  };
  await write('objects', ['get', 'all,canary,peerauthentication,endpointslices', '-o', 'wide']);
  await write('policies', ['get', 'canary,peerauthentication', '-o', 'yaml']);
  await write('networking', ['get', 'virtualservice,destinationrule,serviceentry,workloadentry,sidecar', '-o', 'yaml']);
  await write('pods', ['describe', 'pods']);
  await write('events', ['get', 'events', '--sort-by=.lastTimestamp']);
  const { stdout } = await kubectl.try(['-n', namespace, 'get', 'pods', '-o', 'name'], { timeoutMs: 20_000 });
  for (const pod of stdout.split('\n').filter(Boolean).slice(0, 20)) {
    const name = pod.replace('pod/', '');
    await write(`log-${name}`, ['logs', pod, '--all-containers', '--prefix', TAIL]);
    // Of a pod that is not initialised the former gives nothing after the first container that has not begun.
    await write(`log-${name}-sidecar`, ['logs', pod, '-c', SIDECAR, TAIL]);
  }
}
