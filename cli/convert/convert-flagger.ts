import { parseAllDocuments, stringify } from 'yaml';
import { METRIC_TEMPLATE_KIND } from '../../api/metric-template.ts';
import { CliError } from '../cli-error.ts';
import { convertProvider } from './alert-provider.ts';
import { convertCanary } from './canary.ts';
import { convertTemplate } from './metric-template.ts';
import { type Manifest, Notes } from './notes.ts';

const FLAGGER_GROUP = 'flagger.app/';

const KINDS: Readonly<Record<string, (manifest: Manifest, notes: Notes, templates: string) => Manifest[]>> = {
  Canary: convertCanary,
  MetricTemplate: convertTemplate,
  AlertProvider: convertProvider,
};

/** What a conversion gives. */
export interface Conversion {
  /** YAML, documents in the order they were read. */
  readonly text: string;
  readonly notes: readonly string[];
  /** Objects that were converted. */
  readonly converted: number;
}

/**
 * Turns Flagger's objects (flagger.app/v1beta1 and v1alpha3: Canary, MetricTemplate, AlertProvider) into Heddle's; every other document stays as it is.
 * @param text YAML with any number of documents
 * @throws {CliError} when it is no YAML, naming line and column
 */
export function convertFlagger(text: string): Conversion {
  const notes = new Notes();
  let converted = 0;
  const documents = parseAllDocuments(text).map((document) => {
    const [problem] = document.errors;
    if (problem) throw new CliError(`this is no YAML: ${problem.message}`, undefined, 2);
    return { document, read: document.toJS() as (Manifest & { items?: Manifest[] }) | null };
  });
  const all = documents.flatMap(({ read }) => (read?.kind === 'List' ? (read.items ?? []) : (read ?? [])));
  const templates = JSON.stringify(all.filter(({ kind }) => kind === METRIC_TEMPLATE_KIND));
  const parts = documents.flatMap(({ document, read }) => {
    if (read === null) return [];
    if (read.kind !== 'List') return convertOne(read, () => document.toString({ lineWidth: 0 }).replace(/^---\n/, ''));
    return (read.items ?? []).flatMap((item) => convertOne(item, () => stringify(item, { lineWidth: 0 })));
  });
  return { text: parts.join('---\n'), notes: notes.lines, converted };

  function convertOne(manifest: Manifest, unchanged: () => string): string[] {
    const convert = manifest.apiVersion?.startsWith(FLAGGER_GROUP) ? KINDS[manifest.kind ?? ''] : undefined;
    if (!convert) return [unchanged()];
    converted++;
    notes.about(`${manifest.kind} ${manifest.metadata?.name ?? '(no name)'}`);
    return convert(manifest, notes, templates).map((made) => stringify(made, { lineWidth: 0 }));
  }
}
