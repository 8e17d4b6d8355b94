import type { MetricProvider } from '../../api/metric-template.ts';
import { cloudwatch } from './cloudwatch.ts';
import { datadog } from './datadog.ts';
import { dynatrace } from './dynatrace.ts';
import { graphite } from './graphite.ts';
import { influxdb } from './influxdb.ts';
import { newrelic } from './newrelic.ts';
import { prometheus } from './prometheus.ts';
import type { Provider } from './provider.ts';
import { stackdriver } from './stackdriver.ts';

/** Who can be asked, by the type that a MetricTemplate names. */
export const PROVIDERS: Readonly<Record<MetricProvider, Provider>> = {
  prometheus,
  datadog,
  cloudwatch,
  newrelic,
  graphite,
  influxdb,
  dynatrace,
  stackdriver,
};
