import { describe, expect, test } from '@jest/globals';
import { readOutcome } from './outcome.ts';

const CLUSTER = 'outbound|80||shop.test.svc.cluster.local|abc';

function outcomeOf(labels: Record<string, string>) {
  return readOutcome(new Map(Object.entries({ reporter: 'source', upstream_cluster: CLUSTER, ...labels })));
}

describe('an outcome', () => {
  test.each([
    ['a 200 is good', { response_code: '200', response_flags: '-' }, false],
    ['a 404 is the caller’s matter', { response_code: '404', response_flags: '-' }, false],
    ['a 500 is bad', { response_code: '500', response_flags: '-' }, true],
    ['a refused connection is bad', { response_code: '503', response_flags: 'UF' }, true],
    ['a caller that went away before an answer is bad', { response_code: '0', response_flags: 'DC' }, true],
    [
      'a caller that went away in the middle of an answer is not',
      { response_code: '200', response_flags: 'DC' },
      false,
    ],
    ['a stream that was reset in the middle is bad', { response_code: '200', response_flags: 'UC,URX' }, true],
    ['a gRPC error of the server is bad', { response_code: '200', grpc_response_status: '14' }, true],
    ['a gRPC error by name is bad too', { response_code: '200', grpc_response_status: 'Internal' }, true],
    ['a gRPC error of the caller is not', { response_code: '200', grpc_response_status: '5' }, false],
    ['a status that is no number is bad', { response_code: 'x' }, true],
  ])('%s', (_name, labels, failed) => {
    expect(outcomeOf(labels)?.failed).toBe(failed);
  });

  test('takes service and revision from the cluster on the caller’s side', () => {
    expect(outcomeOf({})).toMatchObject({ side: 'caller', service: 'shop.test.svc.cluster.local', revision: 'abc' });
    const base = outcomeOf({ upstream_cluster: 'outbound|80||shop.test.svc.cluster.local' });
    expect(base).toMatchObject({ service: 'shop.test.svc.cluster.local', revision: undefined });
  });

  test.each(['', '-', 'PassthroughCluster', 'inbound|80||', 'outbound|80||'])('is none for cluster "%s"', (name) => {
    expect(outcomeOf({ upstream_cluster: name })).toBeUndefined();
  });

  test('is none on the server’s side for what never reached the application', () => {
    const labels = { reporter: 'destination', destination_service: 'shop', response_code: '503' };
    expect(outcomeOf({ ...labels, response_flags: 'UF' })).toBeUndefined();
    expect(outcomeOf({ ...labels, response_flags: 'UC' })?.failed).toBe(true);
  });

  test('is none for what a client sent that is no HTTP, e.g. a handshake that came so late that it was not taken for one', () => {
    const labels = { response_code: '400', response_flags: 'DPE' };
    expect(outcomeOf({ ...labels, reporter: 'destination', destination_service: 'shop' })).toBeUndefined();
    expect(outcomeOf(labels)).toBeUndefined();
    expect(outcomeOf({ response_code: '502', response_flags: 'UPE' })?.failed).toBe(true);
  });

  test('takes the service from its tag on the server’s side', () => {
    const labels = { reporter: 'destination', destination_service: 'shop', upstream_cluster: 'inbound|80||' };
    expect(outcomeOf(labels)).toMatchObject({ side: 'server', service: 'shop' });
    expect(outcomeOf({ ...labels, destination_service: 'unknown' })).toMatchObject({ service: '' });
  });
});
