import { BlockList, isIP } from 'node:net';
import { jwksUriProblem } from '../../../api/jwks-source.ts';
import { FetchError } from '../../../operator/jwks/document.ts';
import { keysUriOf } from '../../../operator/jwks/key-set.ts';
import { mayReach } from '../../../operator/outward/destination.ts';
import { asBuffer } from '../engine/as-buffer.ts';
import type { Target } from '../target.ts';

const DOCUMENT_BYTES = 1 << 20;
const allowed = new BlockList();
allowed.addSubnet('10.0.0.0', 8, 'ipv4');
const HOSTS = ['id.example', '10.0.0.1', '[fd00::1]', '[::ffff:169.254.169.254]', '[2002:7f00:1::]', '0x7f.1'];

/** Documents of OpenID discovery, and the addresses that they lead to. */
export const target: Target = {
  name: 'discovery',
  about: 'documents of OpenID discovery, of whoever a RequestAuthentication names',
  form: 'json',
  seeds: HOSTS.map((host) => Buffer.from(JSON.stringify({ issuer: 'a', jwks_uri: `https://${host}:443/keys?a=b#c` }))),
  *largest() {
    yield Buffer.from(JSON.stringify({ jwks_uri: `https://${'a.'.repeat(DOCUMENT_BYTES / 2 - 20)}` }));
    yield Buffer.from('['.repeat(DOCUMENT_BYTES));
  },
  run(bytes) {
    const uri = uriIn(asBuffer(bytes).toString());
    if (uri === undefined || jwksUriProblem(uri) !== undefined) return;
    const host = new URL(uri).hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) !== 0 && mayReach(host, allowed) && /^(127|169\.254)\./.test(host))
      throw new Error(`${host} is allowed`);
  },
};

function uriIn(document: string): string | undefined {
  try {
    return keysUriOf(document);
  } catch (error) {
    if (error instanceof FetchError) return undefined;
    throw error;
  }
}
