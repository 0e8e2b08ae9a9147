import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { clientOf } from '../../src/web/client-ip.ts';

const PROXY = '10.0.0.1';
const address = (peer: string | undefined, forwarded: string | undefined, ...trusted: string[]): string =>
  clientOf(peer, forwarded, trusted).address;

const network = (peer: string): string => clientOf(peer, undefined, []).network;

describe("a client's address", () => {
  test('is the peer, whatever it claims, when no proxy is trusted', () => {
    assert.equal(address('198.51.100.7', undefined), '198.51.100.7');
    assert.equal(address('198.51.100.7', '203.0.113.1'), '198.51.100.7');
    assert.equal(address('198.51.100.7', '203.0.113.1', PROXY), '198.51.100.7', 'the peer is not that proxy');
  });

  test('is what a trusted proxy wrote', () => {
    assert.equal(address(PROXY, '203.0.113.1', PROXY), '203.0.113.1');
    assert.equal(address(PROXY, undefined, PROXY), PROXY);
    assert.equal(address(PROXY, '203.0.113.1:5678', PROXY), '203.0.113.1', 'a port is no part of it');
    assert.equal(address(PROXY, '[2001:db8::1]:5678', PROXY), '2001:db8::1');
  });

  test('is read from the right: what the client wrote itself is only a claim', () => {
    assert.equal(address(PROXY, '1.1.1.1, 203.0.113.1', PROXY), '203.0.113.1');
    assert.equal(address(PROXY, '1.1.1.1,2.2.2.2 ,\t203.0.113.1', PROXY), '203.0.113.1');
    assert.equal(address(PROXY, `1.1.1.1, ${PROXY}, 203.0.113.1`, PROXY), '203.0.113.1');
  });

  test('is found behind several trusted proxies, and networks of them', () => {
    assert.equal(address(PROXY, '203.0.113.1, 10.0.0.2, 10.0.0.3', '10.0.0.0/8'), '203.0.113.1');
    assert.equal(address('fd00::1', '203.0.113.1, fd00::2', 'fd00::/8'), '203.0.113.1');
    assert.equal(address(PROXY, '203.0.113.1, 10.0.0.2', PROXY), '10.0.0.2', 'a proxy that nobody listed is a client');
  });

  test('is the last one that could be read when nonsense was written', () => {
    for (const nonsense of ['', 'unknown', '203.0.113.1:', '_hidden', '<script>', '999.1.1.1', '203.0.113.1;']) {
      assert.equal(address(PROXY, nonsense, PROXY), PROXY, nonsense);
      assert.equal(address(PROXY, `1.1.1.1, ${nonsense}, 203.0.113.1`, PROXY), '203.0.113.1', nonsense);
    }
  });

  test('is one and the same in all its spellings', () => {
    assert.equal(address('::ffff:203.0.113.1', undefined), '203.0.113.1');
    assert.equal(address('::ffff:10.0.0.1', '203.0.113.1', PROXY), '203.0.113.1', 'also for the list of proxies');
    assert.equal(address('2001:DB8:0:0:0:0:0:1', undefined), '2001:db8::1');
  });

  test('is unknown where there is none', () => {
    assert.deepEqual(clientOf(undefined, '203.0.113.1', [PROXY]), { address: 'unknown', network: 'unknown' });
  });

  test('counts by itself if it is IPv4, and by its /64 network if it is IPv6', () => {
    assert.equal(network('203.0.113.1'), '203.0.113.1');
    assert.notEqual(network('203.0.113.1'), network('203.0.113.2'));
    assert.equal(network('2001:db8:1:2::1'), network('2001:db8:1:2:ffff:ffff:ffff:ffff'));
    assert.notEqual(network('2001:db8:1:2::1'), network('2001:db8:1:3::1'));
    assert.equal(network('::ffff:203.0.113.1'), network('203.0.113.1'));
  });

  test('is never one that the client chose, whatever it writes in front', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())), (claims) => {
        assert.equal(address(PROXY, [...claims, '203.0.113.1'].join(', '), PROXY), '203.0.113.1');
      }),
    );
  });
});
