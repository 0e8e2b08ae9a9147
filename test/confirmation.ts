import assert from 'node:assert/strict';
import { OPERATOR } from '../src/accounts/audit.ts';
import { saveChoices } from '../src/accounts/choices.ts';
import { findOrganization, type Organization } from '../src/accounts/organizations.ts';
import { hashToken } from '../src/crypto/tokens.ts';
import { sql } from '../src/db/db.ts';
import type { Person } from './acme.ts';
import { queued } from './queued.ts';
import { stage, type Guest, type Stage } from './surface/front-door.ts';
import type { World } from './world.ts';

/** From now on the organization asks, or no longer asks, that a new authenticator be confirmed. */
export async function confirming(
  { installation }: World,
  { id }: Pick<Organization, 'id'>,
  enrolmentConfirmation: Organization['enrolmentConfirmation'] = 'required',
): Promise<void> {
  const today = await findOrganization(installation.db, id);
  assert.ok(today);
  assert.ok(await saveChoices(installation, OPERATOR, id, { ...today, enrolmentConfirmation }));
}

/** Acme Billing with MFA required, and each new authenticator confirmed. */
export async function confirmingStage(world: World): Promise<Stage> {
  const staged = await stage(world);
  await confirming(world, staged.people.organization);
  return staged;
}

/** Up to the page that asks for the confirmation. */
export async function proves(one: Guest): Promise<void> {
  await one.password();
  await one.configures();
  assert.equal((await one.verifies()).location, `${one.door}/enable-mfa/confirm`);
}

/** Where the newest link leads that was mailed to somebody. */
export async function mailedLink(world: World, person: Person, slug = 'acme'): Promise<string> {
  const links = (await queued(world, person)).filter(({ kind }) => kind === 'confirm-enrolment');
  const last = links.at(-1);
  assert.ok(last, `no link was mailed to ${person.email}`);
  assert.equal(last.to, person.email);
  return `/portal/${slug}/confirm-enrolment/${last.facts['token']}`;
}

/** How many links were mailed to somebody. */
export async function linksMailed(world: World, person: Person): Promise<number> {
  return (await queued(world, person)).filter(({ kind }) => kind === 'confirm-enrolment').length;
}

/** Staff check who it is and make a code; answers its sixteen digits. */
export async function codeFromStaff(agent: Guest, contact: Person, customerId: string): Promise<string> {
  const path = `/admin/customers/${customerId}/contacts/${contact.id}/setup-code`;
  const page = await agent.browser.post(path, { check: 'called-number-on-file', note: '' });
  const [code = ''] = /\d{4}-\d{4}-\d{4}-\d{4}/.exec(page.text) ?? [];
  assert.ok(code, `${page.status} ${page.h1}`);
  return code;
}

/** Whether somebody has an authenticator that is active. */
export async function hasActive(world: World, { id }: Person): Promise<boolean> {
  const rows = await world.rows('authenticators');
  return rows.some((row) => row['account_id'] === id && row['enabled_at'] !== null && row['revoked_at'] === null);
}

/** A link for somebody's pending enrolment, as though one had been mailed; answers its path. */
export async function anyLink(world: World, { id }: Pick<Person, 'id'>, slug = 'acme'): Promise<string> {
  const token = `mailed-${id}`;
  await world.change(sql`UPDATE authenticators SET link_hash = ${hashToken(token)} WHERE account_id = ${id}`);
  return `/portal/${slug}/confirm-enrolment/${token}`;
}
