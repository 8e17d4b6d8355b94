import { run as apiFaults } from './api-faults.ts';
import { run as canaries } from './canaries.ts';
import { run as certificates } from './certificates.ts';
import { run as churn } from './churn.ts';
import { run as coldStorm } from './cold-storm.ts';
import { run as collection } from './collection.ts';
import { run as fanOut } from './fan-out.ts';
import { run as faults } from './faults.ts';
import { run as firstUse } from './first-use.ts';
import { run as history } from './history.ts';
import { run as injection } from './injection.ts';
import { run as intake } from './intake.ts';
import { run as limits } from './limits.ts';
import { run as onDemand } from './on-demand.ts';
import { run as page } from './page.ts';
import { run as policyCost } from './policy-cost.ts';
import { run as policyEnforcement } from './policy-enforcement.ts';
import { run as proxyMemory } from './proxy-memory.ts';
import { run as reconnectStorm } from './reconnect-storm.ts';
import { run as replicas } from './replicas.ts';
import type { BenchResult } from './result.ts';
import { run as soak } from './soak.ts';
import { run as telemetryCost } from './telemetry-cost.ts';
import { run as traffic } from './traffic.ts';
import { run as unknownHosts } from './unknown-hosts.ts';
import { run as verdicts } from './verdicts.ts';

/** A bench: its name on the command line and what runs it. */
export interface Bench {
  readonly name: string;
  /** It takes so long that it runs only when it is asked for by name. */
  readonly byName?: true;
  run(): Promise<BenchResult[]>;
}

/** All benches, in the order in which they run. */
export const BENCHES: readonly Bench[] = [
  { name: 'injection', run: injection },
  { name: 'certificates', run: certificates },
  { name: 'fan-out', run: fanOut },
  { name: 'cold-storm', run: coldStorm },
  { name: 'traffic', run: traffic },
  { name: 'on-demand', run: onDemand },
  { name: 'first-use', run: firstUse },
  { name: 'reconnect-storm', run: reconnectStorm },
  { name: 'replicas', run: replicas },
  { name: 'churn', run: churn },
  { name: 'unknown-hosts', byName: true, run: unknownHosts },
  { name: 'limits', byName: true, run: limits },
  { name: 'faults', byName: true, run: faults },
  { name: 'api-faults', byName: true, run: () => apiFaults() },
  { name: 'canaries', byName: true, run: () => canaries() },
  { name: 'soak', byName: true, run: soak },
  { name: 'verdicts', byName: true, run: verdicts },
  { name: 'policy-enforcement', run: policyEnforcement },
  { name: 'policy-cost', run: policyCost },
  { name: 'telemetry-cost', run: telemetryCost },
  { name: 'collection', run: collection },
  { name: 'history', run: history },
  { name: 'page', run: page },
  { name: 'intake', run: intake },
  { name: 'proxy-memory', run: proxyMemory },
];
