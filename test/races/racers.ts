import assert from 'node:assert/strict';
import type { Action } from '../../src/accounts/audit.ts';
import { sql } from '../../src/db/db.ts';
import type { Acme, Enrolled, Person } from '../acme.ts';
import { addContact, answers, challenged, enrol, pendingOf, refound, setPolicy, signsIn } from '../acme.ts';
import { MINUTE_MS, type World } from '../world.ts';
import { Servers, type Answer, type Asked } from './servers.ts';

export const PORTAL = '/portal/acme';
export const CEREMONY = `${PORTAL}/enable-mfa`;

/** Acme Billing behind two servers or more, with MFA required. */
export interface Race extends AsyncDisposable {
  readonly servers: Servers;
  readonly world: World;
  readonly acme: Acme;
}

export async function openRace(...how: Parameters<typeof Servers.open>): Promise<Race> {
  const servers = await Servers.open(...how);
  const { world } = servers;
  const acme = await world.acme();
  await setPolicy(world.installation, acme.organization, 'required');
  return { servers, world, acme, [Symbol.asyncDispose]: () => servers.close() };
}

let people = 0;

/** One more contact of Globex, who has a password and no MFA. */
export function newcomer({ world, acme }: Race): Promise<Person> {
  return addContact(world.installation, acme.globex, `Contact${people++} Silva`);
}

export type Racer = Person & Enrolled;

/** One more contact of Globex, who has MFA. What an app shows now, has just shown or shows next has not been used. */
export async function enrolled(race: Race): Promise<Racer> {
  const person = await newcomer(race);
  const racer = { ...person, ...(await enrol(race.world.installation, person)) };
  race.world.clock.advance(2 * MINUTE_MS);
  return racer;
}

/** Signs in with the password as often as challenges are wanted; answers their cookies. */
export async function challengesOf({ world }: Race, person: Person, count: number): Promise<string[]> {
  world.clock.advance(1_000);
  const cookies: string[] = [];
  for (let n = 0; n < count; n++) {
    const outcome = await signsIn(world.installation, person);
    assert.ok(outcome.kind === 'challenge' || outcome.kind === 'enrolment', `signing in led to ${outcome.kind}`);
    cookies.push(`__Host-sallyport-challenge=${outcome.cookie}`);
  }
  return cookies;
}

/** Begins an enrolment in a sign-in of its own; answers that one's cookie. */
export async function offeredTo(race: Race, person: Person): Promise<string> {
  const [cookie = ''] = await challengesOf(race, person, 1);
  await race.servers.ask({ path: CEREMONY, fields: {}, cookie });
  return cookie;
}

/** What the app has scanned in such a sign-in. */
export async function pendingSecret({ world }: Race, person: Person, cookie: string): Promise<Uint8Array> {
  const challenge = await refound(world.installation, person, cookie.slice(cookie.indexOf('=') + 1));
  return (await pendingOf(world.installation, challenge)).secret;
}

/** The same, up to the button that enables it. */
export async function provenTo(race: Race, person: Person): Promise<string> {
  const cookie = await offeredTo(race, person);
  const code = race.world.codeFor(await pendingSecret(race, person, cookie));
  const { location } = await race.servers.ask({ path: `${CEREMONY}/verify`, fields: { code }, cookie });
  assert.equal(location, `${CEREMONY}/enable`);
  return cookie;
}

/** The session cookie of a member of staff who has just proven both. */
export async function staffCookie({ world }: Race, person: Person, { secret }: Enrolled): Promise<string> {
  world.clock.advance(2 * MINUTE_MS);
  const challenge = await challenged(world.installation, person);
  const answered = await answers(world.installation, challenge, world.codeFor(secret));
  assert.ok(answered.kind === 'right', `the code was found ${answered.kind}`);
  return `__Host-sallyport-admin=${answered.bought.cookie}`;
}

/** Sends e-mail and password at the portal's door. */
export function signingIn({ email, password }: Person): Asked {
  return { path: `${PORTAL}/sign-in`, fields: { email, password } };
}

/** Presses a button of the contact's gear menu. */
export function pressing(race: Race, contact: Person, act: 'reset-mfa' | 'disable' | 'enable', cookie: string): Asked {
  const reason = { check: 'met-in-person', note: '' };
  return {
    path: `/admin/customers/${race.acme.globex.id}/contacts/${contact.id}/${act}`,
    fields: act === 'reset-mfa' ? reason : {},
    cookie,
  };
}

/** Right codes of an enrolled contact: three of the app, then the backup codes. */
export function rightCodes({ world }: Race, { secret, codes }: Enrolled): string[] {
  return [...[-1, 0, 1].map((steps) => world.codeFor(secret, steps)), ...codes];
}

/** The session cookies that answers brought. */
export function sessionsIn(given: readonly Answer[]): string[] {
  return given.flatMap(({ cookies }) => cookies.filter((cookie) => /^__Host-sallyport=./.test(cookie)));
}

/** How many sessions an account was ever given. */
export async function sessionsOf({ world }: Race, { id }: Person): Promise<number> {
  return (await world.db.all(sql`SELECT id FROM sessions WHERE account_id = ${id}`)).length;
}

/** How many audit rows tell that something came to this end. */
export async function recorded({ world }: Race, person: Person, action: Action, result: string): Promise<number> {
  return (await world.audit(person)).filter((row) => row.action === action && row.result === result).length;
}

/** Six digits that no app with this secret shows within a quarter of an hour, different for every turn. */
export function wrongCode({ world }: Race, { secret }: Enrolled, turn: number): string {
  const right = new Set(Array.from({ length: 60 }, (_, n) => world.codeFor(secret, n - 30)));
  const wrong = Array.from({ length: 1_000 }, (_, n) => String(n).padStart(6, '0')).filter((code) => !right.has(code));
  return wrong[turn]!;
}

/** Something for each of so many turns. */
export function times<T>(count: number, make: (turn: number) => T): T[] {
  return Array.from({ length: count }, (_, turn) => make(turn));
}

/** Tells one round after the other, so that what only sometimes goes wrong goes wrong. */
export async function rounds(count: number, round: (turn: number) => Promise<void>): Promise<void> {
  for (let turn = 0; turn < count; turn++) await round(turn);
}
