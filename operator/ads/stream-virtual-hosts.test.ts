import { describe, expect, test } from '@jest/globals';
import { ROUTE_TYPE, VIRTUAL_HOST_TYPE } from '../xds/resource.ts';
import { STREAM_SETTINGS } from './stream-settings.ts';
import { openStream } from './testing/open-stream.ts';

describe('virtual hosts', () => {
  /** A proxy that has route configuration 80 with one virtual host. */
  function begin() {
    const stream = openStream();
    stream.put(ROUTE_TYPE, '80', '1');
    stream.put(VIRTUAL_HOST_TYPE, '80/a', '1');
    stream.put(VIRTUAL_HOST_TYPE, '8080/b', '1');
    stream.ask(ROUTE_TYPE, '80');
    stream.ask(VIRTUAL_HOST_TYPE);
    stream.acknowledge(ROUTE_TYPE);
    stream.acknowledge(VIRTUAL_HOST_TYPE);
    return stream;
  }

  test('are sent of the route configurations that a proxy has, though it does not say which', () => {
    const { sent, close } = begin();
    expect(sent).toEqual(['RouteConfiguration 80@1', 'VirtualHost 80/a@1']);
    close();
  });

  test('follow a route configuration at once when it is sent later, and no sooner', () => {
    const { sent, put, ask, close } = begin();
    put(VIRTUAL_HOST_TYPE, '8080/c', '1');
    expect(sent).toHaveLength(2);
    put(ROUTE_TYPE, '8080', '1');
    ask(ROUTE_TYPE, '8080');
    expect(sent.slice(2)).toEqual(['RouteConfiguration 8080@1', 'VirtualHost 8080/b@1,8080/c@1']);
    close();
  });

  test('come, change and go one by one', () => {
    const { sent, put, remove, acknowledge, close } = begin();
    for (const change of [
      () => put(VIRTUAL_HOST_TYPE, '80/new', '1'),
      () => put(VIRTUAL_HOST_TYPE, '80/a', '2'),
      () => remove(VIRTUAL_HOST_TYPE, '80/new'),
    ]) {
      change();
      acknowledge(VIRTUAL_HOST_TYPE);
    }
    expect(sent.slice(2)).toEqual(['VirtualHost 80/new@1', 'VirtualHost 80/a@2', 'VirtualHost -80/new']);
    close();
  });

  test('of a route configuration that a proxy gives up are removed, and sent again when it asks for that again', () => {
    const { sent, ask, leave, acknowledge, close } = begin();
    leave(ROUTE_TYPE, '', '80');
    expect(sent.at(-1)).toBe('VirtualHost -80/a');
    acknowledge(VIRTUAL_HOST_TYPE);
    ask(ROUTE_TYPE, '80');
    expect(sent.slice(-2)).toEqual(['RouteConfiguration 80@1', 'VirtualHost 80/a@1']);
    close();
  });

  test('are removed as well when the proxy gives up the routes in the same request in which it acknowledges others', () => {
    const { sent, put, leave, nonceOf, acknowledge, close } = begin();
    put(ROUTE_TYPE, '80', '2');
    acknowledge(VIRTUAL_HOST_TYPE);
    leave(ROUTE_TYPE, nonceOf(ROUTE_TYPE), '80');
    expect(sent.at(-1)).toBe('VirtualHost -80/a');
    close();
  });

  test.each<[string, readonly string[]]>([
    ['the routes first', [ROUTE_TYPE, VIRTUAL_HOST_TYPE]],
    ['the virtual hosts first', [VIRTUAL_HOST_TYPE, ROUTE_TYPE]],
  ])(
    'that a proxy holds are not sent again when it comes back, %s; those that went meanwhile are removed',
    (_, order) => {
      const { sent, put, resume, close } = openStream();
      put(ROUTE_TYPE, '80', '1');
      put(VIRTUAL_HOST_TYPE, '80/a', '1');
      put(VIRTUAL_HOST_TYPE, '80/b', '2');
      const requests: Record<string, () => void> = {
        [ROUTE_TYPE]: () => resume(ROUTE_TYPE, { '80': '1' }, '80'),
        [VIRTUAL_HOST_TYPE]: () => resume(VIRTUAL_HOST_TYPE, { '80/a': '1', '80/b': '1', '80/gone': '1' }),
      };
      for (const typeUrl of order) requests[typeUrl]?.();
      expect(sent).toEqual(['VirtualHost 80/b@2,-80/gone']);
      close();
    },
  );

  test('that a proxy only says it holds, of a route configuration that it does not have, are sent, or removed', () => {
    const { sent, put, ask, resume, acknowledge, close } = openStream();
    for (const port of [80, 8080]) {
      put(ROUTE_TYPE, `${port}`, '1');
      put(VIRTUAL_HOST_TYPE, `${port}/a`, '1');
    }
    resume(ROUTE_TYPE, { '80': '1' }, '80', '8080');
    resume(VIRTUAL_HOST_TYPE, { '80/a': '1', '8080/a': '1', '9090/a': '1' });
    expect(sent).toEqual(['RouteConfiguration 8080@1', 'VirtualHost 8080/a@1,-9090/a']);
    acknowledge(ROUTE_TYPE);
    acknowledge(VIRTUAL_HOST_TYPE);
    put(VIRTUAL_HOST_TYPE, '9090/a', '1');
    put(ROUTE_TYPE, '9090', '1');
    ask(ROUTE_TYPE, '9090');
    expect(sent.slice(2)).toEqual(['RouteConfiguration 9090@1', 'VirtualHost 9090/a@1']);
    close();
  });

  test('travel together, however large: one may have a domain from another, and Envoy serves with the first response', () => {
    const { sent, put, remove, ask, acknowledge, changed, close } = openStream({
      ...STREAM_SETTINGS,
      responseBytes: 1,
    });
    put(ROUTE_TYPE, '80', '1');
    ask(ROUTE_TYPE, '80');
    ask(VIRTUAL_HOST_TYPE);
    for (const name of ['80/a', '80/b', '80/c']) {
      put(VIRTUAL_HOST_TYPE, name, '1');
      acknowledge(VIRTUAL_HOST_TYPE);
    }
    put(VIRTUAL_HOST_TYPE, '80/in-flight', '1');
    for (const name of ['80/new', '80/newer', '80/a', '80/b']) put(VIRTUAL_HOST_TYPE, name, '2');
    remove(VIRTUAL_HOST_TYPE, '80/c');
    changed(VIRTUAL_HOST_TYPE, '80/a');
    const before = sent.length;
    for (let rounds = 0; rounds < 3; rounds++) acknowledge(VIRTUAL_HOST_TYPE);
    expect(sent.slice(before)).toEqual(['VirtualHost 80/new@2,80/newer@2,80/a@2,80/b@2,-80/c']);
    close();
  });

  test('that go are removed all the same when one that changed with them is refused', () => {
    const { sent, put, remove, acknowledge, refuse, close } = begin();
    put(VIRTUAL_HOST_TYPE, '80/b', '1');
    put(VIRTUAL_HOST_TYPE, '80/c', '1');
    acknowledge(VIRTUAL_HOST_TYPE);
    acknowledge(VIRTUAL_HOST_TYPE);
    const before = sent.length;
    put(VIRTUAL_HOST_TYPE, '80/a', 'good');
    put(VIRTUAL_HOST_TYPE, '80/b', 'bad');
    remove(VIRTUAL_HOST_TYPE, '80/c');
    acknowledge(VIRTUAL_HOST_TYPE);
    // Envoy takes a response whole or not at all.
    for (let rounds = 0; rounds < 6; rounds++) {
      if (sent.at(-1)?.includes('bad')) refuse(VIRTUAL_HOST_TYPE, 'no');
      else acknowledge(VIRTUAL_HOST_TYPE);
    }
    expect(sent.slice(before)).toEqual([
      'VirtualHost 80/a@good',
      'VirtualHost 80/b@bad,-80/c',
      'VirtualHost -80/c',
      'VirtualHost 80/b@bad',
    ]);
    close();
  });
});
