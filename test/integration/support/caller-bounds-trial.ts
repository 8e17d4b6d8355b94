import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { waitFor } from '../../../hack/mesh/wait.ts';
import { MAX_OF_ONE_CALLER } from '../../../proxy/caller-bounds.ts';
import { HEALTH_PORT, INBOUND_PORT, PROBE_PORT } from '../../../proxy/ports.ts';

/** Runs in a network namespace of its own: loads what the init container loads, and writes as JSON how many connections there came to be. */

const run = promisify(execFile);
const INIT = fileURLToPath(new URL('../../../proxy/init/main.ts', import.meta.url));
const [KUBELET, STRANGER, STRANGER_V6] = ['10.9.0.1', '10.9.0.2', 'fd00::9'];
const MORE = MAX_OF_ONE_CALLER + 20;

await run('ip', ['link', 'set', 'lo', 'up']);
for (const address of [`${KUBELET}/32`, `${STRANGER}/32`, `${STRANGER_V6}/128`]) {
  await run('ip', ['address', 'add', address, 'dev', 'lo']);
}
const { stdout, stderr } = await run(process.execPath, [INIT, '{}']);

const servers = [PROBE_PORT, HEALTH_PORT, INBOUND_PORT].map((port) =>
  createServer((socket) => socket.on('error', () => {}).resume()).listen(port, '::', 1024),
);
await Promise.all(servers.map((server) => once(server, 'listening')));

/** Those of so many connections that came to be. */
async function begin(from: string, port: number, count = MORE): Promise<Socket[]> {
  const host = from.includes(':') ? STRANGER_V6 : KUBELET;
  const begun = Array.from({ length: count }, async () => {
    const socket = connect({ host, port, localAddress: from });
    const isThere = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    return isThere ? [socket.on('error', () => {})] : [];
  });
  return (await Promise.all(begun)).flat();
}

async function end(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(sockets.map((socket) => once(socket.destroy(), 'close')));
}

const stranger = await begin(STRANGER, PROBE_PORT);
const strangerAtAnotherPort = await begin(STRANGER, HEALTH_PORT, 1);
const kubelet = await begin(KUBELET, PROBE_PORT);
const overIpv6 = await begin(STRANGER_V6, PROBE_PORT);
await end(stranger);
// The kernel forgets a few at a time, when somebody comes.
const first = await waitFor('room for the stranger', async () => (await begin(STRANGER, HEALTH_PORT, 1))[0]);
const strangerOnceMore = [first, ...(await begin(STRANGER, HEALTH_PORT))];
const toTheApplication = await begin(STRANGER, INBOUND_PORT);
console.log(
  JSON.stringify({
    init: `${stdout}${stderr}`.trim().split('\n'),
    stranger: stranger.length,
    strangerAtAnotherPort: strangerAtAnotherPort.length,
    kubelet: kubelet.length,
    overIpv6: overIpv6.length,
    strangerOnceMore: strangerOnceMore.length,
    toTheApplication: toTheApplication.length,
  }),
);
process.exit(0);
