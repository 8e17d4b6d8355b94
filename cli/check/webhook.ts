import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { MUTATING_WEBHOOK_CONFIGURATION, POD, VALIDATING_WEBHOOK_CONFIGURATION } from '../../kube/kinds.ts';
import { SYSTEM_NAMESPACE, WEBHOOK_SERVICE } from '../../proxy/names.ts';
import { WEBHOOK_PORT } from '../../proxy/ports.ts';
import { openTunnel } from '../forward/tunnel.ts';
import { isInjected } from '../inject/uninject-pod.ts';
import type { WebhookConfigurationState } from '../install/readiness.ts';
import { type Check, type Finding, failed, ok, skipped, some, warning } from './check.ts';
import type { CheckContext, PodObject } from './context.ts';
import { injectedNamespaces } from './namespaces.ts';

const CATEGORY = 'Webhook';
const KINDS = [MUTATING_WEBHOOK_CONFIGURATION, VALIDATING_WEBHOOK_CONFIGURATION];
const PATIENCE_MS = 10_000;

export const configurations: Check = {
  category: CATEGORY,
  title: 'webhook configurations',
  async run(context) {
    const { base } = await context.manifests();
    const findings = await Promise.all(
      KINDS.map(async (kind) => {
        const present = await context.get<WebhookConfigurationState>(kind, { name: WEBHOOK_SERVICE });
        const shipped = base.find((object) => object.kind === kind.kind) as WebhookConfigurationState | undefined;
        return judgeConfiguration(kind.kind, present, shipped);
      }),
    );
    return findings.flat();
  },
};

/** Compares a configuration with that of the manifests. */
export function judgeConfiguration(
  kind: string,
  present: WebhookConfigurationState | undefined,
  shipped: WebhookConfigurationState | undefined,
): Finding[] {
  const title = `${kind} ${WEBHOOK_SERVICE}`;
  if (!present) return [failed(`${title} is not there: nothing is injected or judged`, 'heddle upgrade makes it')];
  const webhooks = new Map((present.webhooks ?? []).map((webhook) => [webhook.name, webhook]));
  const wanted = shipped?.webhooks ?? [];
  const missing = wanted.filter(({ name }) => !webhooks.has(name)).map(({ name }) => name);
  const other = wanted.filter(({ name, failurePolicy }) => {
    const found = webhooks.get(name);
    return found !== undefined && found.failurePolicy !== failurePolicy;
  });
  const empty = [...webhooks.values()].filter(({ clientConfig }) => !clientConfig.caBundle).map(({ name }) => name);
  const findings: Finding[] = [];
  if (missing.length > 0) findings.push(failed(`${title} lacks ${some(missing)}`, 'heddle upgrade'));
  for (const { name, failurePolicy } of other) {
    const message = `${name} has failurePolicy ${webhooks.get(name)?.failurePolicy}: ${failurePolicy === 'Fail' ? 'while the webhook is away pods are made outside of the mesh' : 'while the webhook is away objects of users are held up'}`;
    findings.push(warning(message, `heddle upgrade --force-conflicts sets ${failurePolicy} again`));
  }
  if (empty.length > 0) {
    findings.push(
      failed(
        `${title} has no caBundle: ${some(empty)}`,
        'the leader of the operator writes it: kubectl -n heddle-system logs deployment/heddle-operator',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok(`${title} has its ${webhooks.size} entries`)];
}

export const certificate: Check = {
  category: CATEGORY,
  title: "the webhook's certificate, as its pods show it",
  async run(context) {
    const [present, pods] = await Promise.all([
      context.get<WebhookConfigurationState>(MUTATING_WEBHOOK_CONFIGURATION, { name: WEBHOOK_SERVICE }),
      context.controlPlanePods(WEBHOOK_SERVICE),
    ]);
    const bundle = present?.webhooks?.find(({ clientConfig }) => clientConfig.caBundle)?.clientConfig.caBundle;
    const running = pods.filter(({ status, metadata }) => status?.phase === 'Running' && !metadata?.deletionTimestamp);
    if (bundle === undefined || running.length === 0) return [];
    const ca = Buffer.from(bundle, 'base64').toString('utf8');
    return Promise.all(running.map(({ metadata }) => verify(context, metadata?.name ?? '', ca)));
  },
};

/** Does what the API server does: a handshake that trusts the caBundle alone. */
async function verify({ config }: CheckContext, pod: string, ca: string): Promise<Finding> {
  const servername = `${WEBHOOK_SERVICE}.${SYSTEM_NAMESPACE}.svc`;
  const tunnel = await openTunnel(config, { namespace: SYSTEM_NAMESPACE, pod, port: WEBHOOK_PORT });
  let socket: TLSSocket | undefined;
  try {
    socket = connectTls({ socket: tunnel, servername, ca });
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(PATIENCE_MS) });
    return ok(`pod ${pod} shows a certificate that the caBundle verifies`);
  } catch (error) {
    const { code = '', message } = error as Error & { code?: string };
    const reason = code === 'ABORT_ERR' ? `no handshake in ${PATIENCE_MS / 1000} s` : message;
    const next =
      'the webhook reads Secret heddle-webhook-tls, the operator writes that and the caBundle: look at the logs of both';
    if (message.includes('does not answer'))
      return failed(`pod ${pod} does not answer on port ${WEBHOOK_PORT}: ${reason}`, next);
    return failed(`the API server can't trust pod ${pod}: ${reason}`, next);
  } finally {
    socket?.destroy();
    tunnel.destroy();
  }
}

/** The whole way: the API server asks the webhook about a pod that is never stored. */
export const injection: Check = {
  category: CATEGORY,
  title: 'injection of a pod (not stored)',
  async run(context) {
    const [first] = await injectedNamespaces(context);
    if (!first) return [skipped('injection was not tried, as no namespace has opted in')];
    const metadata = { namespace: first.name, name: 'heddle-check' };
    const spec = { containers: [{ name: 'check', image: 'check' }] };
    try {
      const made = await context.api.create<PodObject>(POD, { metadata, spec } as PodObject, { dryRun: true });
      if (isInjected(made)) return [ok(`a pod in namespace ${first.name} would get its sidecar`)];
      const next = 'compare MutatingWebhookConfiguration heddle-webhook with heddle upgrade --dry-run';
      return [failed(`a pod in namespace ${first.name} would get no sidecar`, next)];
    } catch (error) {
      const { code, message } = error as Error & { code?: unknown };
      if (!/failed calling webhook|admission webhook/.test(message)) {
        if (code === 403) return [skipped(`injection was not tried in namespace ${first.name}: ${message}`)];
        return [
          warning(
            `a pod can't be made in namespace ${first.name}: ${message}`,
            'see the reason; it is not the webhook that refuses',
          ),
        ];
      }
      const next = 'see whether the API server reaches port 15017 of the webhook (NetworkPolicies, firewalls of nodes)';
      return [failed(`no pod of the mesh can be made: ${message}`, next)];
    }
  },
};
