import { type CanarySide, SIDE_ANNOTATION } from '../../../api/canary-side.ts';

export const TESTBED_IMAGE = 'heddle/testbed:dev';

/** Ports of the testbed's server. */
export const HTTP_PORT = 8080;
export const HTTP2_PORT = 8081;
/** `/admin` and `/seen` alone; see `CONTROL_OUTSIDE_MESH`. */
export const CONTROL_PORT = 8090;
export const TLS_PORT = 8443;
export const TCP_PORT = 9000;
export const GREETING_PORT = 9001;

/** Annotations for pods whose sidecars a test looks into before they make a call: they hold all that they may call. */
export const EAGER = { 'heddle.dev/configuration-loading': 'eager' };

/**
 * Annotations that keep the control port out of the mesh, so that a test can ask and set servers whatever it does to the mesh.
 * Versioned servers have them anyway; a client needs them only where it may not reach everything (REGISTRY_ONLY).
 */
export const CONTROL_OUTSIDE_MESH = {
  'traffic.sidecar.istio.io/excludeInboundPorts': String(CONTROL_PORT),
  'traffic.sidecar.istio.io/excludeOutboundPorts': String(CONTROL_PORT),
};

export interface TestbedOptions {
  readonly replicas?: number;
  /** Name of the release; every answer carries it. */
  readonly version?: string;
  /** Labels and annotations of the pods. The label `istio-locality: region.zone.subzone` sets their locality. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Environment of the server, beside VERSION (`node main.ts` without arguments lists it). */
  readonly env?: Readonly<Record<string, string>>;
  /** Merged into the pod's spec. */
  readonly podSpec?: object;
  /** Merged into the container. */
  readonly container?: object;
  /** Merged into the Service's spec. */
  readonly service?: object;
}

const httpGet = (path: string): object => ({ httpGet: { path, port: 'http' }, timeoutSeconds: 5 });

/** ServiceAccount, Service (ports `http` 80, `grpc` 81, `tcp` 90, `greeting` 91, `https` 443) and Deployment of a server. */
export function server(name: string, options: TestbedOptions = {}): object[] {
  return [serviceAccount(name), service(name, options), serverDeployment(name, { app: name }, options)];
}

/**
 * A server in several versions behind one Service, as Istio's samples have it: ServiceAccount and Service of `server`, and for
 * each version a Deployment `NAME-VERSION`, whose pods have the labels `app: NAME` and `version: VERSION`.
 * @param versions names, or options by name, which go before the shared ones (labels and annotations beside them)
 */
export function versionedServer(
  name: string,
  versions: readonly string[] | Readonly<Record<string, TestbedOptions>>,
  options: TestbedOptions = {},
): object[] {
  const entries: [string, TestbedOptions][] = Array.isArray(versions)
    ? versions.map((version) => [version, {}])
    : Object.entries(versions);
  const deployments = entries.map(([version, own]) => {
    const selector = { app: name, version };
    return serverDeployment(`${name}-${version}`, selector, {
      version,
      ...options,
      ...own,
      labels: { ...options.labels, ...own.labels },
      annotations: { ...CONTROL_OUTSIDE_MESH, ...options.annotations, ...own.annotations },
      env: { ...options.env, ...own.env },
      podSpec: { serviceAccountName: name, ...options.podSpec, ...own.podSpec },
    });
  });
  return [serviceAccount(name), service(name, options), ...deployments];
}

function service(name: string, options: TestbedOptions): object {
  const ports = [
    { name: 'http', port: 80, targetPort: 'http' },
    { name: 'grpc', port: 81, targetPort: 'grpc' },
    { name: 'tcp', port: 90, targetPort: TCP_PORT },
    { name: 'greeting', port: 91, targetPort: GREETING_PORT, appProtocol: 'tcp' },
    { name: 'https', port: 443, targetPort: TLS_PORT },
  ];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: { app: name } },
    spec: { selector: { app: name }, ports, ...options.service },
  };
}

/** The Service `NAME-SIDE` of a server, which is the address of that side of its Canary. */
export function sideAddress(name: string, side: CanarySide): object {
  const metadata = { name: `${name}-${side}`, annotations: { [SIDE_ANNOTATION]: side } };
  return { ...service(name, {}), metadata };
}

/** One more Service, with the ports `http` 80, `grpc` 81 and `tcp` 90, for the pods of a server: a host that has rules of its own. */
export function anotherService(name: string, server: string): object {
  const ports = [
    { name: 'http', port: 80, targetPort: 'http' },
    { name: 'grpc', port: 81, targetPort: 'grpc' },
    { name: 'tcp', port: 90, targetPort: TCP_PORT },
  ];
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: { app: server }, ports } };
}

function serverDeployment(name: string, selector: Readonly<Record<string, string>>, options: TestbedOptions): object {
  const container = {
    ports: [
      { name: 'http', containerPort: HTTP_PORT },
      { name: 'grpc', containerPort: HTTP2_PORT },
    ],
    readinessProbe: { ...httpGet('/readyz'), periodSeconds: 1 },
    livenessProbe: { ...httpGet('/healthz'), periodSeconds: 10 },
    ...options.container,
  };
  return deployment(name, 'server', selector, { ...options, container });
}

/** ServiceAccount and Deployment of a pod that waits to be told what to call (see `Client`). */
export function client(name: string, options: TestbedOptions = {}): object[] {
  return [serviceAccount(name), deployment(name, 'sleep', { app: name }, options)];
}

const serviceAccount = (name: string): object => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });

function deployment(
  name: string,
  mode: string,
  selector: Readonly<Record<string, string>>,
  options: TestbedOptions,
): object {
  const { replicas = 1, version = 'v1', labels = {}, annotations = {}, env = {} } = options;
  const container = {
    name: 'app',
    image: TESTBED_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '/app/main.ts', mode],
    env: Object.entries({ VERSION: version, ...env }).map(([variable, value]) => ({ name: variable, value })),
    resources: { requests: { cpu: '10m', memory: '48Mi' } },
    ...options.container,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: selector },
    spec: {
      replicas,
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: { ...selector, ...labels }, annotations },
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

/** A pod of no Deployment that does nothing. */
export function pod(name: string, metadata: object = {}, spec: object = {}, container: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: {
      securityContext: { runAsNonRoot: true, runAsUser: 65_532 },
      containers: [
        {
          name: 'app',
          image: TESTBED_IMAGE,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '/app/main.ts', 'sleep'],
          ...container,
        },
      ],
      ...spec,
    },
  };
}
