import type { IncomingMessage, ServerResponse } from 'node:http';
import { readField, writeFields } from './protobuf.ts';

/** Envoy's gRPC service by which it asks whether something may be done (ext_authz). */
export const CHECK = '/envoy.service.auth.v3.Authorization/Check';
/** Paths of questions by HTTP begin so. */
export const CHECK_PREFIX = '/authorize/';

/** Whoever runs as this account may open no connection. */
const STRANGER = 'stranger';
/** PERMISSION_DENIED of gRPC. */
const DENIED = 7;

/** Answers a question by HTTP: 200 with `x-verdict: allow`, else 401. */
export function answerCheck(request: IncomingMessage, response: ServerResponse): void {
  const allows = request.headers['x-verdict'] === 'allow';
  const told = {
    'x-user': 'ann',
    'x-checked': 'http',
    'x-why': 'because',
    'x-told': Object.keys(request.headers).join(),
  };
  response.writeHead(allows ? 200 : 401, told).end(allows ? '' : `asked ${request.method} ${request.url}`);
}

/**
 * Answers a question by gRPC. A request may be made with `x-verdict: allow`, which the application does not get to see; a connection may be opened by
 * whoever's account is not named `stranger`.
 * @param question a CheckRequest
 * @returns a CheckResponse
 */
export function decideCheck(question: Buffer): Buffer {
  const [attributes = Buffer.alloc(0)] = readField(question, 1);
  const request = readField(attributes, 4).flatMap((one) => readField(one, 2))[0];
  if (request === undefined) {
    const principal = readField(attributes, 1).flatMap((peer) => readField(peer, 4))[0];
    return writeFields([1, writeFields([1, principal?.toString().endsWith(`/sa/${STRANGER}`) ? DENIED : 0])]);
  }
  const headers = new Map(
    readField(request, 3).map((entry) => [String(readField(entry, 1)[0]), String(readField(entry, 2)[0])]),
  );
  if (headers.get('x-verdict') !== 'allow') {
    const answer = writeFields([1, writeFields([1, 402])], [2, option('x-why', 'unpaid')], [3, 'pay first']);
    return writeFields([1, writeFields([1, DENIED])], [2, answer]);
  }
  const answer = writeFields([2, option('x-user', 'bob')], [5, 'x-verdict'], [6, option('x-checked', 'grpc')]);
  return writeFields([1, Buffer.alloc(0)], [3, answer]);
}

/** A HeaderValueOption. */
const option = (key: string, value: string): Buffer => writeFields([1, writeFields([1, key], [2, value])]);
