import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { readLogo, saveBranding } from '../../src/accounts/branding.ts';
import { findOrganization } from '../../src/accounts/organizations.ts';
import { openWorld } from '../world.ts';

test('of eight logos that are sent at once one is left, and it is the one that the pages name', async () => {
  await using world = await openWorld('postgres');
  const { organization } = await world.acme();
  const read = readLogo(readFileSync(join(import.meta.dirname, '../pictures/dot.png')));
  assert.ok(read.kind === 'logo');
  const { logo } = read;
  for (let round = 0; round < 5; round++) {
    const racers = Array.from({ length: 8 }, (_, n) =>
      saveBranding(world.installation, OPERATOR, organization, {}, { ...logo, hash: `${round}-${n}` }),
    );
    // Who waits too long for the others is told that the database is lost, and has changed nothing.
    const saved = (await Promise.allSettled(racers)).filter(({ status }) => status === 'fulfilled');
    assert.ok(saved.length > 0);
    const shown = await findOrganization(world.db, organization.id);
    assert.deepEqual(
      (await world.rows('logos')).map(({ hash }) => hash),
      [shown?.logoHash],
    );
  }
});
