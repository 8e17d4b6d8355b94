import { describe, expect, test } from '@jest/globals';
import { EXCLUDE_INBOUND_PORTS, INCLUDE_INBOUND_PORTS } from '../../api/pod-names.ts';
import { isCaptured, readCapture } from './capture.ts';

describe('which ports a sidecar serves', () => {
  test.each<[string, Record<string, string>, Record<number, boolean>]>([
    ['all, where nothing is said', {}, { 80: true, 8080: true }],
    ['all but those excluded', { [EXCLUDE_INBOUND_PORTS]: '80, 81' }, { 80: false, 81: false, 8080: true }],
    ['only those included', { [INCLUDE_INBOUND_PORTS]: '80' }, { 80: true, 8080: false }],
    ['none, where the list is empty', { [INCLUDE_INBOUND_PORTS]: '' }, { 80: false }],
    ['those included, though excluded', { [INCLUDE_INBOUND_PORTS]: '80', [EXCLUDE_INBOUND_PORTS]: '80' }, { 80: true }],
    ['all, where what is said is no list of ports', { [EXCLUDE_INBOUND_PORTS]: 'http' }, { 80: true }],
  ])('%s', (_name, annotations, wanted) => {
    const capture = readCapture(annotations);
    for (const [port, captured] of Object.entries(wanted)) expect(isCaptured(capture, Number(port))).toBe(captured);
  });
});
