import { expect, test } from '@jest/globals';
import { prepare } from './programs.ts';

test('programs are had one after the other, and one that is not to be had is named', async () => {
  const begun: string[] = [];
  let running = 0;
  const had = (name: string, error?: Error) => async () => {
    expect(running).toBe(0);
    running += 1;
    begun.push(name);
    await new Promise(setImmediate);
    running -= 1;
    if (error) throw error;
  };
  const programs = {
    Envoy: had('Envoy'),
    Valkey: had('Valkey', new Error('install pip')),
    Prometheus: had('Prometheus'),
    'OpenTelemetry collector': had('OpenTelemetry collector'),
    'cert-manager': had('cert-manager'),
    Chromium: had('Chromium'),
  };
  const said: string[] = [];
  await prepare(['Envoy', 'Valkey', 'Chromium'], (line) => said.push(line), programs);
  expect(begun).toEqual(['Envoy', 'Valkey', 'Chromium']);
  expect(said).toEqual(['there is no Valkey: install pip']);
});
