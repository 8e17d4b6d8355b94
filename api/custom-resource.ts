import type { z } from 'zod';
import type { PrinterColumn } from './printer-columns.ts';

/** A custom resource as the CRD generator and the validating webhook see it. */
export interface CustomResource {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Namespaced unless told. */
  readonly scope?: 'Cluster';
  /** All served, with one schema; the first is stored. */
  readonly versions: readonly string[];
  readonly description: string;
  readonly spec: z.ZodType;
  readonly specRequired: boolean;
  /** Absent: nothing is ever written about it. */
  readonly status?: z.ZodType;
  readonly columns: readonly PrinterColumn[];
  /** `heddle`: comes and goes with Heddle. `istio`: Istio's own, applied only where it is absent, and left behind. */
  readonly owner: 'heddle' | 'istio';
}
