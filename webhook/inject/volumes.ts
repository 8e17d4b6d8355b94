import type { V1Volume } from '@kubernetes/client-node';
import { TOKEN_AUDIENCE, TOKEN_FILE, TRUST_CONFIG_MAP } from '../../proxy/names.ts';

export const TOKEN_VOLUME = 'heddle-token';
export const TRUST_VOLUME = 'heddle-trust';
/** Written by the init container. */
export const FILES_VOLUME = 'heddle-files';
export const VOLUME_NAMES: readonly string[] = [TOKEN_VOLUME, TRUST_VOLUME, FILES_VOLUME];

/** Lifetime of the token in seconds; kubelet renews it from 80 % on. */
const TOKEN_SECONDS = 3607;

/** The sidecar's token, the roots it trusts, and its files. */
export function buildVolumes(): V1Volume[] {
  return [
    {
      name: TOKEN_VOLUME,
      projected: {
        defaultMode: 0o644,
        sources: [
          { serviceAccountToken: { audience: TOKEN_AUDIENCE, expirationSeconds: TOKEN_SECONDS, path: TOKEN_FILE } },
        ],
      },
    },
    { name: TRUST_VOLUME, configMap: { name: TRUST_CONFIG_MAP, defaultMode: 0o644 } },
    // On a disk it would keep autoscalers from moving the pod.
    { name: FILES_VOLUME, emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
  ];
}
