import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Counters, Hit } from '../../operator/ratelimit/counters.ts';
import { MemoryCounters } from '../../operator/ratelimit/memory-counters.ts';
import { COUNT_PATH, SharedCounters } from '../../operator/ratelimit/shared-counters.ts';
import type { Replica } from '../../operator/replicas/replica-link.ts';
import { ReplicaQuestions } from '../../operator/replicas/replica-questions.ts';
import { type AdsHarness, authenticatorOf, nodeIdOf, startHarness, type TestPod } from './support/ads-harness.ts';

/** Replicas of the operator that count together, over their real ports. */

const HIT: Hit = { key: 'a', overflow: 'all', hits: 1, requests: 30, unit: 'Hour' };
/** Of so many, each replica is the owner of some. */
const DOMAINS = Array.from({ length: 8 }, (_, n) => `shop/${n}`);

interface CountingReplica {
  readonly pod: TestPod;
  readonly harness: AdsHarness;
  readonly counters: Counters;
  readonly questions: ReplicaQuestions;
}

let pods: Map<string, TestPod>;
let replicas: CountingReplica[];

async function startReplica(name: string): Promise<CountingReplica> {
  // Who owns a domain is known to all, also to one that has just come.
  const others = (): CountingReplica[] => replicas.filter((one) => one.pod.name !== name);
  let answer = async (_: Buffer): Promise<Uint8Array> => Buffer.alloc(0);
  const call = {
    path: COUNT_PATH,
    authenticator: authenticatorOf(pods),
    answer: (_: unknown, bytes: Buffer) => answer(bytes),
  };
  const harness = await startHarness([], {}, { unaryCalls: [call] });
  const pod = harness.addPod(name, 'heddle-system');
  harness.pods.delete(pod.uid);
  pods.set(pod.uid, pod);
  const questions = new ReplicaQuestions({
    nodeId: nodeIdOf(pod),
    token: async () => pod.token,
    serverName: 'localhost',
    roots: () => harness.rootPem,
  });
  const counters = new SharedCounters(new MemoryCounters(), {
    self: name,
    others: () => others().map((one) => one.pod.name),
    ask: (other, question) => questions.ask(replicaOf(other), COUNT_PATH, question, 10_000),
  });
  answer = (bytes) => counters.answer(bytes);
  return { pod, harness, counters, questions };
}

function replicaOf(name: string): Replica {
  const found = replicas.find((one) => one.pod.name === name);
  if (found === undefined) throw new Error(`there is no replica ${name}`);
  return { uid: found.pod.uid, podName: name, target: `127.0.0.1:${found.harness.port}` };
}

beforeEach(async () => {
  pods = new Map();
  replicas = [];
  for (const name of ['operator-1', 'operator-2', 'operator-3']) replicas.push(await startReplica(name));
});

afterEach(async () => {
  for (const { questions } of replicas) questions.stop();
  await Promise.all(replicas.map(({ harness }) => harness.stop()));
});

async function served(domain: string, each: number): Promise<number> {
  const answers = await Promise.all(
    replicas.flatMap(({ counters }) => Array.from({ length: each }, () => counters.count(domain, [HIT]))),
  );
  return answers.flat().filter(({ over }) => !over).length;
}

test('each limit is counted once, whichever replica is asked', async () => {
  for (const domain of DOMAINS) expect(await served(domain, 20)).toBe(30);
});

test('one that is gone is not waited for', async () => {
  const [gone] = replicas.splice(0, 1);
  gone?.questions.stop();
  await gone?.harness.stop();
  for (const domain of DOMAINS) expect(await served(domain, 20)).toBe(30);
});

test('nobody else is answered', async () => {
  const [first] = replicas;
  const web = first?.harness.addPod('web');
  const questions = new ReplicaQuestions({
    nodeId: '',
    token: async () => web?.token ?? '',
    serverName: 'localhost',
    roots: () => first?.harness.rootPem ?? '',
  });
  await expect(questions.ask(replicaOf('operator-1'), COUNT_PATH, Buffer.alloc(0), 10_000)).rejects.toThrow(
    'UNAUTHENTICATED',
  );
  questions.stop();
});
