import { hasMoreValues, mayHaveMoreMembers } from '../../api/json-values.ts';

type Labels = Readonly<Record<string, string>>;
type Point = readonly [at: number, value: number];

/** A time series as an instant query gives it. */
export interface PromSample {
  readonly metric: Labels;
  readonly value: number;
}

/** A time series as a range query gives it: seconds since the epoch and values. */
export interface PromRange {
  readonly metric: Labels;
  readonly values: readonly Point[];
}

/** Prometheus did not answer what was asked; the message is a sentence for people. */
export class PrometheusError extends Error {}

/** Reading an answer takes the event loop for as long as it is long. */
export const MAX_ANSWER_BYTES = 8 << 20;
/** And for as much as is in it; so many bytes of series, with their points or with all their labels, have less. */
const [MAX_VALUES, MAX_MEMBERS] = [1_500_000, 200_000];
/** Labels of a series: it is asked for some twenty. */
const MAX_LABELS = 100;
const MAX_WORDS = 200;
const SHAPE = 'answers in a form that is not its own';

/** Reads the answer to an instant query. @param status of HTTP @throws {PrometheusError} */
export function readVector(status: number, text: string): PromSample[] {
  return resultOf(status, text, 'vector').map(({ metric, value }) => ({
    metric: labelsOf(metric),
    value: pointOf(value)[1],
  }));
}

/** Reads the answer to a range query. @param status of HTTP @throws {PrometheusError} */
export function readMatrix(status: number, text: string): PromRange[] {
  return resultOf(status, text, 'matrix').map(({ metric, values }) => ({
    metric: labelsOf(metric),
    values: listOf(values).map(pointOf),
  }));
}

type Fields = Readonly<Record<string, unknown>>;

/** The series of an answer. No schema: with half a million points that takes four times as long, and longer where they are none. */
function resultOf(status: number, text: string, resultType: string): Fields[] {
  const data = fieldsOf(fieldsOf(answerOf(status, text)).data);
  if (data.resultType !== resultType) throw new PrometheusError(SHAPE);
  return listOf(data.result).map(fieldsOf);
}

function answerOf(status: number, text: string): unknown {
  if (mayHaveMoreMembers(text, MAX_MEMBERS)) {
    throw new PrometheusError(`gives an answer that has more than ${MAX_MEMBERS} labels and fields`);
  }
  if (hasMoreValues(Buffer.from(text), MAX_VALUES)) {
    throw new PrometheusError(`gives an answer that has more than ${MAX_VALUES} values`);
  }
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new PrometheusError(status === 200 ? SHAPE : `answers ${status}`);
  }
  if (status === 200) return answer;
  const said = isFields(answer) ? answer.error : undefined;
  throw new PrometheusError(typeof said === 'string' ? `says: ${said.slice(0, MAX_WORDS)}` : `answers ${status}`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown): Fields {
  if (isFields(value)) return value;
  throw new PrometheusError(SHAPE);
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new PrometheusError(SHAPE);
}

function labelsOf(value: unknown): Labels {
  const labels = fieldsOf(value);
  const names = Object.keys(labels);
  if (names.length > MAX_LABELS || names.some((name) => typeof labels[name] !== 'string'))
    throw new PrometheusError(SHAPE);
  return labels as Labels;
}

/** A time and a number, which is a text there; `+Inf` becomes none. */
function pointOf(value: unknown): Point {
  const pair = listOf(value);
  const [at, text] = [pair[0], pair[1]];
  if (typeof at !== 'number' || typeof text !== 'string' || pair.length > 2) throw new PrometheusError(SHAPE);
  return [at, Number(text)];
}
