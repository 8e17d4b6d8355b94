import type { ControlPlaneView, ProxiesView, ProxyView } from '../../api/view/control-plane-view.ts';
import { OperatorClient } from '../forward/operator-client.ts';
import { type Check, type Finding, ok, skipped, some, warning } from './check.ts';

const title = ({ namespace, pod }: ProxyView): string => `${namespace}/${pod}`;

export const sync: Check = {
  category: 'Proxies',
  title: 'what sidecars have in force',
  async run(context) {
    const operator = new OperatorClient(context);
    try {
      const query = context.namespace === undefined ? '' : `?namespace=${encodeURIComponent(context.namespace)}`;
      const { replicas } = await operator.get<ControlPlaneView>('/api/control-plane');
      return [...judgeReplicas(replicas), ...judgeProxies(await operator.get<ProxiesView>(`/api/proxies${query}`))];
    } catch (error) {
      const { name, message } = error as Error;
      // What it says is what it is: without it nobody knows more than the pods tell.
      if (name === 'CliError' || name === 'KubeConnectionError' || name === 'KubeError') {
        return [skipped(`the operator does not tell what sidecars have: ${message}`)];
      }
      throw error;
    } finally {
      operator.close();
    }
  },
};

function judgeReplicas(replicas: ControlPlaneView['replicas']): Finding[] {
  return replicas.flatMap(({ name, heard, problems = [] }) => {
    const look = `kubectl -n heddle-system logs ${name}`;
    if (!heard) return [warning(`replica ${name} of the operator is not heard by the others`, look)];
    return problems.map((problem) => warning(`replica ${name} of the operator: ${problem}`, look));
  });
}

/** Sentences on sidecars that do not have what they should. */
export function judgeProxies({ proxies }: ProxiesView): Finding[] {
  const of = (state: ProxyView['state']) => proxies.filter((proxy) => proxy.state === state);
  const findings = of('rejected').map((proxy) => {
    const [first] = proxy.rejections;
    return warning(
      `the sidecar of ${title(proxy)} refused ${first?.type ?? 'something'} ${first?.name ?? ''}: ${first?.message ?? ''}`,
      `kubectl logs -n ${proxy.namespace} ${proxy.pod} -c istio-proxy; it goes on with what it had`,
    );
  });
  const cut = of('disconnected');
  if (cut.length > 0) {
    const next =
      'they go on with what they had: see whether they reach heddle-operator.heddle-system:15012, and their logs';
    findings.push(warning(`${cut.length} sidecars have no stream to the operator: ${some(cut.map(title))}`, next));
  }
  const stale = of('stale');
  if (stale.length > 0) {
    const next = 'heddle proxy status POD says of what, and kubectl logs POD -c istio-proxy may say why';
    findings.push(
      warning(`${stale.length} sidecars have not had the newest for more than 10 s: ${some(stale.map(title))}`, next),
    );
  }
  const unknown = of('unknown');
  if (unknown.length > 0)
    findings.push(skipped(`of ${unknown.length} sidecars it is not known: ${some(unknown.map(title))}`));
  const well = of('synced').length + of('syncing').length;
  return well > 0 ? [ok(`${well} sidecars have, or are getting, the newest configuration`), ...findings] : findings;
}
