import { REQUEST_AUTHENTICATION_KIND } from '../../api/request-authentication.ts';
import { noteMissingTargets } from './attachment.ts';
import { draftAttached } from './attachment-drafts.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { noteGuessed } from './guessed-note.ts';
import { NO_TOKEN_KEYS } from './jwks.ts';
import { objectKey } from './object-ref.ts';
import { noteOthers } from './overlap-note.ts';
import { isJudged } from './policy-view.ts';
import type { RequestAuthenticationFacts } from './request-authentication.ts';
import type { PolicyView, Problem } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

/** Drafts the views of RequestAuthentications. */
export function draftRequestAuthentications(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  draftAttached(dirty, drafts, {
    kind: REQUEST_AUTHENTICATION_KIND,
    tally: context.requestAuthenticationTally,
    overlap: context.requestAuthenticationOverlap,
    dirty: dirty.requestAuthentications,
    guessed: context.requestAuthenticationGuessedTally,
    at: ({ tokens }) => tokens,
    view: (key) => {
      const facts = context.tables.requestAuthentications.get(key);
      return facts && buildView(context, facts);
    },
  });
}

/** @returns undefined when it is in a namespace that is not ours to judge */
function buildView(context: DraftContext, facts: RequestAuthenticationFacts): PolicyView | undefined {
  const { ref: object, generation } = facts;
  if (!isJudged(context, object.namespace)) return undefined;
  const key = objectKey(object);
  const { problems, notes } = judgeKeys(context.tables, facts);
  return {
    object,
    generation,
    reach: { kind: 'workloads', workloads: context.requestAuthenticationTally.consulted(key) },
    selected: context.requestAuthenticationTally.selected(key),
    problems: [...facts.problems, ...problems],
    notes: [
      ...noteMissingTargets(context.tables, facts),
      ...notes,
      ...noteGuessed(
        context.requestAuthenticationGuessedTally.selected(key),
        'an AuthorizationPolicy that asks for a token holds there all the same',
      ),
      ...noteOthers(context.requestAuthenticationOverlap, key),
    ],
  };
}

/** What is to be said of keys that are fetched: without any no token is valid, and old ones stay. */
function judgeKeys({ jwks }: MeshTables, { ref, uris }: RequestAuthenticationFacts) {
  const problems: Problem[] = [];
  const notes: string[] = [];
  for (const uri of uris) {
    const { keys = NO_TOKEN_KEYS, problem } = jwks.get(uri) ?? { problem: 'not tried yet' };
    if (problem === undefined) continue;
    const text = `spec.jwtRules: the keys at ${uri} could not be fetched (${problem})`;
    if (keys.digest === NO_TOKEN_KEYS.digest) {
      const message = `${text}; until they are, no token is valid by them.`;
      problems.push({ object: ref, condition: 'Accepted', reason: 'NoKeys', message });
    } else {
      notes.push(`${text}; the last ones stay in force.`);
    }
  }
  return { problems, notes };
}
