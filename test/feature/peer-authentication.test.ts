import { afterAll, beforeAll, describe, test } from '@jest/globals';
import type { PeerAuthentication, PeerAuthenticationSpec } from '../../api/peer-authentication.ts';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { peerAuthentication } from '../../operator/mesh/testing/objects.ts';
import { chosenVersion, isEncrypted, readTlsRecords } from '../wire/tls-records.ts';
import { PeerWorld, PORTS, type PortName } from './support/peer-world.ts';
import type { Overheard } from './support/wire.ts';

type Mode = 'UNSET' | 'DISABLE' | 'PERMISSIVE' | 'STRICT';
/** Modes that must come out of it: of all ports, and of those that differ. */
type Outcome = Readonly<Partial<Record<PortName | 'all', Exclude<Mode, 'UNSET'>>>>;

const DECLARED: readonly PortName[] = ['http', 'any', 'tcp'];
const [ROOT, SHOP] = ['heddle-system', 'shop'];
const SOON = { timeoutMs: 10_000, everyMs: 20 };
let world: PeerWorld;

beforeAll(async () => {
  world = await PeerWorld.start();
}, 60_000);
afterAll(() => world?.stop());

interface Wish {
  readonly mode?: Mode;
  readonly ports?: Readonly<Partial<Record<PortName, Mode>>>;
  readonly app?: string;
  /** Day of January on which it was made. */
  readonly day?: number;
}

function policy(key: string, { mode, ports, app, day = 1 }: Wish): PeerAuthentication {
  const levels = Object.entries(ports ?? {}).map(([name, level]) => [
    world.port(name as PortName).number,
    { mode: level },
  ]);
  const spec: PeerAuthenticationSpec = {
    ...(mode === undefined ? {} : { mtls: { mode } }),
    ...(app === undefined ? {} : { selector: { matchLabels: { app } } }),
    ...(ports === undefined ? {} : { portLevelMtls: Object.fromEntries(levels) }),
  };
  return peerAuthentication(key, spec, `2026-01-0${day}T00:00:00Z`);
}

/** What each kind of caller gets, and what the callers of the mesh speak. */
interface Seen {
  readonly plainly: number;
  readonly byMutualTls: number;
  readonly inTheMesh?: readonly [status: number, spoken: string];
}

const EXPECTED: Readonly<Record<Exclude<Mode, 'UNSET'>, Seen>> = {
  STRICT: { plainly: 0, byMutualTls: 200, inTheMesh: [200, 'TLS 1.3'] },
  PERMISSIVE: { plainly: 200, byMutualTls: 200, inTheMesh: [200, 'TLS 1.3'] },
  DISABLE: { plainly: 200, byMutualTls: 0, inTheMesh: [200, 'plaintext'] },
};

async function look(name: PortName): Promise<Seen> {
  const seen = { plainly: await world.callPlainly(name), byMutualTls: await world.callByMutualTls(name) };
  if (!DECLARED.includes(name)) return seen;
  world.wire.overheard();
  const { status } = await world.call(name, '/a-secret');
  const spoken = world.wire.overheard().map(nameOfSpeech);
  world.wire.cut();
  return { ...seen, inTheMesh: [status, [...new Set(spoken)].join()] };
}

function nameOfSpeech({ sent, answered }: Overheard): string {
  const isReadable = [sent, answered].every((bytes) => bytes.includes('a-secret'));
  if (isReadable) return 'plaintext';
  const [ours, theirs] = [readTlsRecords(sent), readTlsRecords(answered)];
  return chosenVersion(theirs) === 0x0304 && isEncrypted(ours) && isEncrypted(theirs) ? 'TLS 1.3' : 'something else';
}

async function expectOutcome(policies: readonly PeerAuthentication[], { all = 'PERMISSIVE', ...differing }: Outcome) {
  await world.enforce(policies);
  for (const name of PORTS) {
    const { inTheMesh, ...others } = EXPECTED[differing[name] ?? all];
    const wanted = { name, ...others, ...(DECLARED.includes(name) ? { inTheMesh } : {}) };
    // An acknowledged listener takes connections a moment later.
    await waitUntil(
      `${JSON.stringify(wanted)}`,
      async () => {
        const seen = JSON.stringify({ name, ...(await look(name)) });
        return seen === JSON.stringify(wanted) ? undefined : seen;
      },
      SOON,
    );
  }
}

type Row = readonly [name: string, policies: () => readonly PeerAuthentication[], outcome: Outcome];

const rows: readonly Row[] = [
  ['without any policy', () => [], { all: 'PERMISSIVE' }],
  ...(['STRICT', 'DISABLE', 'PERMISSIVE'] as const).flatMap((mode): Row[] => [
    [`${mode} for the mesh`, () => [policy(`${ROOT}/m`, { mode })], { all: mode }],
    [`${mode} for the namespace`, () => [policy(`${SHOP}/n`, { mode })], { all: mode }],
    [`${mode} for the workload`, () => [policy(`${SHOP}/w`, { mode, app: 'web' })], { all: mode }],
    [
      `${mode} for ports, declared or not, and another mode for the rest`,
      () => [
        policy(`${SHOP}/w`, {
          mode: mode === 'STRICT' ? 'DISABLE' : 'STRICT',
          app: 'web',
          ports: { http: mode, tcp: mode, bare: mode },
        }),
      ],
      { all: mode === 'STRICT' ? 'DISABLE' : 'STRICT', http: mode, tcp: mode, bare: mode },
    ],
  ]),
  [
    'the namespace over the mesh',
    () => [policy(`${ROOT}/m`, { mode: 'STRICT' }), policy(`${SHOP}/n`, { mode: 'DISABLE' })],
    { all: 'DISABLE' },
  ],
  [
    'the workload over both',
    () => [
      policy(`${ROOT}/m`, { mode: 'DISABLE' }),
      policy(`${SHOP}/n`, { mode: 'DISABLE' }),
      policy(`${SHOP}/w`, { mode: 'STRICT', app: 'web' }),
    ],
    { all: 'STRICT' },
  ],
  [
    'UNSET, and no mode, as the wider scope says',
    () => [
      policy(`${ROOT}/m`, { mode: 'STRICT' }),
      policy(`${SHOP}/n`, { mode: 'UNSET' }),
      policy(`${SHOP}/w`, { app: 'web', ports: { http: 'UNSET', any: 'PERMISSIVE' } }),
    ],
    { all: 'STRICT', any: 'PERMISSIVE' },
  ],
  ['UNSET for the mesh as PERMISSIVE', () => [policy(`${ROOT}/m`, { mode: 'UNSET' })], { all: 'PERMISSIVE' }],
  [
    'the oldest of a namespace',
    () => [policy(`${SHOP}/a`, { mode: 'DISABLE', day: 2 }), policy(`${SHOP}/z`, { mode: 'STRICT', day: 1 })],
    { all: 'STRICT' },
  ],
  [
    'the oldest of a workload, with its ports alone',
    () => [
      policy(`${SHOP}/a`, { mode: 'STRICT', app: 'web', ports: { http: 'PERMISSIVE' }, day: 2 }),
      policy(`${SHOP}/z`, { mode: 'DISABLE', app: 'web', ports: { any: 'STRICT' }, day: 1 }),
    ],
    { all: 'DISABLE', any: 'STRICT' },
  ],
  [
    'the oldest of the mesh',
    () => [policy(`${ROOT}/a`, { mode: 'DISABLE', day: 2 }), policy(`${ROOT}/z`, { mode: 'STRICT', day: 1 })],
    { all: 'STRICT' },
  ],
  [
    'no selector in the root namespace, nor one that matches others, nor another namespace',
    () => [
      policy(`${ROOT}/m`, { mode: 'STRICT', app: 'web' }),
      policy(`${SHOP}/w`, { mode: 'STRICT', app: 'other' }),
      policy('elsewhere/n', { mode: 'STRICT' }),
    ],
    { all: 'PERMISSIVE' },
  ],
  [
    'no ports where there is no selector',
    () => [policy(`${SHOP}/n`, { mode: 'STRICT', ports: { http: 'DISABLE' } })],
    { all: 'STRICT' },
  ],
];

describe('PeerAuthentication, with real sidecars of caller and server', () => {
  test.each(rows)('%s', async (_, policies, outcome) => {
    await expectOutcome(policies(), outcome);
  });
});
