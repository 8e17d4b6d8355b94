import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { ETCD, ensureBinary, KUBERNETES } from '../../hack/cluster/binaries.ts';

/** Its own addresses and ports, which the API server and the operator have; all that it started ends with it. */
const ALONE = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/**
 * Runs a module with a network of its own, in which it can start an API server; gives what it wrote, as JSON. Needs Linux and root, or user namespaces.
 * @param plan is handed to it as JSON
 * @param hangMs what takes so long hangs
 * @throws {Error} when the namespaces cannot be had, or it does not end well
 */
export async function runAlone<Result>(module: string, plan: object, hangMs: number): Promise<Result> {
  // There is no network to get them by in a namespace of its own.
  await Promise.all([ensureBinary(KUBERNETES), ensureBinary(ETCD)]);
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const args = [...asRoot, ...ALONE, process.execPath, '--no-warnings', module, JSON.stringify(plan)];
  const child = spawn('unshare', args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: hangMs,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${path.basename(module)} ended with ${code}`);
  return JSON.parse(output) as Result;
}
