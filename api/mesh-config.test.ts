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

  test('takes a Redis', () => {
    const { redis } = readMeshConfig('redis: {url: "rediss://redis.infra.svc:6379/2", passwordSecret: heddle-redis}');
    expect(redis).toMatchObject({ passwordSecret: 'heddle-redis', timeout: '200ms' });
    expect(readMeshConfig('').redis).toBeUndefined();
  });

  test('has sidecars speak TLS 1.3, and older ones only when told', () => {
    expect(readMeshConfig('').meshMTLS).toEqual({ minProtocolVersion: 'TLSV1_3' });
    expect(readMeshConfig('meshMTLS: {minProtocolVersion: TLSV1_2}').meshMTLS.minProtocolVersion).toBe('TLSV1_2');
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
    [
      'discoverySelectors: [{matchLabels: {team: a}}, {matchLabels: {te am: a}}]',
      'discoverySelectors.1.matchLabels.te am: must be a label key',
    ],
    ['discoverySelectors: [{matchLabels: {team: -a}}]', 'discoverySelectors.0.matchLabels.team: must be a label value'],
    [
      'discoverySelectors: [{matchExpressions: [{key: team, operator: In}]}]',
      'discoverySelectors.0.matchExpressions.0.values: must have a value for In',
    ],
    [
      'discoverySelectors: [{matchExpressions: [{key: team, operator: NotIn, values: []}]}]',
      'discoverySelectors.0.matchExpressions.0.values: must have a value for NotIn',
    ],
    [
      'discoverySelectors: [{matchExpressions: [{key: team, operator: Exists, values: [a]}]}]',
      'discoverySelectors.0.matchExpressions.0.values: must be left out for Exists',
    ],
    [
      'discoverySelectors: [{matchExpressions: [{key: team, operator: Equals}]}]',
      'discoverySelectors.0.matchExpressions.0.operator: Invalid option',
    ],
    ['discoverySelectors: [{matchlabels: {}}]', 'discoverySelectors.0: Unrecognized key: "matchlabels"'],
    ['discoverySelectors: [null]', 'discoverySelectors.0: Invalid input'],
    [
      'meshMTLS: {minProtocolVersion: TLSV1_1}',
      'meshMTLS.minProtocolVersion: Invalid option: expected one of "TLSV1_2"|"TLSV1_3"',
    ],
    ['pathNormalization: {normalization: NONE}', 'pathNormalization.normalization: Invalid option'],
    ['redis: {url: http://redis}', 'redis.url: must be a URL such as "redis://'],
    ['redis: {url: "redis://:secret@redis:6379"}', 'redis.url: must be a URL such as'],
    ['redis: {url: "redis://redis/0", timeout: 0s}', 'redis.timeout: must be a positive duration'],
    ['redis: {url: "redis://redis/0", passwordSecret: A}', 'redis.passwordSecret: must be a DNS name'],
    ['colour: blue', 'mesh.yaml: Unrecognized key: "colour"'],
    ['[]', 'mesh.yaml: Invalid input'],
  ])('refuses %s and names the field', (text, message) => {
    expect(() => readMeshConfig(text)).toThrow(message);
  });
});
