import { paint, type Style, visibleWidth } from '../terminal/colour.ts';
import { printable } from '../terminal/printable.ts';
import type { TracedRequest } from './traced-request.ts';

/** A request, and who sent it, as far as that is known. */
export interface ShownRequest extends TracedRequest {
  /** `namespace/workload`, or the address. */
  readonly from: string;
}

export interface LineOptions {
  /** Several pods are watched: say which. */
  readonly withPod: boolean;
  /** Headers, below the line. */
  readonly withHeaders: boolean;
}

/** A request in one line, whose columns keep their places: nobody knows how wide the next will be. */
export function formatRequest(request: ShownRequest, { withPod, withHeaders }: LineOptions): string {
  const { time, pod, direction, method, authority, path, status, grpcStatus, milliseconds, from } = request;
  const grpc = grpcStatus === undefined ? '' : ` grpc ${grpcStatus}`;
  const answer = paint(styleOf(status, grpcStatus), status === '' ? 'no answer' : printable(`${status}${grpc}`));
  const columns = [
    paint('dim', time.slice(11, 23)),
    ...(withPod ? [fill(pod, 28)] : []),
    direction === 'inbound' ? 'in ' : 'out',
    fill(direction === 'inbound' ? from : '', 24),
    fill(answer, 3),
    fill(milliseconds === undefined ? '-' : formatMilliseconds(milliseconds), 7),
    fill(printable(method), 4),
    printable(`${authority}${path}`),
  ];
  const line = columns.join('  ').trimEnd();
  return withHeaders ? [line, ...headerLines(request)].join('\n') : line;
}

export function formatMilliseconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)}ms`;
  return value < 10_000 ? `${Math.round(value)}ms` : `${(value / 1000).toFixed(1)}s`;
}

function headerLines({ requestHeaders, responseHeaders }: TracedRequest): string[] {
  const lines = (sign: string, headers: TracedRequest['requestHeaders']) =>
    headers.map(({ name, value }) => `    ${paint('dim', `${sign} ${printable(name)}:`)} ${printable(value)}`);
  return [...lines('>', requestHeaders), ...lines('<', responseHeaders)];
}

function styleOf(status: string, grpcStatus: string | undefined): Style {
  if (status === '' || status.startsWith('5')) return 'red';
  if (status.startsWith('4') || (grpcStatus !== undefined && grpcStatus !== '0')) return 'yellow';
  return 'green';
}

function fill(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - visibleWidth(text)));
}
