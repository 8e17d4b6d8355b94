import { expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { programmed } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client } from '../support/testbed-client.ts';
import { client, server } from '../support/testbed-objects.ts';
import { issueCertificate } from '../testbed/certificate.ts';

const HOST = 'db.example.com';
/** Of nobody: what is sent there goes by the ServiceEntry. */
const ADDRESS = '203.0.113.77';
const SECRET = 'db-credential';

const mesh = useNamespace('credential');
const outside = useNamespace('credential-server', {});
const caller = new Client(mesh, 'deployment/caller');
const authority = issueCertificate({ commonName: 'ca', authority: true });
const issuer = { commonName: 'ca', key: authority.key };

interface KubeEvent {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

const secret = (name: string, data: Readonly<Record<string, string>>): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData: data,
});

function credential(clientName: string): object {
  const { cert, key } = issueCertificate({ commonName: 'client', names: [clientName], issuer });
  return secret(SECRET, { 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.cert });
}

/** What a namespace grants: this Secret alone, to the client and to the operator. */
function grant(): object[] {
  const metadata = { name: SECRET };
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const account = (name: string, namespace: string): object => ({ kind: 'ServiceAccount', name, namespace });
  const rules = [{ apiGroups: [''], resources: ['secrets'], resourceNames: [SECRET], verbs: ['get'] }];
  return [
    { apiVersion, kind: 'Role', metadata, rules },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: SECRET },
      subjects: [account('caller', mesh.name), account('heddle-operator', 'heddle-system')],
    },
  ];
}

const networking = (kind: string, spec: object): object => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  metadata: { name: 'db' },
  spec,
});

/** The server's echo has what it saw of the client's certificate. */
async function call(): Promise<{
  readonly status: number | undefined;
  readonly client?: string;
  readonly body?: string;
}> {
  const { answers } = await caller.many(`http://${ADDRESS}/`, { headers: { host: HOST } });
  const [{ status, body, echo } = {}] = answers;
  const san = echo?.tls?.client?.san;
  return { status, ...(san !== undefined && { client: san }), ...(body !== undefined && { body }) };
}

/** Waits until the server sees a certificate of this name. */
const seen = (name: string): Promise<void> =>
  waitUntil(
    `a call by ${name}`,
    async () => {
      const answer = await call();
      return answer.client === `DNS:${name}` ? undefined : JSON.stringify(answer);
    },
    // Credentials are read every 30 s.
    { timeoutMs: 60_000, everyMs: 1000 },
  );

clusterSetup([mesh, outside], async () => {
  const { cert, key } = issueCertificate({ commonName: 'db', names: [HOST], issuer });
  const files = { TLS_CERT_FILE: '/tls/tls.crt', TLS_KEY_FILE: '/tls/tls.key', TLS_CA_FILE: '/tls/ca.crt' };
  const options = {
    env: files,
    podSpec: { volumes: [{ name: 'tls', secret: { secretName: 'db-server' } }] },
    container: { volumeMounts: [{ name: 'tls', mountPath: '/tls' }] },
  };
  await Promise.all([
    outside.apply(
      secret('db-server', { 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.cert }),
      ...server('db', options),
    ),
    mesh.apply(
      ...client('caller'),
      credential('client-1.example.com'),
      networking('ServiceEntry', {
        hosts: [HOST],
        exportTo: ['.'],
        addresses: [ADDRESS],
        ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 443 }],
        resolution: 'DNS',
        endpoints: [{ address: `db.${outside.name}.svc.cluster.local` }],
      }),
    ),
  ]);
  await Promise.all([mesh.rolledOut('caller'), outside.rolledOut('db')]);
});

clusterTest('a credential is served to whom the namespace grants it, and followed', [mesh, outside], async () => {
  const trafficPolicy = {
    tls: { mode: 'MUTUAL', credentialName: SECRET },
    // A connection keeps the certificate it began with.
    connectionPool: { http: { maxRequestsPerConnection: 1 } },
  };
  await mesh.apply(networking('DestinationRule', { host: HOST, trafficPolicy }));
  await programmed(mesh, 'destinationrule', 'db');
  expect((await call()).status).toBe(503);
  await waitUntil('an Event on the rule', async () => {
    const events = (await mesh.list<KubeEvent>('events')).filter(({ reason }) => reason === 'CredentialNotFound');
    const told = events.some(
      ({ involvedObject: { kind, name }, message }) =>
        kind === 'DestinationRule' && name === 'db' && message.includes('may not get Secret'),
    );
    return told ? undefined : JSON.stringify(events);
  });
  await mesh.apply(...grant());
  await seen('client-1.example.com');
  await mesh.apply(credential('client-2.example.com'));
  await seen('client-2.example.com');
});
