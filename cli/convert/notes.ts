/** What a person should know of a conversion: one sentence each, with the object and field it is about. */
export class Notes {
  readonly #lines: string[] = [];
  #subject = '';

  /** Names the object that the next notes are about, such as `Canary test/podinfo`. */
  about(subject: string): void {
    this.#subject = subject;
  }

  /** @param field path in the object that was read */
  add(field: string, sentence: string): void {
    this.#lines.push(`${this.#subject}: ${field}: ${sentence}`);
  }

  /** Whether something was said of just this field of the object that notes are about. */
  mentions(field: string): boolean {
    return this.#lines.some((line) => line.startsWith(`${this.#subject}: ${field}: `));
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}

/** Any object of Kubernetes. */
export interface Manifest {
  apiVersion?: string;
  kind?: string;
  metadata?: {
    name?: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec?: Record<string, unknown>;
}

/** Kubectl's memory of what was applied speaks of the old object. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The metadata that an object made of another one gets. */
export function carryMetadata({ metadata = {} }: Manifest, name = metadata.name): NonNullable<Manifest['metadata']> {
  const { [LAST_APPLIED]: _applied, ...annotations } = metadata.annotations ?? {};
  return {
    ...(name === undefined ? {} : { name }),
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

/** An object without the fields that are undefined. */
export function compact<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
