import assert from 'node:assert/strict';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { saveChoices } from '../../src/accounts/choices.ts';
import { makeMailedLink, type Purpose } from '../../src/accounts/mailed-links.ts';
import { findOrganization } from '../../src/accounts/organizations.ts';
import { activeApps, beginAnother, type ActiveApp } from '../../src/auth/authenticators.ts';
import type { Challenge } from '../../src/auth/challenges.ts';
import { enable } from '../../src/auth/enrolment.ts';
import { parkForm } from '../../src/auth/parked-forms.ts';
import { beginAdding, type Passkey } from '../../src/auth/passkeys.ts';
import { findRequest, openRequests, type RecoveryRequest } from '../../src/auth/recovery-requests.ts';
import type { Session } from '../../src/auth/sessions.ts';
import { answerChallenge } from '../../src/auth/sign-in.ts';
import { makeSignInCode } from '../../src/auth/sign-in-codes.ts';
import { askForHelp } from '../../src/auth/asking-for-help.ts';
import { STEP_MS } from '../../src/crypto/totp.ts';
import { sql, type Sql } from '../../src/db/db.ts';
import { challenged, home, provesAnother, type Acme, type Enrolled, type Person } from '../acme.ts';
import { kept, rpOf } from '../authenticator.ts';
import { actorFor, LOST } from '../help.ts';
import { queued } from '../queued.ts';
import { openWorld, type Engine, type World } from '../world.ts';
import { insideByCode } from './inside.ts';

/** Maria with everything at once that an account can have, and what is needed to do something to it. */
export interface Everything extends AsyncDisposable {
  readonly world: World;
  readonly people: Acme & Enrolled;
  readonly maria: Person;
  /** Two apps are active, by their secrets, and a third is one button before its end. */
  readonly apps: readonly ActiveApp[];
  readonly secrets: readonly Uint8Array[];
  readonly third: Challenge;
  readonly passkey: Passkey;
  /** The one she acts in; another browser has one too. */
  readonly own: Session;
  readonly otherId: string;
  readonly deviceId: string;
  /** She has typed her password in a third browser. */
  readonly half: Challenge;
  readonly request: RecoveryRequest;
  /** What Sam has read out to her. */
  readonly spoken: string;
  readonly links: Readonly<Record<Purpose, string>>;
}

/** The address that waits to be confirmed. */
export const NEW_ADDRESS = 'maria@new.test';

/** Lays all of it out, under a policy. */
export async function everything(engine: Engine, policy: 'optional' | 'required'): Promise<Everything> {
  const world = await openWorld(engine, { mailIsOn: true });
  const people = await world.acmeWithMfa();
  const { installation } = world;
  const { maria, organization } = people;
  const choices = { trustedDeviceDays: 30, passkeys: 'sign-in', enrolmentConfirmation: 'none' } as const;
  await saveChoices(installation, OPERATOR, organization.id, { ...choices, recoveryWaitHours: 0 });
  await world.change(sql`UPDATE organizations SET policy = ${policy} WHERE id = ${organization.id}`);

  const second = await beginsAnother(world, maria, await insideByCode(world, maria, people.secret));
  assert.equal(await enable(installation, second.challenge, home(maria)), true);
  const apps = await activeApps(world.db, maria);
  const { otherId, deviceId } = await trustsAnotherBrowser(world, maria, people.secret);
  const own = await insideByCode(world, maria, people.secret);
  const { passkey } = await kept(world, maria, own);
  assert.ok(await beginAdding(installation, rpOf(world), own));
  const third = await beginsAnother(world, maria, own);
  assert.ok(await parkForm(installation, own, { path: '/portal/acme/security', body: '', about: 'change things' }));
  const half = await challenged(installation, maria);
  const today = await findOrganization(world.db, organization.id);
  assert.ok(today && (await askForHelp(installation, half, today, LOST, home(maria))).kind === 'asked');
  const [open] = await openRequests(world.db, organization.id, world.clock.now, { limit: 1 });
  const request = open && (await findRequest(world.db, organization.id, open.id, world.clock.now));
  const links = await mailedLinks(world, maria);
  const reason = { check: 'called-number-on-file', note: '' } as const;
  const sam = await world.account(people.sam);
  const made = await makeSignInCode(installation, actorFor(people.sam), sam, await world.account(maria), reason);
  assert.ok(request && made.kind === 'made');
  await world.change(sql`DELETE FROM mails`);
  return {
    world,
    people,
    maria,
    apps,
    secrets: [people.secret, second.secret],
    third: third.challenge,
    passkey,
    own,
    otherId,
    deviceId,
    half,
    request,
    spoken: made.code,
    links,
    [Symbol.asyncDispose]: () => world.close(),
  };
}

async function beginsAnother(
  world: World,
  person: Person,
  session: Session,
): Promise<{ challenge: Challenge; secret: Uint8Array }> {
  const begun = await beginAnother(world.installation, session, 'Tablet', home(person));
  assert.ok(begun.kind === 'begun');
  return provesAnother(world.installation, person, begun.cookie);
}

async function trustsAnotherBrowser(
  world: World,
  person: Person,
  secret: Uint8Array,
): Promise<{ otherId: string; deviceId: string }> {
  world.clock.advance(STEP_MS);
  const challenge = await challenged(world.installation, person);
  const code = { kind: 'totp', code: world.codeFor(secret) } as const;
  const trusting = { carried: undefined };
  const answered = await answerChallenge(world.installation, challenge, code, home(person), undefined, trusting);
  assert.ok(answered.kind === 'right' && answered.bought.trust);
  const newest = async (table: 'sessions' | 'trusted_devices'): Promise<string> =>
    String(
      (await world.rows(table))
        .map((row) => row['id'])
        .toSorted((one, other) => (String(one) < String(other) ? 1 : -1))[0],
    );
  return { otherId: await newest('sessions'), deviceId: await newest('trusted_devices') };
}

async function mailedLinks({ installation, db }: World, person: Person): Promise<Record<Purpose, string>> {
  return db.transaction(async (tx) => {
    const link = async (purpose: Purpose, to?: string): Promise<string> => {
      const token = await makeMailedLink(tx, installation, purpose, person, to);
      assert.ok(token);
      return token;
    };
    return {
      'new-password': await link('new-password'),
      'confirm-email': await link('confirm-email', NEW_ADDRESS),
      'not-me': await link('not-me'),
    };
  });
}

/** What of hers is alive: each thing by the condition of its own lookup. In the order of the table in docs/sign-in.md. */
export async function alive({ world, maria, own, otherId, third, half, apps }: Everything): Promise<string[]> {
  const now = world.clock.now;
  const hers = sql`t.organization_id = ${maria.organizationId} AND t.account_id = ${maria.id}`;
  const ofToday = sql`t.epoch = a.epoch`;
  const challenge = (id: string): Sql =>
    sql`challenges t WHERE ${hers} AND ${ofToday} AND t.id = ${id} AND t.consumed_at IS NULL AND t.expires_at > ${now}`;
  const session = (condition: Sql): Sql => sql`sessions t WHERE ${hers} AND ${ofToday} AND t.ended_at IS NULL
    AND t.session_epoch = o.session_epoch AND ${condition}`;
  const inside = sql`EXISTS (SELECT 1 FROM ${session(sql`t.id = ${own.id}`)})`;
  const link = (purpose: Purpose, condition: Sql): Sql => sql`mailed_links t WHERE ${hers} AND t.purpose = ${purpose}
    AND t.spent_at IS NULL AND t.expires_at > ${now} AND ${condition}`;
  const things: Record<string, Sql> = {
    password: sql`accounts t WHERE t.organization_id = a.organization_id AND t.id = a.id AND t.password IS NOT NULL`,
    'first app': sql`authenticators t WHERE ${hers} AND t.id = ${apps[0]?.id ?? ''} AND t.revoked_at IS NULL`,
    'second app': sql`authenticators t WHERE ${hers} AND t.id = ${apps[1]?.id ?? ''} AND t.revoked_at IS NULL`,
    'backup codes': sql`backup_code_sets t WHERE ${hers} AND t.revoked_at IS NULL`,
    passkey: sql`passkeys t WHERE ${hers} AND t.revoked_at IS NULL`,
    'own session': session(sql`t.id <> ${otherId}`),
    'other session': session(sql`t.id = ${otherId}`),
    'trusted device': sql`trusted_devices t WHERE ${hers} AND ${ofToday} AND t.revoked_at IS NULL
      AND t.session_epoch = o.session_epoch AND o.trusted_device_days IS NOT NULL`,
    'half signed in': challenge(half.id),
    'pending app': sql`authenticators t WHERE ${hers} AND t.enabled_at IS NULL AND t.revoked_at IS NULL
      AND EXISTS (SELECT 1 FROM ${challenge(third.id)}) AND ${inside}`,
    'pending passkey': sql`passkey_ceremonies t WHERE ${hers} AND ${ofToday} AND ${inside}`,
    'waiting form': sql`parked_forms t WHERE ${hers} AND ${inside}`,
    'password link': link('new-password', ofToday),
    'e-mail link': link('confirm-email', ofToday),
    '“not me” link': link('not-me', sql`a.disabled_at IS NULL`),
    'request for help': sql`recovery_requests t WHERE ${hers} AND ${ofToday} AND t.state = 'open'`,
    'spoken code': sql`sign_in_codes t WHERE ${hers} AND ${ofToday} AND t.ended_at IS NULL`,
  };
  const found: string[] = [];
  for (const [name, condition] of Object.entries(things)) {
    const one = await world.db
      .one(sql`SELECT 1 AS found FROM accounts a JOIN organizations o ON o.id = a.organization_id
      WHERE a.organization_id = ${maria.organizationId} AND a.id = ${maria.id} AND EXISTS (SELECT 1 FROM ${condition})`);
    if (one) found.push(name);
  }
  return found;
}

/** What an event has written to her and to others, and what it has put into the log about her. */
export async function told(scene: Everything, already: number): Promise<{ notices: string[]; audit: string[] }> {
  const { world, maria } = scene;
  const letters = await queued(world);
  const audit = (await world.audit(maria)).slice(already);
  return { notices: letters.map(({ kind }) => kind), audit: audit.map(({ action }) => action) };
}
