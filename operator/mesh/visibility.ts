/** Namespaces whose clients see an object (Istio's `exportTo`): `*` for all, else a sorted list, each once; empty for nobody. */
export type Visibility = '*' | readonly string[];

/**
 * Reads `exportTo` of an object, or of a Service's annotation `networking.istio.io/exportTo`.
 * @param exportTo `*` (all), `.` (its own namespace), `~` (nobody), names of namespaces; empty or absent: all
 */
export function readVisibility(exportTo: readonly string[] | undefined, namespace: string): Visibility {
  if (exportTo === undefined || exportTo.length === 0 || exportTo.includes('*')) return '*';
  const names = exportTo.filter((name) => name !== '~').map((name) => (name === '.' ? namespace : name));
  return [...new Set(names)].sort();
}

/** Whether clients of a namespace see an object. */
export function isVisibleTo(visibility: Visibility, namespace: string): boolean {
  return visibility === '*' || visibility.includes(namespace);
}
