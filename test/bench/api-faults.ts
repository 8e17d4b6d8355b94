import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ETCD, ensureBinary, KUBERNETES } from '../../hack/cluster/binaries.ts';
import { envoyBinary } from '../../hack/envoy/binary.ts';
import type { ApiFaultPlan } from './api-fault-story.ts';
import type { BenchResult } from './result.ts';

const STORY = fileURLToPath(new URL('./api-fault-story.ts', import.meta.url));
/** Its own addresses and ports, which the operator and the listeners of sidecars have; all that it started ends with it. */
const ALONE = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
/** What takes so long hangs. */
const HANG_MS = 1_200_000;

const FULL: ApiFaultPlan = {
  services: 200,
  proxies: 500,
  calmMs: 10_000,
  faults: [
    { fault: 'reordered', ms: 30_000 },
    { fault: 'gone', ms: 30_000 },
    { fault: 'cut', ms: 60_000 },
  ],
};

/**
 * A real API server, the real operator and real Envoys with requests, beside 500 played proxies: the API server is gone for a minute, answers 410 to
 * watches, and events of different kinds come in another order, while something changes every second. Needs Linux and root, or user namespaces.
 * @throws {Error} when the namespaces cannot be had, or something does not start
 */
export async function run(plan: ApiFaultPlan = FULL): Promise<BenchResult[]> {
  // There is no network to get them by in a namespace of its own.
  await Promise.all([ensureBinary(KUBERNETES), ensureBinary(ETCD), envoyBinary()]);
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const args = [...asRoot, ...ALONE, process.execPath, '--no-warnings', STORY, JSON.stringify(plan)];
  const child = spawn('unshare', args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: HANG_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the story of faults ended with ${code}`);
  return JSON.parse(output) as BenchResult[];
}
