import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { findCustomer, renameCustomer } from '../../src/accounts/customers.ts';
import { eachEngine, openWorld } from '../world.ts';

eachEngine('a customer', (engine) => {
  test('is renamed once, and the log shows the new name', async () => {
    await using world = await openWorld(engine);
    const { organization, globex } = await world.acme();
    await renameCustomer(world.installation, OPERATOR, globex, 'Globex Corporation');
    await renameCustomer(world.installation, OPERATOR, globex, 'Globex Corporation');
    assert.equal((await findCustomer(world.db, organization.id, globex.id))?.name, 'Globex Corporation');
    const actions = (await world.audit(globex)).map(({ action }) => action);
    assert.deepEqual(actions, ['customer.created', 'customer.changed']);
  });
});
