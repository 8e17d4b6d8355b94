import { Command } from 'commander';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';
import { paint } from '../terminal/colour.ts';
import { formatTable } from '../terminal/table.ts';
import { fromNow, lifeLeft, type ShownCertificate } from './shown-certificate.ts';

interface ListFlags extends ClusterFlags {
  readonly output: Format;
  readonly proxies: boolean;
}

/** `heddle cert list`. */
export function listCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .description(
      'Lists certificates with their ends: roots, what signs, the webhook, the operator, each sidecar. Never a key.',
    )
    .option('--no-proxies', 'those of the control plane alone');
  return withOutputOption(withClusterOptions(command, true))
    .addHelpText(
      'after',
      `
Sidecars of all namespaces are shown unless one is named. Intermediates and sidecars' certificates are in nobody's
Secrets: the operator tells of them, and what can't be known is said.

  heddle cert list
  heddle cert list -n shop -o wide
  heddle cert list -o json | jq -r '.items[] | select(.name == "ROOT") | .notAfter'`,
    )
    .action(async (flags: ListFlags) => {
      const [{ controlPlaneCertificates, proxyCertificates }, { OperatorClient }] = await Promise.all([
        import('./collect.ts'),
        import('../forward/operator-client.ts'),
      ]);
      const cluster = await connect(flags);
      const operator = new OperatorClient(cluster);
      try {
        const own = await controlPlaneCertificates(cluster.api, operator);
        const none = { certificates: [], unknown: [] };
        const proxies = flags.proxies ? await proxyCertificates(operator, flags.namespace) : none;
        const certificates = [...own.certificates, ...proxies.certificates];
        if (flags.output === 'json' || flags.output === 'yaml') {
          console.log(formatObjects({ items: certificates }, flags.output));
        } else console.log(formatCertificates(certificates, flags.output === 'wide', Date.now()));
        for (const sentence of [...own.unknown, ...proxies.unknown]) {
          process.stderr.write(`${paint('yellow', '!', process.stderr)} ${sentence}\n`);
        }
      } finally {
        operator.close();
        cluster.api.close();
      }
    });
}

/** A table of certificates. @param now ms since 1970 */
export function formatCertificates(certificates: readonly ShownCertificate[], wide: boolean, now: number): string {
  const header = ['name', 'subject', 'expires', '', 'source', ...(wide ? ['valid from', 'serial'] : [])];
  const rows = certificates.map((certificate) => {
    const { name, subject, notBefore = '-', notAfter, serial = '-', source } = certificate;
    const end =
      notAfter === undefined ? ['-', 'not known'] : [notAfter, paintEnd(certificate, fromNow(notAfter, now), now)];
    return [name, subject, ...end, source, ...(wide ? [notBefore, serial] : [])];
  });
  return formatTable(header, rows);
}

function paintEnd(certificate: ShownCertificate, text: string, now: number): string {
  const left = lifeLeft(certificate, now);
  if (left !== undefined && left <= 0) return paint('red', text);
  return left !== undefined && left < 0.2 ? paint('yellow', text) : text;
}
