/** How many lines of what policies refuse a sidecar writes: so many at once, and so many a second from then on. What is left out is counted. */
const AT_ONCE = 100;
const A_SECOND = 10;

/** Name of the bucket of tokens of which each line takes one. */
export const REFUSAL_BUDGET = 'heddle-refusals';
/** Where files are that the init container writes for the sidecar. */
export const FILES_MOUNT_PATH = '/etc/heddle/files';
/** The file with that bucket, in the form of an answer of discovery. */
export const REFUSAL_BUDGET_PATH = `${FILES_MOUNT_PATH}/refusal-budget.json`;

/**
 * The content of that file. It is a file as Envoy's filter takes its bucket by discovery alone: by ADS (read in the source of 1.40) a server
 * that starts would wait for it without end, and one that runs would not wait at all.
 */
export function formatRefusalBudget(): string {
  const bucket = {
    '@type': 'type.googleapis.com/envoy.type.v3.TokenBucket',
    max_tokens: AT_ONCE,
    tokens_per_fill: A_SECOND,
    fill_interval: '1s',
  };
  const resource = { '@type': 'type.googleapis.com/envoy.service.discovery.v3.Resource', name: REFUSAL_BUDGET };
  return JSON.stringify({ version_info: '1', resources: [{ ...resource, version: '1', resource: bucket }] });
}
