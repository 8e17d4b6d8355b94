import { Client, credentials } from '@grpc/grpc-js';
import type { LinkIdentity, Replica } from './replica-link.ts';

const KEEPALIVE_MS = 20_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;

/** A client of another replica's xDS port, which verifies it. @returns undefined while there are no roots to verify it by */
export function connectReplica({ target }: Replica, { roots, serverName }: LinkIdentity): Client | undefined {
  const trusted = roots();
  if (trusted === '') return undefined;
  return new Client(target, credentials.createSsl(Buffer.from(trusted)), {
    'grpc.ssl_target_name_override': serverName,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.enable_retries': 0,
  });
}
