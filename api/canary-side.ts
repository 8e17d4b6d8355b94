/** Annotation that makes a Service the address of one side of a Canary: all of its requests go there, whatever the weight. */
export const SIDE_ANNOTATION = 'canary.heddle.dev/side';

/** The new revision while there is one under trial, and the stable one. */
export const SIDES = ['canary', 'stable'] as const;
export type CanarySide = (typeof SIDES)[number];

type Annotated = { readonly annotations?: Readonly<Record<string, string>> | undefined } | undefined;

/** The side that a Service is the address of; undefined: of none, or nobody can tell which. @param metadata of the Service */
export function readSide(metadata: Annotated): CanarySide | undefined {
  const value = metadata?.annotations?.[SIDE_ANNOTATION];
  return SIDES.find((side) => side === value);
}

/** What is wrong with the annotation, in a sentence that begins with the field; undefined: nothing, or it is not there. */
export function sideProblem(metadata: Annotated): string | undefined {
  const value = metadata?.annotations?.[SIDE_ANNOTATION];
  if (value === undefined || readSide(metadata) !== undefined) return undefined;
  const given = value.slice(0, 100);
  return `metadata.annotations[${SIDE_ANNOTATION}]: "${given}" is no side; write ${SIDES.join(' or ')}, or take it away: it is not in force`;
}
