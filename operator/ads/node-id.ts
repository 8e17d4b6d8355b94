/** The parts of a proxy's node ID. */
export interface NodeId {
  readonly address: string;
  readonly podName: string;
  readonly namespace: string;
}

/** Longest node ID that is looked at: three names of Kubernetes' greatest length and an address fit. */
const MAX_LENGTH = 1024;

/**
 * Parses `sidecar~POD_IP~POD_NAME.NAMESPACE~NAMESPACE.svc.CLUSTER_DOMAIN` (Istio's form of node ID).
 * @returns undefined when the text is of another form, or the two namespaces in it differ
 */
export function parseNodeId(text: string): NodeId | undefined {
  if (text.length > MAX_LENGTH) {
    return undefined;
  }
  const match = /^sidecar~([0-9A-Fa-f.:]+)~([a-z0-9.-]+)\.([a-z0-9-]+)~([a-z0-9-]+)\.svc\.[a-z0-9.-]+$/.exec(text);
  const [, address, podName, namespace, domainNamespace] = match ?? [];
  if (address === undefined || podName === undefined || namespace === undefined || namespace !== domainNamespace) {
    return undefined;
  }
  return { address, podName, namespace };
}
