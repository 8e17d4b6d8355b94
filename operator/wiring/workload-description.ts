import { formatSubject, workloadFacts } from '../../proxy/peer-subject.ts';
import type { Workload } from '../mesh/snapshot.ts';

/** What the certificate of a workload's proxy says of it; nothing of a pod that is gone. */
export function describeWorkload(workload: Pick<Workload, 'owner' | 'labels'> | undefined): string | undefined {
  return workload && formatSubject(workloadFacts(workload.owner, workload.labels));
}
