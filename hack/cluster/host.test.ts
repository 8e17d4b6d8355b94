import { describe, expect, test } from '@jest/globals';
import { isEmptyTable, withoutClusterRules } from './firewall.ts';
import { mountsBelow } from './host.ts';
import { cacheDirectory, controlGroupName, stateDirectory } from './layout.ts';
import { missingPackages, PrerequisiteError, requireMachine } from './prerequisites.ts';

describe('the mounts below a folder', () => {
  const info = [
    '22 1 254:0 / / rw - ext4 /dev/vda rw',
    '40 22 0:30 / /var/lib/heddle/kubelet/a rw - tmpfs tmpfs rw',
    '41 40 0:31 / /var/lib/heddle/kubelet/a/b\\040c rw - tmpfs tmpfs rw',
    '42 22 0:32 / /var/lib/heddle2 rw - tmpfs tmpfs rw',
  ].join('\n');

  test('come innermost first, with escapes undone, and without a neighbour of a similar name', () => {
    expect(mountsBelow(info, '/var/lib/heddle')).toEqual([
      '/var/lib/heddle/kubelet/a/b c',
      '/var/lib/heddle/kubelet/a',
    ]);
  });
});

describe('the firewall after the cluster', () => {
  const users = [
    ':POSTROUTING ACCEPT [0:0]',
    ':MINE - [0:0]',
    '-A POSTROUTING -j MINE',
    '-A MINE -s 192.0.2.1/32 -j MASQUERADE',
  ];
  const ours = [
    ':KUBE-SERVICES - [0:0]',
    ':CNI-DN-1 - [0:0]',
    ':CNI-HOSTPORT-DNAT - [0:0]',
    '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
    '-A POSTROUTING -s 10.86.0.0/22 ! -d 10.86.0.0/22 -m comment --comment "heddle local cluster" -j MASQUERADE',
    '-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT',
    '-A CNI-HOSTPORT-DNAT -m comment --comment "dnat name: \\"heddle\\" id: \\"1\\"" -j CNI-DN-1',
    '-A CNI-DN-1 -p tcp -j DNAT --to-destination 10.86.0.3:80',
    '-A KUBE-SERVICES -d 10.87.0.1/32 -j KUBE-SVC-1',
    ':KUBE-POSTROUTING - [0:0]',
  ];

  test('holds the rules of others and none of ours', () => {
    const saved = ['*nat', ...users, ...ours, 'COMMIT', ''].join('\n');
    expect(withoutClusterRules(saved)).toBe(['*nat', ...users, 'COMMIT', ''].join('\n'));
  });

  test('keeps the chains of another CNI network', () => {
    const other = ['*nat', ':CNI-DN-2 - [0:0]', ':CNI-HOSTPORT-DNAT - [0:0]'];
    const rule = '-A CNI-HOSTPORT-DNAT -m comment --comment "dnat name: \\"podman\\" id: \\"2\\"" -j CNI-DN-2';
    const saved = [...other, rule, 'COMMIT'].join('\n');
    expect(withoutClusterRules(saved)).toBe(saved);
  });

  test('loses a table only when it holds no rule and drops nothing', () => {
    const base = 'table ip nat {\n\tchain OUTPUT {\n\t\ttype nat hook output priority dstnat; policy accept;\n\t}\n}\n';
    expect(isEmptyTable(base)).toBe(true);
    expect(isEmptyTable(base.replace('accept', 'drop'))).toBe(false);
    expect(isEmptyTable(base.replace('policy accept;', 'policy accept;\n\t\tip saddr 192.0.2.1 drop'))).toBe(false);
  });
});

describe('a machine that lacks something', () => {
  const cases = [
    { machine: { platform: 'darwin', architecture: 'arm64', userId: 0 }, words: 'needs Linux' },
    { machine: { platform: 'linux', architecture: 's390x', userId: 0 }, words: 'x64 or arm64' },
    { machine: { platform: 'linux', architecture: 'x64', userId: 1000 }, words: 'needs root' },
  ];
  test.each(cases)('hears that the cluster $words, and the way out', ({ machine, words }) => {
    expect(() => requireMachine(machine)).toThrow(PrerequisiteError);
    expect(() => requireMachine(machine)).toThrow(new RegExp(`${words}.*--context NAME`));
  });

  test('passes when it has all', () => {
    expect(() => requireMachine({ platform: 'linux', architecture: 'x64', userId: 0 })).not.toThrow();
  });

  test('is told the packages whose programs are absent', () => {
    expect(missingPackages(() => true)).toEqual([]);
    expect(missingPackages((file) => file !== '/usr/sbin/nft')).toEqual(['nftables']);
  });
});

describe('folders', () => {
  test('follow the environment, the nearest name first', () => {
    expect(cacheDirectory({ HEDDLE_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
    expect(cacheDirectory({ XDG_CACHE_HOME: '/b' })).toBe('/b/heddle');
    expect(stateDirectory({ HEDDLE_STATE: '/c' })).toBe('/c');
  });

  test('keep two clusters apart by control group', () => {
    expect(controlGroupName({})).toBe('heddle');
    expect(controlGroupName({ HEDDLE_STATE: '/a' })).not.toBe(controlGroupName({ HEDDLE_STATE: '/b' }));
  });
});
