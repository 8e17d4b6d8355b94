import { expect, test } from '@jest/globals';
import { formatSubject, readSubject, workloadFacts } from './peer-subject.ts';

const LABELS = {
  'service.istio.io/canonical-name': 'ordering',
  'service.istio.io/canonical-revision': 'v2',
  app: 'ordering',
};

test('what a subject says of a workload is read again', () => {
  const facts = workloadFacts('ordering-web', LABELS);
  expect(formatSubject(facts)).toBe('ordering-web/ordering/v2/ordering/');
  expect(readSubject(`description=${formatSubject(facts)}`)).toEqual(facts);
});

test.each([
  [{ app: 'a', 'app.kubernetes.io/name': 'b', 'service.istio.io/canonical-name': 'c' }, 'a'],
  [{ 'app.kubernetes.io/name': 'b', 'service.istio.io/canonical-name': 'c' }, 'b'],
  [{ app: '', 'service.istio.io/canonical-name': 'c' }, 'c'],
  [{}, ''],
])('of labels %j the app is %j', (labels, app) => {
  expect(workloadFacts('w', labels).app).toBe(app);
});

test('nothing that a name holds can be taken for another part, or is written in two ways', () => {
  const subject = formatSubject(workloadFacts('a/b,c="d"\n', { app: 'ä', version: ' #' }));
  expect(subject).toBe('a_b_c__d__///_/__');
});

test('the longest names fit the subject', () => {
  const long = 'x'.repeat(400);
  const labels = { 'service.istio.io/canonical-name': long, app: long, version: 'v' };
  expect(formatSubject(workloadFacts(long, labels)).length).toBeLessThanOrEqual(1024);
});

test.each([
  '',
  'CN=ui',
  'description=ui',
  'description=a/b/c/d/e/f',
  'description=a/b/c/d/"e',
  'O=x,description=a/b/c/d/e',
])('of %p nothing is read', (subject) => {
  expect(readSubject(subject)).toBeUndefined();
});
