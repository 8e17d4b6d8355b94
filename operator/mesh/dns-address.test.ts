import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dnsAddressOf } from './dns-address.ts';

describe('the address of DNS capture', () => {
  test('comes from the name alone, and never changes', () => {
    expect(dnsAddressOf('api.example.com')).toBe(dnsAddressOf('api.example.com'));
    // Sidecars and applications keep it: a new release must not give another.
    expect(dnsAddressOf('h5703.example.com')).toBe('254.188.14.254');
  });

  test('is one of the reserved addresses that stand for a single host', () => {
    fc.assert(
      fc.property(fc.string(), (hostname) => {
        const parts = dnsAddressOf(hostname).split('.').map(Number);
        expect(parts).toHaveLength(4);
        for (const part of parts) expect(part >= 0 && part <= 255).toBe(true);
        expect(parts[0]).toBeGreaterThanOrEqual(240);
        expect(['240.0.0.0', '255.255.255.255']).not.toContain(parts.join('.'));
      }),
    );
  });
});
