import assert from 'node:assert/strict';
import type { Actor } from '../src/accounts/audit.ts';
import { findOrganization } from '../src/accounts/organizations.ts';
import { askForHelp, type Asked, type HelpDraft } from '../src/auth/asking-for-help.ts';
import { openRequests, type RecoveryRequest } from '../src/auth/recovery-requests.ts';
import { addContact, challenged, enrol, home, type Acme, type Person } from './acme.ts';
import type { World } from './world.ts';

export const LOST: HelpDraft = { why: 'lost-phone', story: 'It fell into the sea.', phone: '+1 555 0199' };

/** Somebody with the right password asks for help. */
export async function asks(world: World, person: Person, draft = LOST, visitor = home(person)): Promise<Asked> {
  const { installation } = world;
  const organization = await findOrganization(world.db, person.organizationId);
  assert.ok(organization);
  return askForHelp(installation, await challenged(installation, person), organization, draft, visitor);
}

/** The requests that wait for an answer, as staff see them. */
export function queue(world: World, { organizationId }: Person): Promise<RecoveryRequest[]> {
  return openRequests(world.db, organizationId, world.clock.now, { limit: 10 });
}

/** The one request that somebody has just made. */
export async function requestOf(world: World, person: Person): Promise<RecoveryRequest> {
  assert.equal((await asks(world, person)).kind, 'asked');
  const request = (await queue(world, person)).find(({ accountId }) => accountId === person.id);
  assert.ok(request);
  return request;
}

export function actorFor(person: Person): Actor {
  return { kind: 'account', id: person.id, address: home(person).address };
}

/** One more contact of Globex, who has MFA. */
export async function enrolledContact({ installation }: World, people: Acme, name: string): Promise<Person> {
  const person = await addContact(installation, people.globex, name);
  await enrol(installation, person);
  return person;
}
