import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HashingBusy, hashingGuard } from '../../src/crypto/hashing-guard.ts';

/** Work that ends when the test says so. */
function work(): { begun: boolean; run: () => Promise<string>; end: () => void; fail: () => void } {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const self = {
    begun: false,
    run: () => {
      self.begun = true;
      return promise;
    },
    end: () => resolve('hashed'),
    fail: () => reject(new Error('broken')),
  };
  return self;
}

const settled = (): Promise<void> => new Promise((done) => void setImmediate(done));

describe('the hashing guard', () => {
  test('lets as many hashes run as it has permits, and the next one when one of them ends', async () => {
    const guard = hashingGuard({ atOnce: 2, queue: 10, waitMs: 10_000 });
    const [first, second, third] = [work(), work(), work()];
    const all = [first, second, third].map((one) => guard(one.run));
    await settled();
    assert.deepEqual([first.begun, second.begun, third.begun], [true, true, false]);
    second.end();
    await settled();
    assert.equal(third.begun, true);
    first.end();
    third.end();
    assert.deepEqual(await Promise.all(all), ['hashed', 'hashed', 'hashed']);
  });

  test('serves those who wait in the order in which they came', async () => {
    const guard = hashingGuard({ atOnce: 1, queue: 10, waitMs: 10_000 });
    const order: number[] = [];
    await Promise.all([1, 2, 3, 4].map((n) => guard(async () => void order.push(n))));
    assert.deepEqual(order, [1, 2, 3, 4]);
  });

  test('turns away at once whoever comes when the queue is full', async () => {
    const guard = hashingGuard({ atOnce: 1, queue: 1, waitMs: 10_000 });
    const [running, waiting, refused] = [work(), work(), work()];
    const served = [guard(running.run), guard(waiting.run)];
    await assert.rejects(guard(refused.run), HashingBusy);
    assert.equal(refused.begun, false);
    running.end();
    waiting.end();
    await Promise.all(served);
  });

  test('turns away whoever has waited too long, and leaves their place to the next', async () => {
    const guard = hashingGuard({ atOnce: 1, queue: 1, waitMs: 1 });
    const [running, late, next] = [work(), work(), work()];
    const served = guard(running.run);
    await assert.rejects(guard(late.run), HashingBusy);
    assert.equal(late.begun, false);
    running.end();
    await served;
    next.end();
    assert.equal(await guard(next.run), 'hashed');
    assert.equal(late.begun, false);
  });

  test('holds the permit until the hash has ended, also when nobody waits for it any more', async () => {
    const guard = hashingGuard({ atOnce: 1, queue: 0, waitMs: 1 });
    const abandoned = work();
    const request = guard(abandoned.run);
    await Promise.race([request, settled()]);
    await assert.rejects(
      guard(() => Promise.resolve('hashed')),
      HashingBusy,
    );
    abandoned.end();
    await request;
    assert.equal(await guard(() => Promise.resolve('hashed')), 'hashed');
  });

  test('gets the permit back from a hash that broke', async () => {
    const guard = hashingGuard({ atOnce: 1, queue: 0, waitMs: 1 });
    const broken = work();
    broken.fail();
    await assert.rejects(guard(broken.run), /broken/);
    assert.equal(await guard(() => Promise.resolve('hashed')), 'hashed');
  });
});
