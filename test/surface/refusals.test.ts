import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openWorld, type World } from '../world.ts';
import { stage } from './front-door.ts';

/** The fields of the last refusal in the log, without how long it took. */
function last(world: World): Record<string, unknown> {
  const { fields } = world.log.lines.findLast(({ message }) => message === 'refused') ?? { fields: { ms: undefined } };
  const { ms, ...rest } = fields as Record<string, unknown>;
  assert.equal(typeof ms, 'number');
  return rest;
}

describe('the log line of a refused request', () => {
  test('says whose it was, once that is known', async () => {
    await using world = await openWorld('sqlite');
    const { people, guest } = await stage(world);
    const [sam, maria, stranger] = [await guest(people.sam), await guest(people.maria), await world.visitor()];
    for (const one of [sam, maria]) await one.enrols();
    await sam.signsIn();
    const organization = people.organization.id;
    await sam.browser.get(`/admin/customers/${people.globex.id}/edit`);
    assert.deepEqual(last(world), {
      method: 'GET',
      route: '/admin/customers/:customer/edit',
      status: 403,
      organization,
      account: people.sam.id,
    });
    await sam.browser.get('/admin/customers/new');
    assert.equal(last(world)['route'], '/admin/customers/new', 'the route that answered, though two match');
    await maria.password();
    await maria.code(maria.wrongCode());
    assert.deepEqual(last(world), {
      method: 'POST',
      route: '/portal/:slug/verify',
      status: 422,
      organization,
      account: people.maria.id,
    });
    await stranger.post('/portal/acme/sign-in', { email: people.maria.email, password: 'a guess' });
    assert.deepEqual(
      last(world),
      { method: 'POST', route: '/portal/:slug/sign-in', status: 422 },
      'nobody has proven anything',
    );
  });
});
