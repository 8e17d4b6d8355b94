/** Annotation of a Canary's target with the values that the fields had before which the operator has borrowed, as JSON. */
export const BORROWED_ANNOTATION = 'canary.heddle.dev/borrowed';
