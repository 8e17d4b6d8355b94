import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileEntry } from './closure.ts';
import type { TarEntry } from './tar.ts';

const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';

/** What programs expect of any system: a few names, a place for temporary files, the public certificate authorities. */
export async function systemEntries(): Promise<TarEntry[]> {
  const text = (target: string, lines: string): TarEntry => {
    return {
      path: path.relative('/', target),
      kind: 'file',
      mode: 0o644,
      source: { bytes: new TextEncoder().encode(lines) },
    };
  };
  return [
    { path: 'tmp', kind: 'directory', mode: 0o1777 },
    text(
      '/etc/passwd',
      'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n',
    ),
    text('/etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
    text('/etc/nsswitch.conf', 'hosts: files dns\n'),
    ...(existsSync(CA_BUNDLE) ? [await fileEntry(CA_BUNDLE, CA_BUNDLE, 0o644)] : []),
  ];
}
