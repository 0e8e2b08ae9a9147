import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createContact } from '../../src/accounts/contacts.ts';
import type * as counters from '../../src/auth/counters.ts';
import * as limits from '../../src/auth/limits.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { choosePassword, makeWelcomeLink } from '../../src/auth/welcome.ts';
import { sql } from '../../src/db/db.ts';
import { answers, challenged, from, home, signsIn, type Person } from '../acme.ts';
import { eachEngine, HOUR_MS, openWorld, type World } from '../world.ts';

/** Runs once into a limit: undefined where it was looked at, else until when it is held up. */
type Fail = (world: World) => Promise<number | undefined>;

/** A limit with a window, and how somebody uses it up while nothing else holds them. */
interface Windowed {
  readonly what: string;
  readonly limit: counters.Limit;
  readonly begin: (world: World) => Promise<Fail>;
}

const EVE = from('198.51.100.1');

const { ADDRESS_PASSWORD_SOON, ADDRESS_PASSWORD_HOUR } = limits;
const WINDOWED: readonly Windowed[] = [
  {
    what: 'wrong passwords from an address in ten minutes',
    limit: ADDRESS_PASSWORD_SOON,
    begin: guessesPasswords(ADDRESS_PASSWORD_SOON),
  },
  {
    what: 'wrong passwords from an address in an hour',
    limit: ADDRESS_PASSWORD_HOUR,
    begin: guessesPasswords(ADDRESS_PASSWORD_HOUR),
  },
  { what: 'wrong passwords of an outsider', limit: limits.OUTSIDER_PASSWORD, begin: guessesAsOutsider },
  { what: 'wrong codes from an address', limit: limits.ADDRESS_CODE, begin: guessesCodes },
  { what: 'resets by an agent', limit: limits.RESETS_BY_AGENT, begin: resets },
  { what: 'passwords tried with a welcome link', limit: limits.PASSWORD_BY_LINK, begin: choosesPasswords },
];

for (const { what, limit, begin } of WINDOWED) {
  const { allows, windowMs } = limit;
  const looksAt = async (world: World, fail: Fail, times: number, when: string): Promise<void> => {
    for (let n = 1; n <= times; n++) assert.equal(await fail(world), undefined, `${when}: number ${n}`);
  };

  eachEngine(`the limit of ${what}`, (engine) => {
    test('allows as many in its second window as in its first, and not one more', async () => {
      await using world = await openWorld(engine);
      const fail = await begin(world);
      for (const window of ['first', 'second', 'third']) {
        const until = world.clock.now + windowMs;
        await looksAt(world, fail, allows, `${window} window`);
        for (const ms of [0, 1, windowMs - 1]) {
          world.clock.now = until - windowMs + ms;
          assert.equal(await fail(world), until, `${window} window, ${ms} ms after it began`);
        }
        world.clock.now = until;
      }
    });

    test('goes on where it stood when the server starts again in the middle of a window', async () => {
      await using world = await openWorld(engine);
      const fail = await begin(world);
      let today = world;
      for (const window of ['first', 'second']) {
        const until = world.clock.now + windowMs;
        const before = Math.ceil(allows / 2);
        await looksAt(today, fail, before, `${window} window, before`);
        today = await today.restarted();
        await looksAt(today, fail, allows - before, `${window} window, after`);
        assert.equal(await fail(today), until);
        today = await today.restarted();
        world.clock.now = until - 1;
        assert.equal(await fail(today), until, `${window} window, after two starts`);
        world.clock.now = until;
      }
    });

    test('allows one less than twice its number around the edge of two windows, and not one more', async () => {
      await using world = await openWorld(engine);
      const fail = await begin(world);
      const edge = world.clock.now + windowMs;
      await looksAt(world, fail, 1, 'the one that begins the first window');
      world.clock.now = edge - 1;
      await looksAt(world, fail, allows - 1, 'in the last millisecond of the first window');
      assert.equal(await fail(world), edge);
      world.clock.now = edge;
      await looksAt(world, fail, allows, 'in the first millisecond of the second window');
      assert.equal(await fail(world), edge + windowMs, 'the second window is used up');
      world.clock.now = edge + windowMs - 1;
      assert.equal(await fail(world), edge + windowMs, 'until its own end');
    });
  });
}

eachEngine('the limit of wrong passwords for an account', (engine) => {
  test('lets outsiders try ten in an hour before they wait, and ten in the next hour', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    let today = world;
    for (const hour of ['first', 'second']) {
      const began = world.clock.now;
      for (let n = 1; n <= 10; n++)
        assert.equal(await wrongPassword(today, maria, hour), undefined, `${hour} hour, number ${n}`);
      today = await today.restarted();
      for (const at of [began, began + HOUR_MS - 1]) {
        world.clock.now = at;
        const elsewhere = `${hour} hour, ${at - began} ms after it began`;
        assert.equal(await wrongPassword(today, maria, elsewhere), undefined, elsewhere);
        assert.equal(await wrongPassword(today, maria, elsewhere), at + limits.OUTSIDER_PASSWORD.windowMs, elsewhere);
      }
      world.clock.now = began + HOUR_MS;
    }
  });

  test('counts no try that was held up, so that waiting outsiders do not make others wait longer', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    const counted = async (): Promise<number[]> =>
      (await world.rows('counters')).map(({ spent }) => Number(spent)).toSorted((a, b) => a - b);
    for (let n = 0; n < 11; n++) await wrongPassword(world, maria, `outsider ${n}`);
    const before = await counted();
    for (let n = 0; n < 8; n++) assert.notEqual(await wrongPassword(world, maria, 'outsider 10'), undefined);
    assert.deepEqual(await counted(), before);
  });
});

async function wrongPassword(world: World, person: Person, address: string): Promise<number | undefined> {
  const outcome = await signsIn(world.installation, person, { password: 'wrong password', visitor: from(address) });
  assert.ok(outcome.kind === 'wrong' || outcome.kind === 'limited', outcome.kind);
  return outcome.kind === 'limited' ? outcome.until : undefined;
}

// Somebody else each time, and the other limit of the address emptied, so that one limit is heard at a time.
function guessesPasswords({ name }: counters.Limit): (world: World) => Promise<Fail> {
  return async (world) => {
    const { maria } = await world.acme();
    let n = 0;
    return async (today) => {
      await today.change(sql`DELETE FROM counters WHERE name <> ${name}`);
      return wrongPassword(today, { ...maria, email: `nobody${n++}@globex.test` }, EVE.address);
    };
  };
}

async function guessesAsOutsider(world: World): Promise<Fail> {
  const { maria } = await world.acme();
  for (let n = 0; n < 10; n++) await wrongPassword(world, maria, `outsider ${n}`);
  return (today) => wrongPassword(today, maria, EVE.address);
}

// Maria's own counts are taken back each time: only the address is to be held.
async function guessesCodes(world: World): Promise<Fail> {
  const { maria, secret } = await world.acmeWithMfa();
  return async (today) => {
    await today.change(sql`UPDATE accounts SET ${limits.NO_COUNTS} WHERE id = ${maria.id}`);
    const challenge = await challenged(today.installation, maria);
    const answered = await answers(today.installation, challenge, today.wrongCode(secret), EVE);
    assert.ok(answered.kind === 'wrong' || (answered.kind === 'wait' && answered.otherWaits), answered.kind);
    return answered.kind === 'wait' ? answered.until : undefined;
  };
}

// Maria's authenticator is put back by hand each time.
async function resets(world: World): Promise<Fail> {
  const { maria, sam } = await world.acmeWithMfa();
  return async (today) => {
    await today.change(
      sql`UPDATE authenticators SET revoked_at = NULL, secret = 'sealed' WHERE account_id = ${maria.id}`,
    );
    const agent = await today.account(sam);
    const actor = { kind: 'account', id: sam.id, address: home(sam).address } as const;
    const reason = { check: 'met-in-person', note: '' } as const;
    const outcome = await resetMfa(today.installation, actor, agent, await today.account(maria), reason);
    assert.ok(outcome.kind === 'reset' || outcome.kind === 'limited', outcome.kind);
    return outcome.kind === 'limited' ? outcome.until : undefined;
  };
}

async function choosesPasswords(world: World): Promise<Fail> {
  const { organization, globex } = await world.acme();
  const draft = { name: 'Wanda Okoye', email: 'wanda@globex.test', phone: null };
  const made = await createContact(world.installation, OPERATOR, organization.id, globex.id, draft);
  assert.ok(made.kind === 'saved');
  const account = await world.account({ organizationId: organization.id, id: made.id });
  const token = await makeWelcomeLink(world.installation, OPERATOR, account);
  assert.ok(token);
  return async (today) => {
    const outcome = await choosePassword(today.installation, organization.id, token, 'too short', [], EVE.address);
    assert.ok(outcome.kind === 'refused' || outcome.kind === 'limited', outcome.kind);
    return outcome.kind === 'limited' ? outcome.until : undefined;
  };
}
