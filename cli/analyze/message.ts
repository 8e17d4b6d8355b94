import type { ObjectRef } from '../../operator/mesh/object-ref.ts';
import { CODES, type Code, type Level, pageOf } from './codes.ts';

/** What an analyzer has found. */
export interface Finding {
  readonly code: Code;
  /** What it is about; cluster-scoped objects have no namespace. */
  readonly object: ObjectRef;
  /** One sentence or more, of which the first says what is wrong. */
  readonly message: string;
  /** Path of the field that is meant, as in `spec.http[0].route[1].weight`. */
  readonly field?: string;
  /** Where it stands, when no object could be read. */
  readonly at?: Place;
}

/** Where something stands in a file; lines count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** A finding as it is told. */
export interface Message extends Finding {
  readonly level: Level;
  readonly place?: Place;
}

/** `VirtualService shop/routes`, as Istio writes it. */
export function originOf({ kind, namespace, name }: ObjectRef): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** Istio's JSON. */
export function messageJson({ code, level, object, message, place }: Message): object {
  const documentationUrl = pageOf(code);
  return {
    code,
    ...(documentationUrl !== undefined && { documentationUrl }),
    level,
    message,
    origin: originOf(object),
    ...(place && { reference: `${place.file}:${place.line}` }),
  };
}

/** `Error [IST0101] (VirtualService shop/routes a.yaml:3) ...`, as Istio writes it. */
export function messageLine({ code, level, object, message, place }: Message): string {
  const where = place === undefined ? '' : ` ${place.file}:${place.line}`;
  return `${level} [${code}] (${originOf(object)}${where}) ${message}`;
}

/** What else is known of it: `ReferencedResourceNotFound, spec.http[0].route[0], PAGE`, where the last two are there only where there are any. */
export function messageDetails({ code, field }: Message): string {
  return [CODES[code].name, field, pageOf(code)].filter((part) => part !== undefined).join(', ');
}

/** The level that a code has. */
export function levelOf(code: Code): Level {
  return CODES[code].level;
}
