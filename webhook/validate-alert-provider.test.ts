import { expect, test } from '@jest/globals';
import { validateAlertProvider } from './validate-alert-provider.ts';

const address = 'https://hooks.example/T0/B0';

test.each([
  ['an address', { type: 'slack', channel: 'ops', address }],
  ['an address in a Secret', { type: 'msteams', secretRef: { name: 'teams' } }],
  ['a proxy', { type: 'webhook', address, proxy: 'http://proxy.infra:3128' }],
])('an AlertProvider may have %s', (_, spec) => {
  expect(validateAlertProvider(spec)).toEqual([]);
});

test.each([
  ['no type', { address }, 'spec.type: '],
  ['a type nobody knows', { type: 'pigeon', address }, 'spec.type: '],
  ['no address', { type: 'slack' }, 'spec: give exactly one of address and secretRef'],
  [
    'two addresses',
    { type: 'slack', address, secretRef: { name: 'a' } },
    'spec: give exactly one of address and secretRef',
  ],
  [
    'an address that is no URL',
    { type: 'slack', address: 'hooks.example' },
    'spec.address: must be a URL of http or https',
  ],
  [
    'a proxy that is no URL',
    { type: 'slack', address, proxy: 'socks://p' },
    'spec.proxy: must be a URL of http or https',
  ],
])('an AlertProvider must not have %s', (_, spec, message) => {
  expect(validateAlertProvider(spec)).toEqual([expect.stringContaining(message)]);
});
