import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queueMail } from '../../src/accounts/outbox.ts';
import { RolledBack } from '../../src/db/db.ts';
import { queued, type Queued } from '../queued.ts';
import { eachEngine, openWorld, type World } from '../world.ts';

const tests = async (world: World): Promise<Queued[]> => (await queued(world)).filter(({ kind }) => kind === 'test');

eachEngine('the outbox', (engine) => {
  test('holds a letter for the address on file, sealed, exactly where its fact has committed', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria } = await world.acme();
    const letter = { organizationId: maria.organizationId, accountId: maria.id, kind: 'test' } as const;
    await world.db.transaction(async (tx) => {
      await queueMail(tx, world.installation, letter);
      return new RolledBack(undefined);
    });
    assert.deepEqual(await tests(world), []);
    await world.db.transaction((tx) => queueMail(tx, world.installation, { ...letter, facts: { at: 1 } }));
    assert.deepEqual(await tests(world), [{ kind: 'test', to: maria.email, facts: { at: 1 } }]);
  });

  test('holds nothing where no mail server is set', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    await world.db.transaction((tx) =>
      queueMail(tx, world.installation, {
        organizationId: maria.organizationId,
        accountId: maria.id,
        kind: 'test',
      }),
    );
    assert.deepEqual(await queued(world), []);
  });
});
