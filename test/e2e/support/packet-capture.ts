import { waitFor } from '../../../hack/mesh/wait.ts';
import type { TestNamespace } from './namespace.ts';

const CAPTURE_IMAGE = 'heddle/capture:dev';

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly podIPs?: readonly { readonly ip: string }[] };
}

/** Packets of some pods, captured in the network namespaces of the nodes that they run on: what passes between pods passes there. */
export class PacketCapture {
  readonly #space: TestNamespace;
  readonly #names: readonly string[];

  private constructor(space: TestNamespace, names: readonly string[]) {
    this.#space = space;
    this.#names = names;
  }

  /**
   * Begins a capture on each node that has one of the pods.
   * @param pods by name; all of them run
   * @returns when every one captures
   */
  static async start(space: TestNamespace, pods: readonly string[]): Promise<PacketCapture> {
    const found = (await space.list<Pod>('pods')).filter(({ metadata }) => pods.includes(metadata.name));
    // Of both families, where a pod has both.
    const addresses = found.flatMap(({ status }) => (status.podIPs ?? [{ ip: '' }]).map(({ ip }) => ip));
    const nodes = [...new Set(found.map(({ spec }) => spec.nodeName ?? ''))];
    if (found.length !== pods.length || addresses.includes('') || nodes.includes(''))
      throw new Error(`of the pods ${pods.join(', ')} some do not run`);
    const names = nodes.map((_, index) => `capture-${index}`);
    await space.apply(...nodes.map((node, index) => capturePod(`capture-${index}`, node, addresses)));
    const capture = new PacketCapture(space, names);
    const begun = async () =>
      (await capture.#logs()).every((log) => log.startsWith('capturing\n')) ? true : undefined;
    await waitFor('packets to be captured', begun);
    return capture;
  }

  /** How many nodes packets are captured on. */
  get nodes(): number {
    return this.#names.length;
  }

  /** All so far, each from its IP header on; one that passed several interfaces is there several times. */
  async packets(): Promise<readonly Buffer[]> {
    return (await this.packetsByNode()).flat();
  }

  /** All so far, for each of the nodes by itself. */
  async packetsByNode(): Promise<readonly (readonly Buffer[])[]> {
    // The last line may be half written.
    return (await this.#logs()).map((log) =>
      log
        .split('\n')
        .slice(1, -1)
        .map((line) => Buffer.from(line, 'base64')),
    );
  }

  #logs(): Promise<string[]> {
    return Promise.all(this.#names.map((name) => this.#space.run('logs', `pod/${name}`)));
  }
}

function capturePod(name: string, nodeName: string, addresses: readonly string[]): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { 'sidecar.istio.io/inject': 'false' } },
    spec: {
      nodeName,
      hostNetwork: true,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'capture',
          image: CAPTURE_IMAGE,
          imagePullPolicy: 'IfNotPresent',
          args: addresses,
          securityContext: { runAsUser: 0, capabilities: { drop: ['ALL'], add: ['NET_RAW'] } },
          resources: { requests: { cpu: '10m', memory: '32Mi' } },
        },
      ],
    },
  };
}
