import { expect, test } from '@jest/globals';
import { type Program, Programs } from './programs.ts';

/** Programs that are had when they are told to be. */
function played() {
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const had = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve, reject) => {
      ends.set(name, (error) => (error ? reject(error) : resolve()));
    });
  };
  const names = ['Envoy', 'Valkey', 'Prometheus', 'OpenTelemetry collector', 'Kubernetes', 'etcd', 'CoreDNS'] as const;
  const others = ['cert-manager', 'metrics server', 'packet capture', 'Chromium'] as const;
  const programs = Object.fromEntries([...names, ...others].map((name) => [name, had(name)]));
  const end = async (name: Program, error?: Error): Promise<void> => {
    ends.get(name)?.(error);
    await new Promise(setImmediate);
  };
  return { programs: programs as Record<Program, () => Promise<void>>, begun, end };
}

test('programs are had from the start on, once and one after the other, and a layer waits for its own alone', async () => {
  const { programs, begun, end } = played();
  const had = new Programs(['Envoy', 'Valkey', 'Envoy', 'Chromium'], () => undefined, programs);
  const ready: string[] = [];
  void had.ready(['Envoy']).then(() => ready.push('unit'));
  void had.ready(['Valkey', 'Envoy']).then(() => ready.push('feature'));
  await new Promise(setImmediate);
  expect([begun, ready]).toEqual([['Envoy'], []]);
  await end('Envoy');
  expect([begun, ready]).toEqual([['Envoy', 'Valkey'], ['unit']]);
  await end('Valkey');
  expect([begun, ready]).toEqual([
    ['Envoy', 'Valkey', 'Chromium'],
    ['unit', 'feature'],
  ]);
});

test('one that is not to be had is named, and keeps none of the others away', async () => {
  const { programs, end } = played();
  const said: string[] = [];
  const had = new Programs(['Valkey', 'Chromium'], (line) => said.push(line), programs);
  await new Promise(setImmediate);
  await end('Valkey', new Error('install pip'));
  await end('Chromium');
  await had.ready(['Valkey', 'Chromium']);
  expect(said).toEqual(['there is no Valkey: install pip']);
});

test('a run that was told to end begins with no other', async () => {
  const { programs, begun, end } = played();
  const had = new Programs(['Valkey', 'Chromium'], () => undefined, programs);
  await new Promise(setImmediate);
  had.stop();
  await end('Valkey');
  await had.ready(['Valkey', 'Chromium']);
  expect(begun).toEqual(['Valkey']);
});
