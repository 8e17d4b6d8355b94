/** What is wrong, or dubious, with one field of an object, in the words of its API. */
export interface FieldProblem {
  /** Path of the field, as in `spec.http[0].route[1].weight`. */
  readonly field: string;
  /** What the field must be and how to mend it, without a full stop at the end. */
  readonly message: string;
}

/** What reading one spec has brought up. */
export interface SpecJudgement {
  /** What can't be right: such an object is refused, and not put in force. */
  readonly errors: readonly FieldProblem[];
  /** What is legal and dubious: such an object is taken, and a warning goes back to whoever applies it. */
  readonly warnings: readonly FieldProblem[];
}

/** A judgement with the spec itself. */
export interface JudgedSpec<Spec> extends SpecJudgement {
  /** With fields that are null left out; undefined where there are errors. */
  readonly spec: Spec | undefined;
}
