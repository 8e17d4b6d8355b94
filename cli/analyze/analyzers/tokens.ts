import { isHttp } from '../../../operator/mesh/protocol.ts';
import type { Analyzer } from '../context.ts';

/** Tokens that are asked for on ports on which nobody looks at requests. */
export const analyzeTokens: Analyzer = function* ({ snapshot }) {
  const told = new Set<string>();
  for (const { tokens, inbound } of snapshot.workloads.values()) {
    for (const { rules, ports } of tokens) {
      for (const { port, protocol, service } of inbound) {
        const isAbout = ports === undefined || ports.includes(port);
        const key = `${rules.ref.namespace}/${rules.ref.name} ${service} ${port}`;
        if (!isAbout || isHttp(protocol) || service === undefined || told.has(key)) continue;
        told.add(key);
        const message = `Authentication policy with JWT targets Service with invalid port specification (service: ${service}, targetPort: ${port}, protocol: ${protocol}): tokens are not looked at there.`;
        yield { code: 'IST0119', object: rules.ref, message };
      }
    }
  }
};
