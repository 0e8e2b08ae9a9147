import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { appendLinks } from '../../src/accounts/audit-chain.ts';
import { record, type Action, type Fact } from '../../src/accounts/audit.ts';
import { dayOf, daysUntil, periodsUntil, sums } from '../../src/accounts/figures.ts';
import type { Installation } from '../../src/accounts/installation.ts';
import { rollUp } from '../../src/accounts/roll-up.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { sql, type Transaction } from '../../src/db/db.ts';
import { acme, answers, challenged, enrol, guesses, signsIn, type Acme, type Person } from '../acme.ts';
import { DAY_MS, eachEngine, HOUR_MS, MINUTE_MS, openWorld, START, type World } from '../world.ts';

eachEngine('the daily figures', (engine) => {
  test('tell how far contacts came who were asked to set MFA up', async () => {
    await using world = await openWorld(engine);
    const { organization, noor, eve, ada } = await world.acmeWithMfa();
    await signsIn(world.installation, noor);
    await signsIn(world.installation, noor);
    await signsIn(world.installation, eve, { password: 'wrong' });
    await enrol(world.installation, ada);
    assert.deepEqual(await figures(world, organization), {
      asked: 3,
      began: 1,
      verified: 1,
      enabled: 1,
      'codes-made': 1,
      'password-wrong': 1,
    });
  });

  test('tell how codes were answered by factor, and who was locked out', async () => {
    await using world = await openWorld(engine);
    const { organization, maria, secret, codes } = await world.acmeWithMfa();
    const code = world.codeFor(secret);
    await answers(world.installation, await challenged(world.installation, maria), code);
    await answers(world.installation, await challenged(world.installation, maria), code);
    await answers(world.installation, await challenged(world.installation, maria), codes[0]!);
    await guesses(world, maria, secret, 6);
    const { 'signed-in totp': totp, 'signed-in backup-code': backup, ...rest } = await figures(world, organization);
    assert.deepEqual([totp, backup], [1, 1]);
    assert.deepEqual([rest['code-used totp'], rest['code-wrong totp'], rest['locked-out']], [1, 6, 2]);
  });

  test('count a contact as locked out once when the password is held to be stolen too', async () => {
    await using world = await openWorld(engine);
    const { organization, maria, secret } = await world.acmeWithMfa();
    await guesses(world, maria, secret, 20);
    const found = await figures(world, organization);
    assert.deepEqual([found['code-wrong totp'], found['locked-out']], [20, 16]);
  });

  test('tell sign-ins that were kept out, and who reset whose MFA', async () => {
    await using world = await openWorld(engine);
    const { organization, maria, noor, sam } = await world.acmeWithMfa();
    const actor = { kind: 'account', id: sam.id, address: '192.0.2.1' } as const;
    const agent = { organizationId: sam.organizationId, id: sam.id, role: 'support' } as const;
    const reason = { check: 'met-in-person', note: '' } as const;
    assert.equal((await resetMfa(world.installation, actor, agent, await world.account(maria), reason)).kind, 'reset');
    await setPortalAccess(world.installation, actor, await world.account(noor), false);
    await signsIn(world.installation, noor);
    const found = await figures(world, organization);
    assert.deepEqual([found[`reset ${sam.id}`], found['kept-out']], [1, 1]);
  });

  test('keep what a contact did who was deleted, and leave staff out who are gone', async () => {
    await using world = await openWorld(engine);
    const { organization, globex, sam } = await world.acme();
    await happens(world, organization, 'mfa.enabled', { targetId: 'a contact of long ago' });
    await happens(world, organization, 'mfa.enabled', { targetId: sam.id });
    await world.change(sql`DELETE FROM staff_emails WHERE account_id = ${sam.id}`);
    await world.change(sql`DELETE FROM accounts WHERE id = ${sam.id}`);
    await happens(world, organization, 'customer.changed', { targetId: globex.id });
    assert.equal((await figures(world, organization))['enabled'], 1);
  });

  test('count a lock-out of before waits were written down by the fifth wrong code in a row', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    for (let inARow = 1; inARow <= 6; inARow++)
      await happens(world, organization, 'signed-in', {
        targetId: maria.id,
        result: 'wrong',
        details: { factor: 'totp', inARow, suspected: 0 },
      });
    assert.equal((await figures(world, organization))['locked-out'], 2);
  });

  test('stay where they are while nothing happens, and keep merchants apart', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    const rival = await acme(world.installation, 'rival');
    await happens(world, organization, 'mfa.enabled', { targetId: maria.id });
    for (let time = 0; time < 3; time++) assert.deepEqual(await figures(world, organization), { enabled: 1 });
    assert.deepEqual(await figures(world, rival.organization), {});
  });

  test('go on behind links that somebody cut out, and where a number is missing', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await figures(world, organization);
    for (let n = 0; n < 3; n++) await happens(world, organization, 'mfa.enabled', { targetId: maria.id });
    await appendLinks(world.installation);
    const last = sql`(SELECT MAX(sequence) FROM audit_links)`;
    await world.change(sql`DELETE FROM audit_links WHERE sequence = ${last}`);
    await world.change(sql`UPDATE audit_links SET sequence = sequence + 5 WHERE sequence = ${last}`);
    assert.deepEqual(await figures(world, organization), { enabled: 2 });
  });

  test('are the same in whatever bites, by whomever and however often broken off they are added up', async () => {
    const happening = fc.record({
      action: fc.constantFrom<Action>(
        'password.answered',
        'signed-in',
        'enrolment.offered',
        'enrolment.answered',
        'mfa.enabled',
        'backup-codes.generated',
        'mfa.reset',
        'settings.changed',
      ),
      who: fc.constantFrom<keyof Acme>('maria', 'noor', 'eve', 'sam'),
      result: fc.constantFrom('right', 'wrong', 'already-used', 'disabled', 'suspected'),
      factor: fc.constantFrom('totp', 'backup-code', 'password'),
      next: fc.constantFrom('enrolment', 'challenge'),
      inARow: fc.integer({ min: 1, max: 8 }),
      hours: fc.integer({ min: 0, max: 30 }),
    });
    const bursts = fc.array(fc.array(happening, { maxLength: 25 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(bursts, fc.array(fc.boolean()), async (all, dying) => {
        await using world = await openWorld(engine);
        const people = await world.acme();
        for (const [turn, burst] of all.entries()) {
          for (const { action, who, result, hours, ...details } of burst) {
            world.clock.now = START + hours * HOUR_MS;
            const targetId = (people[who] as Person).id;
            await happens(world, people.organization, action, { targetId, result, details });
          }
          await appendLinks(world.installation);
          const roller = dying[turn] === true ? diesInTheMiddle(world.installation) : world.installation;
          const rolled = await Promise.allSettled([rollUp(roller), rollUp(roller), rollUp(roller)]);
          const faults = rolled.filter((one) => one.status === 'rejected').map((one) => String(one.reason));
          assert.ok(
            faults.every((fault) => fault === 'Error: killed'),
            faults.join(),
          );
        }
        assert.deepEqual(await figures(world, people.organization), await countedAfresh(world, people));
      }),
      { numRuns: engine === 'sqlite' ? 40 : 8 },
    );
  });
});

eachEngine('a day of the figures', (engine) => {
  test('is one of the organization’s own time zone, whether it has 23, 24 or 25 hours', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await world.change(sql`UPDATE organizations SET time_zone = 'America/New_York' WHERE id = ${organization.id}`);
    // Clocks went forward on 8 March 2026 and back on 1 November: midnight was at 5 and 4 o'clock UTC, then at 4 and 5.
    for (const [first, last] of [
      ['2026-03-08T05:00:00.000Z', '2026-03-09T03:59:59.999Z'],
      ['2026-11-01T04:00:00.000Z', '2026-11-02T04:59:59.999Z'],
    ] as const) {
      for (const at of [Date.parse(first) - 1, Date.parse(first), Date.parse(last), Date.parse(last) + 1]) {
        world.clock.now = at;
        await happens(world, organization, 'mfa.enabled', { targetId: maria.id });
      }
    }
    await figures(world, organization);
    const rows = await world.db.all(sql`SELECT day, value FROM daily_figures WHERE name = 'enabled' ORDER BY day`);
    assert.deepEqual(
      rows.map(({ day, value }) => [day, value]),
      [
        ['2026-03-07', 1],
        ['2026-03-08', 2],
        ['2026-03-09', 1],
        ['2026-10-31', 1],
        ['2026-11-01', 2],
        ['2026-11-02', 1],
      ],
    );
  });
});

describe('periods', () => {
  test('are weeks from Monday to Sunday, the last as far as it has come', () => {
    assert.deepEqual(periodsUntil('2026-11-24', 'weeks', 3), [
      { from: '2026-11-09', to: '2026-11-15' },
      { from: '2026-11-16', to: '2026-11-22' },
      { from: '2026-11-23', to: '2026-11-24' },
    ]);
  });

  test('are calendar months, across the end of a year and a leap day', () => {
    assert.deepEqual(periodsUntil('2028-03-31', 'months', 4), [
      { from: '2027-12-01', to: '2027-12-31' },
      { from: '2028-01-01', to: '2028-01-31' },
      { from: '2028-02-01', to: '2028-02-29' },
      { from: '2028-03-01', to: '2028-03-31' },
    ]);
  });

  test('of thirty days end with today', () => {
    assert.deepEqual(daysUntil('2026-03-01', 30), { from: '2026-01-31', to: '2026-03-01' });
  });

  test('begin when the day does where the clock says so', () => {
    assert.equal(dayOf(START, 'Pacific/Kiritimati'), '2026-11-24');
    assert.equal(dayOf(START + DAY_MS / 2, 'Pacific/Kiritimati'), '2026-11-25');
    assert.equal(dayOf(START - 9 * HOUR_MS - MINUTE_MS, 'UTC'), '2026-11-23');
  });
});

async function happens(
  world: World,
  { id }: Acme['organization'],
  action: Action,
  more: Pick<Fact, 'targetId' | 'result' | 'details'>,
): Promise<void> {
  const actor = { kind: 'account', id: 'an agent', address: '192.0.2.1' } as const;
  await world.db.transaction((tx) => record(tx, world.installation, { organizationId: id, actor, action, ...more }));
}

/** All that the days hold together, by name and subject, once everything is added up. */
async function figures(world: World, { id }: Acme['organization']): Promise<Record<string, number>> {
  await appendLinks(world.installation);
  await rollUp(world.installation);
  const all = await sums(world.db, id, { from: '0000-01-01', to: '9999-12-31' });
  return Object.fromEntries(all.map(({ name, subject, value }) => [`${name} ${subject}`.trim(), value]));
}

/** An installation whose every transaction breaks off once it has moved the cursor and written a figure or two. */
function diesInTheMiddle(installation: Installation): Installation {
  const transaction: Installation['db']['transaction'] = (work, how) =>
    installation.db.transaction((tx: Transaction) => {
      let statements = 0;
      const run: Transaction['run'] = (statement) => {
        if (statements++ === 2) throw new Error('killed');
        return tx.run(statement);
      };
      return work({ ...tx, run });
    }, how);
  return { ...installation, db: { ...installation.db, transaction } };
}

/** The same, counted row by row as the definitions say it, from the log as it lies. */
async function countedAfresh(world: World, people: Acme): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  const count = (key: string): void => void (found[key] = (found[key] ?? 0) + 1);
  for (const row of await world.rows('audit_rows')) {
    const details = JSON.parse(String(row['details'])) as Record<string, string | number>;
    const about = [people.maria, people.noor, people.eve].some(({ id }) => id === row['target_id']);
    const isRight = row['result'] === 'right';
    if (!about) continue;
    if (row['action'] === 'password.answered' && isRight && details['next'] === 'enrolment') count('asked');
    if (row['action'] === 'password.answered' && row['result'] === 'wrong') count('password-wrong');
    if (row['action'] === 'password.answered' && !isRight && row['result'] !== 'wrong') count('kept-out');
    if (row['action'] === 'signed-in' && isRight) count(`signed-in ${details['factor']}`);
    if (row['action'] === 'signed-in' && row['result'] === 'already-used') count(`code-used ${details['factor']}`);
    if (row['action'] === 'signed-in' && !isRight && row['result'] !== 'already-used') {
      count(`code-wrong ${details['factor']}`);
      if (Number(details['inARow']) >= 5) count('locked-out');
    }
    if (row['action'] === 'enrolment.offered') count('began');
    if (row['action'] === 'enrolment.answered' && isRight) count('verified');
    if (row['action'] === 'mfa.enabled') count('enabled');
    if (row['action'] === 'backup-codes.generated') count('codes-made');
    if (row['action'] === 'mfa.reset') count(`reset ${String(row['actor_id'])}`);
  }
  return found;
}
