export type Labels = Readonly<Record<string, string>>;

/** True when every term of the selector is among the labels. An empty selector selects nothing, as in a Service. */
export function matchSelector(selector: Labels, labels: Labels): boolean {
  const terms = Object.entries(selector);
  return terms.length > 0 && terms.every(([name, value]) => labels[name] === value);
}

/** Index values under which an object with these labels is found, one per label. */
export function labelTerms(namespace: string, labels: Labels): string[] {
  return Object.entries(labels).map(([name, value]) => `${namespace}/${name}=${value}`);
}

/** The one term under which an object with this selector is indexed; nothing when the selector is empty. */
export function selectorTerm(namespace: string, selector: Labels): string[] {
  return labelTerms(namespace, selector).sort().slice(0, 1);
}
