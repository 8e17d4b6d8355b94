import type { TemplateAnswer } from '../../api/canary-round.ts';
import { type MetricTemplate, type MetricTemplateSpec, metricTemplateSpec } from '../../api/metric-template.ts';
import { asksOfRevision, fillQuery, type QueryValues } from '../../api/query-template.ts';
import { METRIC_TEMPLATE, SECRET } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isKubeError, isNotFound } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import { type ExchangeBounds, exchange } from './exchange.ts';
import { type QueryContext, QueryError } from './provider.ts';
import { PROVIDERS } from './providers.ts';

/** A query of a MetricTemplate about a window. */
export interface Question {
  readonly metric: string;
  readonly templateRef: { readonly name: string; readonly namespace: string };
  /** Namespace of the Canary. */
  readonly namespace: string;
  /** Of the new revision. */
  readonly values: QueryValues;
  /** It is to be compared with this revision too. */
  readonly stableRevision: string | undefined;
  readonly intervalMs: number;
}

export interface AskOptions extends Omit<ExchangeBounds, 'signal' | 'insecure'> {
  readonly api: Pick<KubeApi, 'get'>;
  /** Templates here are for everybody. */
  readonly rootNamespace: string;
  /** ms since the epoch. */
  readonly now?: () => number;
}

/**
 * Asks a MetricTemplate for its value, and where it is to be compared for that of the stable revision too. Never throws: an error is an answer, and is none
 * that a revision could pass by.
 */
export async function askTemplate(
  question: Question,
  options: AskOptions,
  signal: AbortSignal,
): Promise<TemplateAnswer> {
  const { metric, templateRef, values, stableRevision } = question;
  const answer: TemplateAnswer = { metric, query: '' };
  try {
    const spec = await readTemplate(question, options);
    answer.query = filled(spec.query, values);
    const context = await contextOf(spec, question, options, signal);
    const ask = PROVIDERS[spec.provider.type];
    answer.value = await ask(answer.query, context);
    if (stableRevision === undefined) return answer;
    if (!asksOfRevision(spec.query)) {
      const remedy = 'comparedToStable needs a query with {{ revision }}';
      throw new QueryError('TemplateInvalid', `the query of ${templateRef.name} asks of no revision; ${remedy}`);
    }
    answer.stableValue = await ask(filled(spec.query, { ...values, revision: stableRevision }), context);
    return answer;
  } catch (error) {
    const { value: _, ...rest } = answer;
    if (error instanceof QueryError) return { ...rest, reason: error.reason, error: error.message };
    return { ...rest, reason: 'NoConnection', error: error instanceof Error ? error.message : String(error) };
  }
}

function filled(query: string, values: QueryValues): string {
  try {
    return fillQuery(query, values);
  } catch (error) {
    throw new QueryError('TemplateInvalid', (error as Error).message);
  }
}

async function readTemplate(question: Question, { api, rootNamespace }: AskOptions): Promise<MetricTemplateSpec> {
  const { templateRef, namespace } = question;
  const title = `MetricTemplate ${templateRef.namespace}/${templateRef.name}`;
  if (templateRef.namespace !== namespace && templateRef.namespace !== rootNamespace) {
    const remedy = `put it into ${namespace}, or into ${rootNamespace} for everybody`;
    throw new QueryError('TemplateNotShared', `${title} is not for Canaries of ${namespace}; ${remedy}`);
  }
  try {
    const { spec } = await api.get<MetricTemplate>(METRIC_TEMPLATE, templateRef);
    const result = metricTemplateSpec.safeParse(spec);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    throw new QueryError('TemplateInvalid', `${title}: spec.${issue?.path.join('.')}: ${issue?.message}`);
  } catch (error) {
    if (isNotFound(error)) throw new QueryError('TemplateMissing', `${title} does not exist`);
    throw error;
  }
}

async function contextOf(
  { provider }: MetricTemplateSpec,
  { templateRef, intervalMs }: Question,
  { api, allowed, trust, now = Date.now }: AskOptions,
  signal: AbortSignal,
): Promise<QueryContext> {
  const bounds: ExchangeBounds = {
    signal,
    allowed,
    insecure: provider.insecureSkipVerify,
    ...(trust ? { trust } : {}),
  };
  return {
    address: (provider.address ?? '').replace(/\/+$/, ''),
    secret: await readSecret(api, templateRef.namespace, provider.secretRef?.name),
    region: provider.region ?? '',
    intervalMs,
    now: now(),
    exchange: (request) => exchange(request, bounds),
  };
}

type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> };

async function readSecret(api: Pick<KubeApi, 'get'>, namespace: string, name: string | undefined) {
  if (name === undefined) return new Map<string, string>();
  try {
    const { data = {} } = await api.get<Secret>(SECRET, { namespace, name });
    const text = (value: string) => Buffer.from(value, 'base64').toString().trim();
    return new Map(Object.entries(data).map(([key, value]) => [key, text(value)]));
  } catch (error) {
    if (isNotFound(error)) throw new QueryError('SecretUnreadable', `Secret ${namespace}/${name} does not exist`);
    if (!isKubeError(error, 403)) throw error;
    const remedy = `grant ServiceAccount heddle-operator get on it, by a Role in ${namespace}`;
    throw new QueryError('SecretUnreadable', `Secret ${namespace}/${name} may not be read; ${remedy}`);
  }
}
