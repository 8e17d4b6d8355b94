import { describe } from '@jest/globals';
import { conditionMessage } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { PacketCapture } from '../support/packet-capture.ts';
import { type PodIdentity, podIdentity } from '../support/pod-identity.ts';
import { Client } from '../support/testbed-client.ts';
import { client, server } from '../support/testbed-objects.ts';
import { expectSecrecy } from '../support/wire-secrecy.ts';

const mesh = useNamespace('wire');
const inside = new Client(mesh, 'deployment/caller');

/** Away from the other pods, where there is another node. */
const apart = {
  podSpec: {
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 100,
            podAffinityTerm: {
              topologyKey: 'kubernetes.io/hostname',
              labelSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['caller', 'echo', 'open'] }] },
            },
          },
        ],
      },
    },
  },
};

const peerAuthentication = (name: string, spec: object): object => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: { name },
  spec,
});

let [caller, echo, open]: PodIdentity[] = [];

clusterSetup(
  [mesh],
  async () => {
    await mesh.apply(
      ...server('echo', apart),
      ...server('open', apart),
      ...client('caller', apart),
      peerAuthentication('default', { mtls: { mode: 'STRICT' } }),
      peerAuthentication('open', { selector: { matchLabels: { app: 'open' } }, mtls: { mode: 'DISABLE' } }),
    );
    const apps = ['caller', 'echo', 'open'];
    await Promise.all(apps.map((name) => mesh.rolledOut(name)));
    await Promise.all(
      ['default', 'open'].map((name) => conditionMessage(mesh, 'peerauthentication', name, 'Programmed', 'True')),
    );
    [caller, echo, open] = await Promise.all(apps.map((name) => podIdentity(mesh, name)));
  },
  240_000,
);

describe('what goes from one pod to another', () => {
  clusterTest('is TLS 1.3 under STRICT, and nothing of it is to be read', [mesh], async () => {
    if (caller === undefined || echo === undefined || open === undefined) throw new Error('not all pods are known');
    const capture = await PacketCapture.start(
      mesh,
      [caller, echo, open].map(({ name }) => name),
    );
    const pods = { caller, secret: { host: 'echo', pod: echo }, open: { host: 'open', pod: open } };
    await expectSecrecy(inside, pods, async () => [await capture.packets()]);
  });
});
