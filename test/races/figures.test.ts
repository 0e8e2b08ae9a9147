import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { appendLinks } from '../../src/accounts/audit-chain.ts';
import { record } from '../../src/accounts/audit.ts';
import { sums } from '../../src/accounts/figures.ts';
import { rollUp } from '../../src/accounts/roll-up.ts';
import { countStandings } from '../../src/auth/standing.ts';
import { sql } from '../../src/db/db.ts';
import { openWorld, type World } from '../world.ts';
import type { Person } from '../acme.ts';
import { times } from './racers.ts';

const PROGRAM = join(import.meta.dirname, 'roller.ts');
const EVER = { from: '0000-01-01', to: '9999-12-31' };

describe('the daily figures, added up by many at once', () => {
  test('count each row once, whoever of eight comes first', async () => {
    await using world = await openWorld('postgres');
    const { organization, maria } = await world.acme();
    for (let round = 1; round <= 10; round++) {
      await enabledBy(world, maria, 40);
      await Promise.all(times(8, () => rollUp(world.installation)));
      assert.equal(await enabled(world, organization.id), round * 40);
    }
  });

  test('count each row once although those who add them up are killed in the middle, again and again', async () => {
    await using world = await openWorld('postgres');
    const { organization, maria } = await world.acme();
    await enabledBy(world, maria, 9_000);
    for (let round = 0; round < 4; round++) {
      const rollers = times(3, () => fork(PROGRAM, [world.place, 'test'], { execArgv: [] }));
      await Promise.all(rollers.map((roller) => once(roller, 'message')));
      await Promise.all(rollers.map(killed));
      // In one statement, since a commit may still be on its way behind its client.
      const stands = await world.db.one(sql`SELECT
        (SELECT SUM(value) FROM daily_figures WHERE name = 'enabled') AS figure,
        (SELECT COUNT(*) FROM audit_links l JOIN audit_rows r ON r.id = l.row_id JOIN figure_cursors c
          ON c.organization_id = l.organization_id WHERE l.sequence <= c.sequence AND r.action = 'mfa.enabled') AS log`);
      assert.equal(Number(stands?.['figure']), stands?.['log']);
    }
    await rollUp(world.installation);
    assert.equal(await enabled(world, organization.id), 9_000);
  });

  test('and keep one count of where the contacts stand', async () => {
    await using world = await openWorld('postgres');
    await world.acmeWithMfa();
    await Promise.all(times(8, () => countStandings(world.installation)));
    const rows = await world.rows('daily_figures');
    const standing = rows.filter(({ name }) => ['mfa-on', 'mfa-none'].includes(String(name)));
    assert.deepEqual(standing.map(({ name, value }) => `${name} ${value}`).toSorted(), ['mfa-none 2', 'mfa-on 1']);
  });
});

async function enabledBy(world: World, { organizationId, id }: Person, often: number): Promise<void> {
  const fact = { organizationId, actor: { kind: 'system' }, action: 'mfa.enabled', targetId: id } as const;
  await world.db.transaction(async (tx) => {
    for (let n = 0; n < often; n++) await record(tx, world.installation, fact);
  });
  await appendLinks(world.installation);
}

async function enabled(world: World, organizationId: string): Promise<number> {
  return (await sums(world.db, organizationId, EVER)).find(({ name }) => name === 'enabled')?.value ?? 0;
}

async function killed(roller: ChildProcess): Promise<void> {
  const gone = once(roller, 'exit');
  roller.kill('SIGKILL');
  await gone;
}
