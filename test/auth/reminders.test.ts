import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { remind, sendReminders } from '../../src/auth/reminders.ts';
import { sql, Sql } from '../../src/db/db.ts';
import { answers, challenged, enrol, setPolicy, signsIn, type Acme, type Person } from '../acme.ts';
import { queued, type Queued } from '../queued.ts';
import { DAY_MS, eachEngine, HOUR_MS, openWorld, type Engine, type World } from '../world.ts';

const always = (): Promise<boolean> => Promise.resolve(true);

interface Reminding extends AsyncDisposable {
  readonly world: World;
  readonly acme: Acme;
}

async function reminding(engine: Engine, graceDays: number | null = 14): Promise<Reminding> {
  const world = await openWorld(engine, { mailIsOn: true });
  const acme = await world.acme();
  await setPolicy(world.installation, acme.organization, 'required', graceDays);
  return { world, acme, [Symbol.asyncDispose]: () => world.close() };
}

/** The server works on through so many days, an hour at a time. Answers on which day each letter of a kind was written. */
async function days(world: World, count: number, kind: string, whose: Person): Promise<[number, Queued['facts']][]> {
  const start = world.clock.now;
  const told: [number, Queued['facts']][] = [];
  let before = (await lettersOf(world, kind, whose)).length;
  for (let hour = 0; hour < count * 24; hour++) {
    world.clock.advance(HOUR_MS);
    await sendReminders(world.installation, always);
    const now = await lettersOf(world, kind, whose);
    for (const { facts } of now.slice(before)) told.push([Math.floor((world.clock.now - start) / DAY_MS), facts]);
    before = now.length;
  }
  return told;
}

async function lettersOf(world: World, kind: string, whose: Person): Promise<Queued[]> {
  return (await queued(world, whose)).filter((letter) => letter.kind === kind);
}

eachEngine('a reminder to set MFA up', (engine) => {
  test('goes out 7, 3 and 1 days before the grace of a contact ends, each once, in the daytime', async () => {
    await using at = await reminding(engine);
    const { world, acme } = at;
    await signsIn(world.installation, acme.noor);
    const until = Date.UTC(2026, 11, 9);
    assert.deepEqual(
      await days(world, 16, 'set-up-by', acme.noor),
      [
        [7, { until, days: 7 }],
        [11, { until, days: 3 }],
        [13, { until, days: 1 }],
      ].map(([day, facts]) => [day, facts]),
    );
    assert.deepEqual(await lettersOf(world, 'set-up-by', acme.maria), [], 'who has no grace is not told of its end');
  });

  test('is left out where it would come with the page that has just said so', async () => {
    await using at = await reminding(engine, 3);
    const { world, acme } = at;
    await signsIn(world.installation, acme.noor);
    const told = await days(world, 5, 'set-up-by', acme.noor);
    assert.deepEqual(
      told.map(([day, facts]) => [day, facts['days']]),
      [[2, 1]],
    );
  });

  test('goes to nobody who has set MFA up, is exempt, has no access, or whose grace belongs to a policy of before', async () => {
    await using at = await reminding(engine);
    const { world, acme } = at;
    const { installation } = world;
    for (const one of [acme.noor, acme.maria, acme.eve]) await signsIn(installation, one);
    await enrol(installation, acme.maria);
    const eve = await world.account(acme.eve);
    const until = Date.UTC(2026, 11, 20);
    await world.change(sql`UPDATE accounts SET exempt_until = ${until}, exempt_reason = 'on leave', exempt_by = 'operator'
      WHERE id = ${eve.id}`);
    await world.change(sql`UPDATE accounts SET disabled_at = 1 WHERE id = ${acme.noor.id}`);
    for (const one of [acme.noor, acme.maria, acme.eve])
      assert.deepEqual(await days(world, 3, 'set-up-by', one), [], one.name);
    await world.change(sql`UPDATE accounts SET disabled_at = NULL WHERE id = ${acme.noor.id}`);
    await setPolicy(installation, acme.organization, 'off');
    assert.deepEqual(await days(world, 8, 'set-up-by', acme.noor), []);
    await setPolicy(installation, acme.organization, 'required', 14);
    assert.deepEqual(await days(world, 1, 'set-up-by', acme.noor), [], 'the grace of before is none of this policy');
    await signsIn(installation, acme.noor);
    const told = await days(world, 16, 'set-up-by', acme.noor);
    assert.deepEqual(
      told.map(([, facts]) => facts['days']),
      [7, 3, 1],
      'and the new one has reminders of its own',
    );
  });

  test('waits for the organization’s day, wherever the server is', async () => {
    await using at = await reminding(engine);
    const { world, acme } = at;
    await world.change(sql`UPDATE organizations SET time_zone = 'Pacific/Auckland' WHERE id = ${acme.organization.id}`);
    await signsIn(world.installation, acme.noor);
    world.clock.advance(7 * DAY_MS);
    const hours: number[] = [];
    for (let hour = 0; hour < 24 && hours.length === 0; hour++) {
      world.clock.advance(HOUR_MS);
      await sendReminders(world.installation, always);
      if ((await lettersOf(world, 'set-up-by', acme.noor)).length > 0) hours.push(world.clock.now);
    }
    const [sent = 0] = hours;
    const { hour } = Temporal.Instant.fromEpochMilliseconds(sent).toZonedDateTimeISO('Pacific/Auckland');
    assert.equal(hour, 9);
  });

  test('is written once by eight servers that all come to it at once, to each of 300 contacts', async () => {
    await using at = await reminding(engine);
    const { world, acme } = at;
    await crowd(world, acme, 300, world.clock.now + 2 * DAY_MS);
    await Promise.all(Array.from({ length: 8 }, () => sendReminders(world.installation, always)));
    const letters = (await queued(world)).filter(({ kind }) => kind === 'set-up-by');
    assert.equal(letters.length, 300);
    assert.equal(new Set(letters.map(({ to }) => to)).size, 300);
  });

  test('is found by an index that holds those alone who may be due', async () => {
    await using at = await reminding(engine);
    const { world, acme } = at;
    await crowd(world, acme, 2_000, world.clock.now + 60 * DAY_MS);
    await world.change(sql`UPDATE accounts SET mfa_since = 1, backup_codes_left = 5 WHERE name LIKE 'C%0'`);
    await world.change(new Sql(['ANALYZE'], []));
    const asked: string[] = [];
    const watching = {
      ...world.installation,
      db: {
        ...world.db,
        all: world.db.all.bind(world.db),
        transaction: (work: Parameters<typeof world.db.transaction>[0]) =>
          world.db.transaction(async (tx) => {
            const explained = {
              ...tx,
              run: tx.run.bind(tx),
              one: tx.one.bind(tx),
              all: async (statement: Sql) => {
                asked.push(await planOf(tx, engine, statement));
                return tx.all(statement);
              },
            };
            return work(explained as unknown as typeof tx);
          }),
      },
    } as unknown as World['installation'];
    await sendReminders(watching, always);
    const due = ['grace', 'grace', 'grace', 'codes', 'codes'].map((what) => `accounts_${what}_due`);
    // Behind it only the rows that it has found are looked up, by their key.
    const used = asked.map((plan) => plan.match(/\baccounts_(?!pkey)[a-z]\w*/g) ?? []);
    assert.deepEqual(
      used.map((names) => [...new Set(names)].join()),
      due,
    );
    for (const plan of asked) assert.doesNotMatch(plan, /Seq Scan|SCAN accounts/);
  });

  test('is none where mail is off', async () => {
    await using world = await openWorld(engine);
    const acme = await world.acme();
    await setPolicy(world.installation, acme.organization, 'required', 7);
    await signsIn(world.installation, acme.noor);
    world.clock.advance(6 * DAY_MS);
    await sendReminders(world.installation, always);
    const [row] = await world.db.all<{ told: number }>(
      sql`SELECT grace_reminded AS told FROM accounts WHERE id = ${acme.noor.id}`,
    );
    assert.equal(row?.told, 7, 'so that it goes out once mail is on');
  });
});

eachEngine('a reminder to make new backup codes', (engine) => {
  test('goes out once with two left, once with none, and anew for another set', async () => {
    await using at = await reminding(engine, null);
    const { world, acme } = at;
    const { codes } = await enrol(world.installation, acme.maria);
    const uses = async (index: number): Promise<void> => {
      world.clock.advance(HOUR_MS);
      const challenge = await challenged(world.installation, acme.maria);
      assert.equal((await answers(world.installation, challenge, codes[index] ?? '')).kind, 'right');
    };
    const left = async (): Promise<unknown[]> =>
      (await days(world, 2, 'codes-low', acme.maria)).map(([, facts]) => facts['left']);
    await uses(0);
    await uses(1);
    assert.deepEqual(await left(), []);
    await uses(2);
    assert.deepEqual(await left(), [2]);
    await uses(3);
    assert.deepEqual(await left(), [], 'with one left nothing is new');
    await uses(4);
    assert.deepEqual(await left(), [0]);
    assert.deepEqual(await left(), []);
    await world.change(sql`UPDATE accounts SET backup_codes_left = 1, codes_reminded = 2 WHERE id = ${acme.maria.id}`);
    assert.deepEqual(await left(), [1]);
  });
});

eachEngine('a reminder that staff send', (engine) => {
  test('goes out at most once a day, to who can sign in and has no MFA, and leaves one row', async () => {
    await using at = await reminding(engine);
    const { world, acme } = at;
    const { installation } = world;
    await signsIn(installation, acme.noor);
    assert.deepEqual(
      await Promise.all(Array.from({ length: 8 }, () => remind(installation, OPERATOR, acme.noor))).then((all) =>
        all.filter(Boolean),
      ),
      [true],
    );
    world.clock.advance(DAY_MS - 1);
    assert.equal(await remind(installation, OPERATOR, acme.noor), false);
    world.clock.advance(1);
    assert.equal(await remind(installation, OPERATOR, acme.noor), true);
    const letters = await lettersOf(world, 'set-up-by', acme.noor);
    assert.deepEqual(
      letters.map(({ facts }) => facts),
      Array.from({ length: 2 }, () => ({ until: Date.UTC(2026, 11, 9), days: null })),
    );
    assert.equal((await world.audit(acme.noor)).filter(({ action }) => action === 'reminder.sent').length, 2);
    await enrol(installation, acme.maria);
    for (const nobody of [acme.maria, acme.sam, { ...acme.eve, organizationId: 'another' }])
      assert.equal(await remind(installation, OPERATOR, nobody), false);
    await setPolicy(installation, acme.organization, 'off');
    assert.equal(await remind(installation, OPERATOR, acme.eve), false);
  });
});

/** So many more contacts of Globex, whose grace ends then. */
async function crowd(world: World, { globex, organization }: Acme, count: number, until: number): Promise<void> {
  await world.change(sql`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO accounts (organization_id, id, kind, customer_id, name, sort_key, email, email_key, created_at,
      customer_key, grace_until, grace_policy_at)
    SELECT o.id, 'crowd' || i, 'contact', ${globex.id}, 'C' || i, 'c' || i, 'c' || i || '@globex.test',
      'c' || i || '@globex.test', 1, 'globex', CAST(${until} AS BIGINT), o.policy_changed_at
    FROM n, organizations o WHERE o.id = ${organization.id}`);
}

async function planOf(
  tx: { all<T>(statement: Sql): Promise<T[]> },
  engine: Engine,
  { strings, values }: Sql,
): Promise<string> {
  const [first = '', ...rest] = strings;
  const rows = await tx.all<object>(
    new Sql([`${engine === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'} ${first}`, ...rest], values),
  );
  return rows.map((row) => Object.values(row).join(' ')).join('\n');
}
