/** Annotation that makes a Service the address of one side of a Canary: all of its requests go there, whatever the weight. */
export const SIDE_ANNOTATION = 'canary.heddle.dev/side';

/** The new revision while there is one under trial, and the stable one. */
export const SIDES = ['canary', 'stable'] as const;
export type CanarySide = (typeof SIDES)[number];

/** What is read of a Service. */
interface Annotated {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> | undefined } | undefined;
  readonly spec?: { readonly type?: string; readonly selector?: Readonly<Record<string, string>> } | undefined;
}

/** The side that a Service is the address of; undefined: of none, or nobody can tell which. */
export function readSide({ metadata }: Annotated): CanarySide | undefined {
  const value = metadata?.annotations?.[SIDE_ANNOTATION];
  return SIDES.find((side) => side === value);
}

/** Why the annotation of a Service can't be in force, in a sentence that begins with the field; undefined: it may be, or is not there. */
export function sideProblem(service: Annotated): string | undefined {
  const { metadata, spec } = service;
  const value = metadata?.annotations?.[SIDE_ANNOTATION];
  if (value === undefined) return undefined;
  const field = `metadata.annotations[${SIDE_ANNOTATION}]`;
  if (readSide(service) === undefined) {
    return `${field}: "${value.slice(0, 100)}" is no side; write ${SIDES.join(' or ')}, or take it away: it is not in force`;
  }
  const without = spec?.type === 'ExternalName' ? 'is of type ExternalName' : 'has no selector';
  if (spec?.type === 'ExternalName' || Object.keys(spec?.selector ?? {}).length === 0) {
    return `${field}: a Service that ${without} has no pods of a Canary's target; give it their selector, or take the annotation away: it is not in force`;
  }
  return undefined;
}
