import type { TestNamespace } from './namespace.ts';

/** A running pod of the testbed. */
export interface TestbedPod {
  readonly name: string;
  readonly ip: string;
  readonly labels: Readonly<Record<string, string>>;
}

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status: { readonly podIP?: string };
}

/** Pods that have an address and are not being deleted, by name. @param selector e.g. `app=reviews,version=v2` */
export async function testbedPods(space: TestNamespace, selector: string): Promise<TestbedPod[]> {
  const pods = (await space.list<Pod>('pods', selector)).flatMap(({ metadata, status }) =>
    status.podIP === undefined || metadata.deletionTimestamp !== undefined
      ? []
      : [{ name: metadata.name, ip: status.podIP, labels: metadata.labels ?? {} }],
  );
  return pods.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
