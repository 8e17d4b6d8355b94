import { readFileSync } from 'node:fs';
import { SHOP_IMAGE } from '../../../hack/images/catalog.ts';
import { inTree } from '../../../hack/mesh/install.ts';

/** Deployments of the sample shop: each calls the next. */
export const SHOP_DEPLOYMENTS: readonly string[] = ['load', 'ui', 'ordering', 'inventory'];

/** YAML of the sample shop, as people apply it. */
export const sampleShop = (): string => readFileSync(inTree('config/samples/shop/shop.yaml'), 'utf8');

/** The same with one pod of each. */
export const smallShop = (): string => sampleShop().replaceAll(/replicas: \d+/g, 'replicas: 1');

/**
 * Spec of a pod of the shop.
 * @param env of its process, such as `ROLE`
 * @param container goes over that of the container
 */
export function shopPodSpec(env: Readonly<Record<string, string>>, container: object = {}): object {
  return {
    securityContext: { runAsNonRoot: true, runAsUser: 65_532 },
    containers: [
      {
        name: 'app',
        image: SHOP_IMAGE,
        imagePullPolicy: 'IfNotPresent',
        command: ['node', '/app/main.ts'],
        env: Object.entries(env).map(([name, value]) => ({ name, value })),
        resources: { requests: { cpu: '10m', memory: '48Mi' } },
        ...container,
      },
    ],
  };
}
