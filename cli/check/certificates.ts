import type { TrustRotation } from '../../api/trust-rotation.ts';
import { TRUST_ROTATION } from '../../kube/kinds.ts';
import { controlPlaneCertificates } from '../cert/collect.ts';
import { isOver } from '../cert/follow.ts';
import { fromNow, lifeLeft, type ShownCertificate } from '../cert/shown-certificate.ts';
import { OperatorClient } from '../forward/operator-client.ts';
import { type Check, type Finding, failed, ok, skipped, warning } from './check.ts';

const CATEGORY = 'Certificates';
/** All are renewed at half of their life, the root with a fifth left: less than that is left only where nobody renews. */
const LATE: Readonly<Record<string, number>> = { ROOT: 0.19, SIGNER: 0.19 };
const LATE_OTHERS = 0.4;

export const expiry: Check = {
  category: CATEGORY,
  title: 'certificates of the control plane',
  async run(context) {
    const operator = new OperatorClient(context);
    try {
      const { certificates, unknown } = await controlPlaneCertificates(context.api, operator);
      const findings = certificates.map((certificate) => judgeExpiry(certificate, Date.now()));
      return [...findings, ...unknown.map((sentence) => skipped(sentence))];
    } finally {
      operator.close();
    }
  },
};

/** @param now ms since 1970 */
export function judgeExpiry(certificate: ShownCertificate, now: number): Finding {
  const { name, notAfter = '', notBefore = '', source } = certificate;
  const left = lifeLeft(certificate, now);
  const what = `${name} (${source})`;
  if (left === undefined) return skipped(`${what}: not known when it expires`);
  const next =
    name === 'CACERTS'
      ? 'renew it where it is made'
      : 'the leader of the operator renews it: kubectl -n heddle-system logs deployment/heddle-operator';
  if (left <= 0) return failed(`${what} expired ${fromNow(notAfter, now)}`, next);
  if (Date.parse(notBefore) > now)
    return failed(`${what} is valid from ${notBefore} on only`, 'compare the clocks of nodes and of this machine');
  if (left < (LATE[name] ?? LATE_OTHERS))
    return warning(`${what} expires ${fromNow(notAfter, now)}, and was not renewed`, next);
  return ok(`${what} expires ${fromNow(notAfter, now)}`);
}

export const rotation: Check = {
  category: CATEGORY,
  title: 'rotations of the root',
  async run({ api }) {
    const { items } = await api.list<TrustRotation>(TRUST_ROTATION);
    const first = items.find((each) => !isOver(each));
    if (!first) return [];
    const { phase = 'Pending', progress = '' } = first.status ?? {};
    return [
      warning(
        `TrustRotation ${first.metadata.name} is under way: ${phase} ${progress}`.trim(),
        'heddle cert status tells what it waits for',
      ),
    ];
  },
};
