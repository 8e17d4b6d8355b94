import type { PodFacts } from '../../operator/mesh/pod.ts';
import { CliError } from '../cli-error.ts';
import type { PodHttp } from '../forward/pod-http.ts';
import { objectsIn } from './objects-in-stream.ts';
import { readTrace, type TracedRequest } from './traced-request.ts';

/**
 * The requests of a pod's sidecar as they come, until the signal.
 * @param body see `buildTapRequest`
 * @param begun told once requests from now on will be seen
 * @throws {CliError} when somebody else watches that sidecar, or it can't be watched
 */
export async function* tapPod(
  admin: PodHttp,
  pod: Pick<PodFacts, 'name' | 'addresses'>,
  body: object,
  signal: AbortSignal,
  begun: () => void = () => undefined,
): AsyncGenerator<TracedRequest> {
  const post = { method: 'POST', path: '/tap', body: JSON.stringify(body), signal } as const;
  try {
    const stream = await admin.stream(post).catch((error: Error) => {
      throw signal.aborted ? error : explain(error, pod.name);
    });
    begun();
    for await (const trace of objectsIn(stream.setEncoding('utf8') as AsyncIterable<string>)) {
      const request = readTrace(trace, pod.name, pod.addresses);
      if (request !== undefined) yield request;
    }
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof SyntaxError)
      throw new CliError(`the sidecar of ${pod.name} sends what is no trace of a request`);
    throw error;
  }
}

/** What Envoy says to a watch that it does not take, in words. */
function explain(error: Error, pod: string): Error {
  if (error.message.includes('already exists')) {
    return new CliError(
      `somebody else watches ${pod}`,
      'one may at a time: wait, or watch another pod of the workload',
    );
  }
  if (error.message.includes('Unknown config id') || error.message.includes('invalid path')) {
    return new CliError(
      `the sidecar of ${pod} has no HTTP port that could be watched, or its configuration is older than this command`,
      'see: heddle proxy config POD listeners; and whether heddle status says synced',
    );
  }
  return error;
}
