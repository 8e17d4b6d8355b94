import { POD } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { objectPath } from '../../kube/resource-kind.ts';
import { linesOf } from './lines.ts';
import { type LogLine, readLine } from './log-line.ts';

export interface LogSource {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface LogOptions {
  readonly follow: boolean;
  readonly sinceSeconds?: number | undefined;
  readonly tailLines?: number | undefined;
  readonly signal: AbortSignal;
}

/** Kubelet sends the head of an answer with the first line only; that may be a long time off. */
const A_DAY_MS = 24 * 3600 * 1000;

/** Lines of a container, as they come; ends with the container's log, or the signal. @throws {KubeError} */
export async function* readPodLog(
  api: Pick<KubeApi, 'transport'>,
  { namespace, pod, container }: LogSource,
  { follow, sinceSeconds, tailLines, signal }: LogOptions,
): AsyncGenerator<LogLine> {
  const query = { container, follow: follow || undefined, timestamps: true, sinceSeconds, tailLines };
  const path = objectPath(POD, { namespace, name: pod }, 'log');
  try {
    const timeoutMs = follow ? A_DAY_MS : 30_000;
    const body = await api.transport.stream({ method: 'GET', path, query, signal, timeoutMs });
    const text = body.setEncoding('utf8') as AsyncIterable<string>;
    for await (const line of linesOf(text)) yield readLine(pod, line);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
