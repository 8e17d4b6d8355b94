import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readMeshConfig } from '../../api/mesh-config.ts';
import { homeFolder } from './home.ts';
import { differingSettings, mergeSettings, readAssignment, type Settings, writeSettings } from './settings.ts';

const shipped = await readFile(path.join(homeFolder(), 'config/mesh.yaml'), 'utf8');

describe('an assignment', () => {
  test.each<[string, Settings]>([
    ['trustDomain=a.b', { trustDomain: 'a.b' }],
    ['proxy.dnsCapture=true', { proxy: { dnsCapture: true } }],
    ['proxy.image=registry.example:5000/envoy:1', { proxy: { image: 'registry.example:5000/envoy:1' } }],
    ['jwks.allowedAddresses=[10.0.0.0/8]', { jwks: { allowedAddresses: ['10.0.0.0/8'] } }],
    ['redis.url=redis://a:6379/0', { redis: { url: 'redis://a:6379/0' } }],
    ['proxy.dnsCapture=null', { proxy: { dnsCapture: null } }],
    ['trustDomain=', { trustDomain: '' }],
  ])('%s', (text, expected) => {
    expect(readAssignment(text)).toEqual(expected);
  });

  test.each(['proxy', '=a', 'proxy.=a'])('%s is refused, with an example', (text) => {
    expect(() => readAssignment(text)).toThrow(`--set ${text}: must be KEY=VALUE`);
  });
});

describe('settings', () => {
  test('lie on top of each other, lists whole, and null takes one back', () => {
    const base = { proxy: { cpu: '1', logLevel: 'info' }, discoverySelectors: [{}] };
    const over = { proxy: { cpu: '2', logLevel: null }, discoverySelectors: [] };
    expect(mergeSettings(base, over)).toEqual({ proxy: { cpu: '2' }, discoverySelectors: [] });
  });

  test('of which nothing is left are none', () => {
    expect(mergeSettings({ redis: { url: 'redis://a:6379/0' } }, { redis: { url: null } })).toEqual({});
    expect(mergeSettings({}, { outward: {} })).toEqual({ outward: {} });
  });

  test('go into the text of the mesh, whose comments and other values stay', () => {
    const text = writeSettings(shipped, { proxy: { dnsCapture: true }, redis: { url: 'redis://a:6379/0' } });
    expect(readMeshConfig(text)).toEqual({
      ...readMeshConfig(shipped),
      proxy: { ...readMeshConfig(shipped).proxy, dnsCapture: true },
      redis: { url: 'redis://a:6379/0', timeout: '200ms' },
    });
    const comments = (of: string) => of.split('\n').filter((line) => line.trimStart().startsWith('#'));
    expect(comments(text)).toEqual(comments(shipped));
    expect(writeSettings(shipped, {})).toBe(shipped);
  });

  test.each<[Settings, string]>([
    [{ proxy: { logLevl: 'info' } }, 'proxy: Unrecognized key: "logLevl"'],
    [{ proxy: { cpu: 'much' } }, 'proxy.cpu: must be a quantity'],
    [{ proxy: 'a' }, 'proxy: '],
  ])('%j are refused by their names', (settings, message) => {
    expect(() => writeSettings(shipped, settings)).toThrow(message);
  });

  test('that somebody wrote by hand are told from those of the manifests', () => {
    const chosen = {
      trustDomain: 'shop.example',
      proxy: { cpu: '60m' },
      discoverySelectors: [{ matchLabels: { a: 'b' } }],
    };
    const present = parse(writeSettings(shipped, chosen)) as unknown;
    expect(differingSettings(present, parse(shipped))).toEqual(chosen);
    expect(differingSettings(parse(shipped), parse(shipped))).toEqual({});
  });
});
