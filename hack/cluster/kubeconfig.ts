import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { API_PORT, CONTEXT_NAME, NODE_ADDRESS } from './layout.ts';

/**
 * Writes a kubeconfig with the certificate `name` of the folder `pki` to `file`, everything inline, so that the file can be copied
 * elsewhere. Readable by root only: it holds a key.
 */
export async function writeKubeconfig(pki: string, name: string, file: string): Promise<void> {
  const encode = async (entry: string): Promise<string> => (await readFile(path.join(pki, entry))).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': CONTEXT_NAME,
    clusters: [
      {
        name: CONTEXT_NAME,
        cluster: {
          server: `https://${NODE_ADDRESS}:${API_PORT}`,
          'certificate-authority-data': await encode('ca.crt'),
        },
      },
    ],
    users: [
      {
        name,
        user: {
          'client-certificate-data': await encode(`${name}.crt`),
          'client-key-data': await encode(`${name}.key`),
        },
      },
    ],
    contexts: [{ name: CONTEXT_NAME, context: { cluster: CONTEXT_NAME, user: name } }],
  };
  await writeFile(file, stringify(config), { mode: 0o600 });
}
