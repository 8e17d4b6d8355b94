/** A span as the collector has it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** 2: of a server, 3: of a client. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** Of whom it is. */
  readonly resource: Readonly<Record<string, string>>;
}

/** A line of a log as the collector has it. */
export interface CollectedLog {
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
}

type Value = Readonly<Record<string, unknown>>;
type Attributes = readonly { readonly key: string; readonly value: Value }[] | undefined;

/** The spans in what a collector wrote, lines of OTLP's JSON; the last may be half written. */
export function spansIn(text: string): CollectedSpan[] {
  return messagesIn(text).flatMap(({ resourceSpans = [] }: Value & { resourceSpans?: ResourceSpans[] }) =>
    resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) =>
        spans.map(({ attributes, parentSpanId = '', ...span }) => ({
          ...span,
          parentSpanId,
          attributes: flatten(attributes),
          resource: flatten(resource?.attributes),
        })),
      ),
    ),
  );
}

/** The logs in the same. */
export function logsIn(text: string): CollectedLog[] {
  return messagesIn(text).flatMap(({ resourceLogs = [] }: Value & { resourceLogs?: ResourceLogs[] }) =>
    resourceLogs.flatMap(({ resource, scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) =>
        logRecords.map(({ body, attributes }) => ({
          body: textOf(body ?? {}),
          attributes: flatten(attributes),
          resource: flatten(resource?.attributes),
        })),
      ),
    ),
  );
}

function messagesIn(text: string): Value[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Value);
}

interface ResourceSpans {
  readonly resource?: { readonly attributes?: Attributes };
  readonly scopeSpans: readonly {
    readonly spans: readonly (Omit<CollectedSpan, 'attributes' | 'resource' | 'parentSpanId'> & {
      readonly parentSpanId?: string;
      readonly attributes?: Attributes;
    })[];
  }[];
}

interface ResourceLogs {
  readonly resource?: { readonly attributes?: Attributes };
  readonly scopeLogs: readonly {
    readonly logRecords: readonly { readonly body?: Value; readonly attributes?: Attributes }[];
  }[];
}

function flatten(attributes: Attributes = []): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, textOf(value)]));
}

const textOf = (value: Value): string => String(Object.values(value)[0] ?? '');
