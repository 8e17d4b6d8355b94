import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { condition } from './support/conditions.ts';
import { lookAfter } from './support/kubelet.ts';
import { clusterSetup, clusterTest, INJECTED, useNamespace } from './support/namespace.ts';
import { networking } from './support/networking-object.ts';
import { withSettings } from './support/operator-settings.ts';
import { ProxyAdmin } from './support/proxy-admin.ts';
import { Client } from './support/testbed-client.ts';
import { client, EAGER, server } from './support/testbed-objects.ts';

const LABEL = { key: 'heddle-e2e', value: 'discovered' };
const mesh = useNamespace('discovered', { ...INJECTED, [LABEL.key]: LABEL.value });
const other = useNamespace('undiscovered');
const caller = new Client(mesh, 'deployment/caller');
const admin = new ProxyAdmin(mesh, 'deployment/caller');

/** The webhook looks every ten seconds; kubelet, which has just heard of a change of the pod, brings the ConfigMap with it. */
const WEBHOOK_MS = 150_000;
/** There are two of them, by turns: so many answers in a row are of both. */
const IN_A_ROW = 6;

clusterSetup([mesh, other], async () => {
  await Promise.all([
    mesh.apply(...server('echo'), ...client('caller', { annotations: EAGER })),
    other.apply(...server('echo')),
  ]);
  await other.apply(
    networking('VirtualService', 'echo', {
      hosts: ['echo'],
      http: [{ headers: { response: { set: { 'x-routed': 'here' } } }, route: [{ destination: { host: 'echo' } }] }],
    }),
  );
  await Promise.all([mesh.rolledOut('echo'), mesh.rolledOut('caller'), other.rolledOut('echo')]);
});

/** Waits until the caller's proxy has a cluster for the Service of the other namespace, or has none. */
function callerKnowsOther(knows: boolean): Promise<void> {
  return waitUntil(`the caller's proxy ${knows ? 'has' : 'has no'} cluster of the other namespace`, async () => {
    const clusters = await admin.endpoints(`outbound|80||echo.${other.name}.svc`);
    return clusters.size > 0 === knows ? undefined : `${clusters.size} clusters`;
  });
}

/** What admission would say and do of a pod in a namespace. */
async function dryRun(): Promise<{ readonly injected: boolean; readonly warnings: string }> {
  const pod = ['run', 'probe', '--image=none', '--restart=Never', '--dry-run=server', '-o', 'json'];
  const { stdout, stderr } = await other.kubectl.try(['-n', other.name, ...pod]);
  return { injected: stdout.includes('istio-proxy'), warnings: stderr };
}

/** Waits until both webhooks answer so. */
async function webhooksSay(what: string, problem: (answer: Awaited<ReturnType<typeof dryRun>>) => string | undefined) {
  await lookAfter(other.kubectl, '-n', 'heddle-system', '-l', 'app.kubernetes.io/name=heddle-webhook');
  await waitUntil(
    what,
    async () => {
      for (let n = 0; n < IN_A_ROW; n++) {
        const found = problem(await dryRun());
        if (found !== undefined) return found;
      }
      return undefined;
    },
    { timeoutMs: WEBHOOK_MS, everyMs: 1000 },
  );
}

describe('discoverySelectors of the mesh', () => {
  clusterTest(
    'leave a namespace out of the mesh, say so, and take it in when it gets the label',
    [mesh, other],
    async () => {
      await callerKnowsOther(true);
      const selectors = [{ matchLabels: { [LABEL.key]: LABEL.value } }];
      const restore = await withSettings(mesh.kubectl, () => ({ discoverySelectors: selectors }));
      try {
        await callerKnowsOther(false);
        const accepted = await condition(other, 'virtualservice', 'echo', 'Accepted', 'False');
        expect(accepted).toMatchObject({ reason: 'NotDiscovered' });
        expect(accepted.message).toContain('discoverySelectors');
        await condition(other, 'virtualservice', 'echo', 'Programmed', 'False');
        await waitUntil('the pod that has a sidecar is told why it is not served', async () => {
          const events = await other.run('get', 'events', '--field-selector', 'reason=NotDiscovered', '-o', 'name');
          return events === '' ? 'no Event' : undefined;
        });
        // What runs there goes on, and is called as anything outside of the mesh.
        const [answered] = await caller.plan([{ url: `http://echo.${other.name}/` }]);
        expect(answered?.ok).toBe(1);
        await webhooksSay('new pods get no sidecar', ({ injected, warnings }) => {
          if (injected) return 'injected';
          return warnings.includes('discoverySelectors') ? undefined : `no warning: ${warnings}`;
        });

        await other.kubectl.run(['label', 'namespace', other.name, `${LABEL.key}=${LABEL.value}`]);
        await callerKnowsOther(true);
        await condition(other, 'virtualservice', 'echo', 'Accepted', 'True');
        await condition(other, 'virtualservice', 'echo', 'Programmed', 'True');
        const { status, headers } = await caller.http(`http://echo.${other.name}/`);
        expect({ status, routed: headers?.['x-routed'] }).toEqual({ status: 200, routed: 'here' });

        await other.kubectl.run(['label', 'namespace', other.name, `${LABEL.key}-`]);
        await callerKnowsOther(false);
        await condition(other, 'virtualservice', 'echo', 'Accepted', 'False');
      } finally {
        await restore();
      }
      await callerKnowsOther(true);
      await condition(other, 'virtualservice', 'echo', 'Accepted', 'True');
      await webhooksSay('new pods get a sidecar', ({ injected }) => (injected ? undefined : 'not injected'));
    },
    600_000,
  );
});
