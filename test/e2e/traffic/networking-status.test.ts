import { describe, expect } from '@jest/globals';
import type { Condition } from '../../../api/condition.ts';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { condition, conditionMessage, programmed } from '../support/conditions.ts';
import { clusterSetup, clusterTest, INJECTED, type TestNamespace, useNamespace } from '../support/namespace.ts';
import { networking } from '../support/networking-object.ts';
import { Client } from '../support/testbed-client.ts';
import { client, server } from '../support/testbed-objects.ts';

const mesh = useNamespace('verdict');
const foreign = useNamespace('foreign', {});
/** Becomes ours while the tests run. */
const late = useNamespace('late', {});
const all = [mesh, foreign, late];
const caller = new Client(mesh, 'deployment/caller');

clusterSetup(all, async () => {
  await mesh.apply(...server('echo'), ...client('caller'));
  await Promise.all(['echo', 'caller'].map((name) => mesh.rolledOut(name)));
});

const HTTP = { number: 80, name: 'http', protocol: 'HTTP' };
const to = (host: string, subset?: string): object => ({ destination: { host, ...(subset && { subset }) } });
const localEntry = {
  hosts: ['vm.example'],
  exportTo: ['.'],
  location: 'MESH_INTERNAL',
  resolution: 'STATIC',
  ports: [HTTP],
};

/** One object of each kind that is in force; all but the last are for both pods. */
const sound: readonly (readonly [string, string, object])[] = [
  ['DestinationRule', 'echo', { host: 'echo', exportTo: ['.'], subsets: [{ name: 'all', labels: { app: 'echo' } }] }],
  ['VirtualService', 'echo', { hosts: ['echo'], exportTo: ['.'], http: [{ route: [to('echo', 'all')] }] }],
  ['ServiceEntry', 'vm', { ...localEntry, workloadSelector: { labels: { app: 'vm' } } }],
  ['WorkloadEntry', 'vm', { address: '192.0.2.7', labels: { app: 'vm' } }],
  ['Sidecar', 'caller', { workloadSelector: { labels: { app: 'caller' } }, egress: [{ hosts: ['./*'] }] }],
];

interface Judged {
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

const isProgrammed = ({ type, status }: Condition): boolean => type === 'Programmed' && status === 'True';

/** Applies an object as the API server would, but for keeping it. */
async function tryOut(space: TestNamespace, object: object): Promise<{ code: number; stderr: string }> {
  const args = ['-n', space.name, 'apply', '--dry-run=server', '-f', '-'];
  return await space.kubectl.try(args, { input: JSON.stringify(object) });
}

/** What kubectl prints of one object, by the column's title. */
async function row(kind: string, name: string, ...options: string[]): Promise<Record<string, string>> {
  const [head = '', line = ''] = (await mesh.run('get', kind, name, ...options)).split('\n');
  const titles = [...head.matchAll(/\S+\s*/g)];
  return Object.fromEntries(
    titles.map(({ 0: title, index }, i) => [title.trim(), line.slice(index, titles[i + 1]?.index).trim()]),
  );
}

describe('the status of networking objects', () => {
  clusterTest('each kind is Accepted, in nobody’s way, and in force on n of m proxies', all, async () => {
    await mesh.apply(...sound.map(([kind, name, spec]) => networking(kind, name, spec)));
    for (const [kind, name] of sound) {
      const count = kind === 'Sidecar' ? '1 of 1 proxy' : '2 of 2 proxies';
      await mesh.run('wait', kind, name, '--for=condition=Programmed', '--timeout=60s');
      expect(`${kind}: ${await programmed(mesh, kind, name)}`).toBe(`${kind}: in force on ${count}`);
      expect(await condition(mesh, kind, name, 'Accepted', 'True')).toMatchObject({ reason: 'Valid' });
      expect(await condition(mesh, kind, name, 'Conflicted', 'False')).toMatchObject({ reason: 'NoConflict' });
    }
  });

  clusterTest('is seen in the columns of kubectl get', all, async () => {
    const state = { ACCEPTED: 'True', PROGRAMMED: 'True', MESSAGE: 'in force on 2 of 2 proxies' };
    const AGE = expect.stringMatching(/^\d+m?\d*s?$/);
    const expected: Readonly<Record<string, object>> = {
      virtualservice: { NAME: 'echo', GATEWAYS: '', HOSTS: '["echo"]', ...state, AGE },
      destinationrule: { NAME: 'echo', HOST: 'echo', ...state, AGE },
      serviceentry: {
        NAME: 'vm',
        HOSTS: '["vm.example"]',
        LOCATION: 'MESH_INTERNAL',
        RESOLUTION: 'STATIC',
        ...state,
        AGE,
      },
      workloadentry: { NAME: 'vm', AGE, ADDRESS: '192.0.2.7', ...state },
      sidecar: { NAME: 'caller', ...state, MESSAGE: 'in force on 1 of 1 proxy', AGE },
    };
    for (const [kind, columns] of Object.entries(expected)) {
      const name = String('NAME' in columns && columns.NAME);
      expect(await row(kind, name)).toEqual(columns);
      expect(await row(kind, name, '-o', 'wide')).toEqual(columns);
    }
    // The short names that people know, and all of the kinds at once.
    for (const short of ['vs', 'dr', 'se', 'we']) expect(await mesh.run('get', short)).toContain('in force on');
    const listed = await mesh.run('get', 'istio-io', '-o', 'name');
    expect(listed.trim().split('\n')).toHaveLength(sound.length);
  });

  clusterTest('a new pod raises both numbers', all, async () => {
    await mesh.run('scale', 'deployment/echo', '--replicas=2');
    await mesh.rolledOut('echo');
    for (const kind of ['virtualservice', 'destinationrule']) {
      await mesh.waitFor<Judged>(kind, 'echo', ({ status }) => {
        const found = status?.conditions?.find(({ type }) => type === 'Programmed');
        return found?.status === 'True' && found.message === 'in force on 3 of 3 proxies'
          ? undefined
          : JSON.stringify(status ?? {});
      });
    }
    expect(await programmed(mesh, 'sidecar', 'caller')).toBe('in force on 1 of 1 proxy');
  });

  clusterTest('a change is counted anew, for its own generation', all, async () => {
    const spec = { hosts: ['echo'], exportTo: ['.'], http: [{ timeout: '3s', route: [to('echo', 'all')] }] };
    await mesh.apply(networking('VirtualService', 'echo', spec));
    // Conditions of an older generation are not looked at by this.
    expect((await condition(mesh, 'virtualservice', 'echo', 'Programmed', 'True')).observedGeneration).toBe(2);
  });

  clusterTest('the younger of two learns from whom it loses, and what is missing is named', all, async () => {
    await mesh.apply(
      networking('VirtualService', 'z-younger', { hosts: ['echo'], exportTo: ['.'], http: [{ route: [to('echo')] }] }),
      networking('DestinationRule', 'z-younger', {
        host: 'echo',
        exportTo: ['.'],
        subsets: [{ name: 'all', labels: { app: 'other' } }],
      }),
      networking('VirtualService', 'lost', {
        hosts: ['lost.example'],
        exportTo: ['.'],
        http: [{ route: [to('echo', 'nowhere')] }],
      }),
    );
    const winner = `${mesh.name}/echo`;
    expect(await conditionMessage(mesh, 'virtualservice', 'z-younger', 'Conflicted', 'True')).toContain(winner);
    expect(await conditionMessage(mesh, 'destinationrule', 'z-younger', 'Conflicted', 'True')).toContain(winner);
    const lost = await condition(mesh, 'virtualservice', 'lost', 'Accepted', 'False');
    expect(lost.reason).toBe('SubsetNotFound');
    expect(lost.message).toMatch(/^spec\.http\[0]\.route\[0].*nowhere/);
    // The rule is in force all the same: it is its share alone that fails.
    await programmed(mesh, 'virtualservice', 'lost');
    expect((await caller.many('http://echo/', { headers: { host: 'lost.example' } })).statuses).toEqual({ 503: 1 });
    expect((await caller.many('http://echo/', { count: 5 })).ok).toBe(5);
    await mesh.run('delete', 'virtualservice', 'z-younger', 'lost');
    await mesh.run('delete', 'destinationrule', 'z-younger');
  });

  clusterTest('what is in force but for a field is Accepted with a word on the field', all, async () => {
    await mesh.apply(
      networking('VirtualService', 'both', {
        hosts: ['both.example'],
        gateways: ['edge', 'mesh'],
        exportTo: ['.'],
        http: [{ route: [to('echo')] }],
      }),
    );
    expect(await conditionMessage(mesh, 'virtualservice', 'both', 'Accepted', 'True')).toContain('spec.gateways');
    await programmed(mesh, 'virtualservice', 'both');
    expect((await caller.many('http://echo/', { headers: { host: 'both.example' } })).ok).toBe(1);
    await mesh.run('delete', 'virtualservice', 'both');
  });

  clusterTest('is not written in namespaces that are not ours', all, async () => {
    const strangers = sound.map(([kind, name, spec]) => networking(kind, name, spec));
    await foreign.apply(...strangers);
    // By the time a later object of ours has its conditions, those would have had theirs.
    await mesh.apply(networking('WorkloadEntry', 'after', { address: '192.0.2.8', labels: { app: 'vm' } }));
    await programmed(mesh, 'workloadentry', 'after');
    await mesh.run('delete', 'workloadentry', 'after');
    for (const [kind, name] of sound) {
      expect((await foreign.get<Judged>(kind, name))?.status).toBeUndefined();
    }
  });
});

describe('admission', () => {
  const refused: readonly (readonly [string, object, RegExp])[] = [
    [
      'VirtualService',
      { hosts: ['echo'], http: [{ match: [{ uri: { regex: '(' } }], route: [to('echo')] }] },
      /spec\.http\[0]\.match\[0]\.uri\.regex/,
    ],
    ['DestinationRule', { host: 'echo', subsets: [{ name: 'a' }, { name: 'a' }] }, /spec\.subsets\[1]\.name/],
    ['ServiceEntry', { hosts: ['*'], ports: [HTTP], resolution: 'STATIC' }, /spec\.hosts\[0]/],
    ['WorkloadEntry', { address: 'not an address' }, /spec\.address/],
    ['Sidecar', { egress: [{ hosts: ['echo'] }] }, /spec\.egress\[0]\.hosts\[0]/],
  ];
  const dubious: readonly (readonly [string, object, RegExp])[] = [
    ['VirtualService', { hosts: ['echo'], gateways: ['edge'], http: [{ route: [to('echo')] }] }, /spec\.gateways/],
    [
      'DestinationRule',
      { host: 'echo', trafficPolicy: { tunnel: { targetHost: 'a.example', targetPort: 80 } } },
      /spec\.trafficPolicy\.tunnel/,
    ],
    ['ServiceEntry', { hosts: ['a.example'], ports: [] }, /spec\.ports/],
    ['WorkloadEntry', { address: '192.0.2.7', network: 'other' }, /spec\.network/],
    ['Sidecar', { workloadSelector: { labels: {} }, egress: [{ hosts: ['./*'] }] }, /spec\.workloadSelector/],
  ];

  clusterTest('refuses what cannot be right, and names the field', all, async () => {
    for (const [kind, spec, field] of refused) {
      const { code, stderr } = await tryOut(mesh, networking(kind, 'wrong', spec));
      expect(`${kind} ${code}`).toBe(`${kind} 1`);
      expect(stderr).toMatch(field);
      // In a namespace of others it is theirs to judge.
      expect(`${kind} ${(await tryOut(foreign, networking(kind, 'wrong', spec))).code}`).toBe(`${kind} 0`);
    }
  });

  clusterTest('takes what is dubious, with a warning', all, async () => {
    for (const [kind, spec, field] of dubious) {
      const { code, stderr } = await tryOut(mesh, networking(kind, 'doubt', spec));
      expect(`${kind} ${code}`).toBe(`${kind} 0`);
      expect(stderr).toMatch(/^Warning: /m);
      expect(stderr).toMatch(field);
    }
  });

  clusterTest('that did not see an object leaves it to the status, and nobody is disturbed', all, async () => {
    const host = `echo.${mesh.name}.svc.cluster.local`;
    const wrong = refused.map(([kind, spec]) => {
      // As harmful as they could be, were they in force.
      const aimed = JSON.stringify(spec).replaceAll('"echo"', JSON.stringify(kind === 'Sidecar' ? 'echo' : host));
      return networking(kind, 'wrong', JSON.parse(aimed) as object);
    });
    await late.apply(
      ...wrong,
      networking('VirtualService', 'right', { hosts: ['right.example'], http: [{ route: [to(host)] }] }),
    );
    const label = Object.entries(INJECTED).map(([key, value]) => `${key}=${value}`);
    await late.kubectl.run(['label', 'namespace', late.name, ...label]);
    for (const [kind, , field] of refused) {
      const { reason, message } = await condition(late, kind, 'wrong', 'Accepted', 'False');
      expect(reason).toBe('Invalid');
      expect(message).toMatch(field);
      await condition(late, kind, 'wrong', 'Programmed', 'False');
    }
    await condition(late, 'virtualservice', 'right', 'Accepted', 'True');
    expect((await caller.many('http://echo/', { count: 10 })).ok).toBe(10);
    // A pod that starts beside them is served as ever.
    await mesh.run('delete', 'pod', '-l', 'app=caller');
    await mesh.rolledOut('caller');
    expect((await caller.many('http://echo/', { count: 10 })).ok).toBe(10);
  });
});

describe('many at once', () => {
  clusterTest('200 VirtualServices settle, and the last change is in force', all, async () => {
    const names = Array.from({ length: 200 }, (_, i) => `many-${i}`);
    const spec = (i: number, status: number): object => ({
      hosts: [`many-${i}.example`],
      exportTo: ['.'],
      http: [{ directResponse: { status } }],
    });
    await mesh.apply(...names.map((name, i) => networking('VirtualService', name, spec(i, 418))));
    await waitUntil('all of them in force', async () => {
      const objects = await mesh.list<Judged>('virtualservice');
      const waiting = objects.filter(({ status }) => status?.conditions?.find(isProgrammed) === undefined);
      return waiting.length === 0 ? undefined : `${waiting.length} are not`;
    });
    const teapots = await caller.many('http://echo/', { headers: { host: 'many-{i}.example' }, count: names.length });
    expect(teapots.statuses).toEqual({ 418: names.length });
    await mesh.run('delete', 'virtualservice', ...names, '--wait=false');
  });
});
