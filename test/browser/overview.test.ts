import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { appendLinks } from '../../src/accounts/audit-chain.ts';
import { writeFigures } from '../../src/accounts/figures.ts';
import { rollUp } from '../../src/accounts/roll-up.ts';
import { countStandings } from '../../src/auth/standing.ts';
import { sql } from '../../src/db/db.ts';
import { aYear } from '../../src/demo/year.ts';
import { DAY_MS, MINUTE_MS } from '../world.ts';
import { openChromium } from './somebody.ts';
import { Tour } from './tour.ts';

describe('the overview', () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  test('tells Ada how far MFA has come', () => Tour.through(browser, walk));
  test('tells her the same without JavaScript', () => Tour.through(browser, withoutScript, {}, { script: false }));
});

async function walk(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await tour.requiresMfa();
  const ada = await tour.enrolled(acme.ada);
  await tour.comesIn(acme.ada, ada);
  await guest.sees('No numbers yet.');
  await tour.looks('overview, no numbers yet');
  const maria = await tour.enrolled(acme.maria);
  await tour.comesIn(acme.maria, maria);
  await addUp(tour);
  await tour.comesIn(acme.ada, ada);
  await guest.sees('33 % of your customers use MFA.');
  await tour.looks('overview, on its first day');
  await aYearPasses(tour);
  await tour.comesIn(acme.ada, ada);
  await guest.sees('68 % of your customers use MFA, up from 58 % last month.');
  await tour.looks('overview, 12 weeks');
  await guest.press('12 months');
  await guest.arrives('Overview');
  await tour.looks('overview, 12 months');
  await guest.press('Show as a table');
  await tour.looks('overview, as a table');
}

async function withoutScript(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await tour.requiresMfa();
  const ada = await tour.enrolled(acme.ada);
  await tour.comesIn(acme.maria, await tour.enrolled(acme.maria));
  await addUp(tour);
  await aYearPasses(tour);
  await tour.comesIn(acme.ada, ada);
  await guest.press('12 months');
  await guest.press('Show as a table');
  await guest.page.getByRole('row', { name: /November 2026/ }).waitFor();
}

/** What a server does each minute. */
async function addUp({ world: { installation } }: Tour): Promise<void> {
  await appendLinks(installation);
  await rollUp(installation);
  await countStandings(installation);
}

async function aYearPasses({ world, acme }: Tour): Promise<void> {
  const organizationId = acme.organization.id;
  await world.change(sql`DELETE FROM daily_figures`);
  world.clock.advance(DAY_MS);
  const today = new Date(world.clock.now).toISOString().slice(0, 10);
  const merchant = { contacts: 1_238, on: 842, agents: [acme.sam.id, acme.sam.id, acme.ada.id] };
  const yesterday = aYear(today, merchant);
  await world.db.transaction((tx) => writeFigures(tx, organizationId, yesterday, 'add'));
  const standing = { 'mfa-on': 842, 'mfa-none': 396, 'mfa-low': 17, 'mfa-locked': 2, 'mfa-reset': 5 };
  await world.db.transaction((tx) =>
    writeFigures(
      tx,
      organizationId,
      Object.entries(standing).map(([name, value]) => ({ name: name as 'mfa-on', day: today, subject: '', value })),
      'replace',
    ),
  );
  await world.change(sql`UPDATE figure_cursors SET counted_at = ${world.clock.now - 3 * MINUTE_MS}`);
}
