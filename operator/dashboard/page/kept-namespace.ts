import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { href } from './route.ts';

/** The namespace that is looked at; undefined: all. */
export const ChosenNamespace = createContext<string | undefined>(undefined);

/** As `href`, of a view in the namespace that is looked at, unless the query names another, or with undefined all. */
export function useHref(): typeof href {
  const ns = useContext(ChosenNamespace);
  return (path, query = {}) => href(path, { ns, ...query });
}
