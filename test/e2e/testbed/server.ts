import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { type Identity, issueCertificate } from './certificate.ts';
import { closeCalls } from './chain.ts';
import { control } from './control.ts';
import { drainOnTerm } from './drain.ts';
import { serveHttp } from './http-server.ts';
import { serveHttp2 } from './http2-server.ts';
import { ServerState } from './server-state.ts';
import { serveTcp } from './tcp-server.ts';
import { serveTls } from './tls-server.ts';

/** Serves everything on the ports that `usage.ts` names, as the environment says, until told to end. */
export function serveAll(): void {
  const { MAX_CONCURRENT = '0', BURN = '0', HOLD = '0', TLS_CA_FILE: caFile } = process.env;
  const state = new ServerState(Number(MAX_CONCURRENT));
  state.burner.cores = Number(BURN);
  state.burner.mebibytes = Number(HOLD);
  const http = serveHttp(8080, state);
  const closeHttp2 = serveHttp2(8081, state);
  serveControl(8090, state);
  const tls = serveTls(8443, { identity: identity(), ...(caFile && { ca: readFileSync(caFile, 'utf8') }) }, state);
  serveTcp(9000, false);
  serveTcp(9001, true);
  drainOnTerm(() => {
    http.close();
    http.closeIdleConnections();
    closeHttp2();
    tls.close();
    closeCalls();
  });
  process.stdout.write('serving on 8080, 8081, 8090, 8443, 9000 and 9001\n');
}

/** A port for tests alone, which no policy of the mesh has to let through: `/admin` and `/seen`, and nothing else. */
function serveControl(port: number, state: ServerState): void {
  createServer((request, response) => {
    const told = control(request.method ?? '', request.url ?? '', state);
    response.writeHead(told === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(told ?? { error: 'there are /admin and /seen' }));
  }).listen(port);
}

function identity(): Identity {
  const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_NAMES: names } = process.env;
  if (cert && key) return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  return issueCertificate({ commonName: hostname(), names: names?.split(',').filter(Boolean) ?? [hostname()] });
}
