import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { meshConfig, readMeshConfig } from './mesh-config.ts';

describe('readMeshConfig', () => {
  test('gives the defaults for an empty file', () => {
    expect(readMeshConfig('')).toEqual(meshConfig.parse({}));
    expect(readMeshConfig('').certificates.workloadLifetime).toBe('24h');
  });

  test('reads config/mesh.yaml, which spells out the defaults', async () => {
    const text = await readFile(join(import.meta.dirname, '../config/mesh.yaml'), 'utf8');
    expect(readMeshConfig(text)).toEqual(readMeshConfig(''));
  });

  test('takes lifetimes down to seconds', () => {
    expect(readMeshConfig('certificates: {workloadLifetime: 20s}').certificates.workloadLifetime).toBe('20s');
  });

  test.each([
    ['trustDomain: UPPER', 'trustDomain: must be a DNS name in lower case'],
    ['certificates: {workloadLifetime: -1h}', 'certificates.workloadLifetime: must be a positive duration'],
    ['proxy: {memory: lots}', 'proxy.memory: must be a quantity'],
    [
      'proxy: {configurationLoading: lazy}',
      'proxy.configurationLoading: Invalid option: expected one of "eager"|"on-demand"',
    ],
    ['proxy: {dnsCapture: enabled}', 'proxy.dnsCapture: Invalid input: expected boolean'],
    ['colour: blue', 'mesh.yaml: Unrecognized key: "colour"'],
    ['[]', 'mesh.yaml: Invalid input'],
  ])('refuses %s and names the field', (text, message) => {
    expect(() => readMeshConfig(text)).toThrow(message);
  });
});
