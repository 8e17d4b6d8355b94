import { CLUSTERS } from './clusters.ts';
import { ENDPOINTS } from './endpoints.ts';
import { LISTENERS } from './listeners.ts';
import { ROUTES } from './routes.ts';
import { SECRETS } from './secrets.ts';
import type { Section } from './section.ts';

/** What `heddle proxy config` shows in tables, by the name it is asked for. */
export const SECTIONS = {
  listeners: LISTENERS,
  routes: ROUTES,
  clusters: CLUSTERS,
  endpoints: ENDPOINTS,
  secrets: SECRETS,
} as const satisfies Readonly<Record<string, Section>>;

export type SectionName = keyof typeof SECTIONS;

/** Names by which people who know `istioctl` ask too. */
const ALIASES: Readonly<Record<string, SectionName | 'bootstrap' | 'all'>> = {
  ...{ listener: 'listeners', lds: 'listeners', l: 'listeners' },
  ...{ route: 'routes', rds: 'routes', r: 'routes' },
  ...{ cluster: 'clusters', cds: 'clusters', c: 'clusters' },
  ...{ endpoint: 'endpoints', eds: 'endpoints', ep: 'endpoints' },
  ...{ secret: 'secrets', sds: 'secrets', s: 'secrets' },
  b: 'bootstrap',
  a: 'all',
};

/** What is asked for by a word; undefined when it is none. */
export function readSectionName(word: string): SectionName | 'bootstrap' | 'all' | undefined {
  if (word === 'bootstrap' || word === 'all' || Object.hasOwn(SECTIONS, word)) return word as SectionName;
  return Object.hasOwn(ALIASES, word) ? ALIASES[word] : undefined;
}
