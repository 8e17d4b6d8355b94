/**
 * The folders of the packages that run in production, from the text of a package-lock.json (lockfileVersion 3): all but those
 * marked `dev`. Relative to the lock file, sorted.
 * @throws Error when the text is not such a lock file.
 */
export function productionPackages(lock: string): string[] {
  const parsed: unknown = JSON.parse(lock);
  const packages = typeof parsed === 'object' && parsed !== null && 'packages' in parsed ? parsed.packages : undefined;
  if (typeof packages !== 'object' || packages === null)
    throw new Error('package-lock.json has no "packages": write it with npm 7 or newer');
  return Object.entries(packages as Record<string, { readonly dev?: boolean; readonly link?: boolean }>)
    .filter(([folder, entry]) => folder.startsWith('node_modules/') && entry.dev !== true && entry.link !== true)
    .map(([folder]) => folder)
    .sort();
}
