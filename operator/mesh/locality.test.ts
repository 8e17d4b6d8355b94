import { describe, expect, test } from '@jest/globals';
import { localityOf, matchLocalityLabel, parseLocality } from './locality.ts';
import { readNode } from './node.ts';
import { MeshTables } from './tables.ts';

describe('locality', () => {
  test.each([
    ['eu', { region: 'eu', zone: '', subzone: '' }],
    ['eu/eu-1', { region: 'eu', zone: 'eu-1', subzone: '' }],
    ['eu/eu-1/rack7', { region: 'eu', zone: 'eu-1', subzone: 'rack7' }],
    ['eu/eu-1/rack7/more', { region: 'eu', zone: 'eu-1', subzone: 'rack7' }],
    ['', { region: '', zone: '', subzone: '' }],
  ])('"%s" is region, zone and subzone', (text, locality) => {
    expect(parseLocality(text)).toEqual(locality);
  });

  test.each([
    ['eu.eu-1.rack7', { region: 'eu', zone: 'eu-1', subzone: 'rack7' }],
    ['v1.0/eu-1', { region: 'v1.0', zone: 'eu-1', subzone: '' }],
    ['', undefined],
  ])('the label "%s" is divided by dots unless it has slashes', (label, locality) => {
    expect(matchLocalityLabel({ 'istio-locality': label })).toEqual(locality);
  });

  test("of a pod is its label's over its node's", () => {
    const tables = new MeshTables();
    const labels = { 'topology.kubernetes.io/region': 'eu', 'topology.kubernetes.io/zone': 'eu-1' };
    tables.nodes.replace('node-1', readNode({ metadata: { name: 'node-1', labels } }));
    expect(localityOf(tables, { labels: {}, node: 'node-1' })).toEqual({ region: 'eu', zone: 'eu-1', subzone: '' });
    expect(localityOf(tables, { labels: { 'istio-locality': 'us.us-2' }, node: 'node-1' })).toEqual({
      region: 'us',
      zone: 'us-2',
      subzone: '',
    });
    expect(localityOf(tables, { labels: {}, node: 'lost' })).toEqual({ region: '', zone: '', subzone: '' });
  });
});
