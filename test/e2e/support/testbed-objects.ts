export const TESTBED_IMAGE = 'heddle/testbed:dev';

/** Ports of the testbed's server. */
export const HTTP_PORT = 8080;
export const HTTP2_PORT = 8081;
export const TCP_PORT = 9000;
export const GREETING_PORT = 9001;

export interface TestbedOptions {
  readonly replicas?: number;
  /** Name of the release; every answer carries it. */
  readonly version?: string;
  /** Labels and annotations of the pods. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Merged into the pod's spec. */
  readonly podSpec?: object;
  /** Merged into the container. */
  readonly container?: object;
  /** Merged into the Service's spec. */
  readonly service?: object;
}

const httpGet = (path: string): object => ({ httpGet: { path, port: 'http' }, periodSeconds: 2 });

/** ServiceAccount, Service (ports `http` 80, `grpc` 81, `tcp` 90, `greeting` 91) and Deployment of a server. */
export function server(name: string, options: TestbedOptions = {}): object[] {
  const ports = [
    { name: 'http', port: 80, targetPort: 'http' },
    { name: 'grpc', port: 81, targetPort: 'grpc' },
    { name: 'tcp', port: 90, targetPort: TCP_PORT },
    { name: 'greeting', port: 91, targetPort: GREETING_PORT, appProtocol: 'tcp' },
  ];
  const container = {
    ports: [
      { name: 'http', containerPort: HTTP_PORT },
      { name: 'grpc', containerPort: HTTP2_PORT },
    ],
    readinessProbe: httpGet('/readyz'),
    livenessProbe: { ...httpGet('/healthz'), periodSeconds: 10 },
    ...options.container,
  };
  return [
    serviceAccount(name),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, labels: { app: name } },
      spec: { selector: { app: name }, ports, ...options.service },
    },
    deployment(name, 'server', { ...options, container }),
  ];
}

/** ServiceAccount and Deployment of a pod that waits to be told what to call (see `Client`). */
export function client(name: string, options: TestbedOptions = {}): object[] {
  return [serviceAccount(name), deployment(name, 'sleep', options)];
}

const serviceAccount = (name: string): object => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });

function deployment(name: string, mode: string, options: TestbedOptions): object {
  const { replicas = 1, version = 'v1', labels = {}, annotations = {} } = options;
  const container = {
    name: 'app',
    image: TESTBED_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '/app/main.ts', mode],
    env: [{ name: 'VERSION', value: version }],
    resources: { requests: { cpu: '10m', memory: '48Mi' } },
    ...options.container,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: { app: name } },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name, ...labels }, annotations },
        spec: {
          serviceAccountName: name,
          securityContext: { runAsNonRoot: true, runAsUser: 65_532 },
          containers: [container],
          ...options.podSpec,
        },
      },
    },
  };
}
