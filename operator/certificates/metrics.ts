import { Counter, Gauge, type Registry } from 'prom-client';
import { expiryOf, ROTATION_PHASES } from './root-state.ts';
import type { Certificates } from './start.ts';

/** Registers what an alert on certificates needs: when they expire, which phase a rotation is in, how many are issued. */
export function registerCertificateMetrics(registry: Registry, certificates: Certificates): void {
  const { authority, server, secrets } = certificates;
  new Gauge({
    name: 'heddle_certificate_expiry_timestamp_seconds',
    help: 'When a certificate of the control plane expires, seconds since 1970.',
    labelNames: ['certificate'],
    registers: [registry],
    collect() {
      this.reset();
      const { state, signerExpiresAt } = authority;
      if (state) this.set({ certificate: 'root' }, expiryOf(state) / 1000);
      if (state?.next) this.set({ certificate: 'next-root' }, expiryOf(state.next) / 1000);
      if (signerExpiresAt !== undefined) this.set({ certificate: 'intermediate' }, signerExpiresAt / 1000);
      if (server.expiresAt !== undefined) this.set({ certificate: 'xds' }, server.expiresAt / 1000);
    },
  });
  new Gauge({
    name: 'heddle_root_rotation_phase',
    help: 'Phase of the rotation of the root: 1 for the present one.',
    labelNames: ['phase'],
    registers: [registry],
    collect() {
      for (const phase of ROTATION_PHASES) this.set({ phase }, authority.state?.phase === phase ? 1 : 0);
    },
  });
  new Gauge({
    name: 'heddle_workload_certificates',
    help: 'Workload certificates held for connected proxies.',
    registers: [registry],
    collect() {
      this.set(secrets.counts.held);
    },
  });
  new Counter({
    name: 'heddle_secret_requests_refused_total',
    help: 'Secrets that proxies asked for and may not have, each counted once for each proxy.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(secrets.counts.refused);
    },
  });
  new Counter({
    name: 'heddle_workload_certificates_issued_total',
    help: 'Workload certificates issued since the start.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(secrets.counts.issued);
    },
  });
}
