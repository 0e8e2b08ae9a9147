import assert from 'node:assert/strict';
import { enable, offer, verifyEnrolment } from '../../src/auth/enrolment.ts';
import { sql } from '../../src/db/db.ts';
import { answers, challenged, enrol, home, pendingOf, refound, signsIn, type Enrolled, type Person } from '../acme.ts';
import type { ServerProcess } from '../races/servers.ts';
import { HOUR_MS, MINUTE_MS } from '../world.ts';
import { ask, cookieIn, valueOf, type Told } from './ask.ts';
import { PORTAL, type Member, type Scene } from './scene.ts';

/** A request that is not to be done by half, whenever its server dies. */
export interface Prepared {
  act(server: ServerProcess): Promise<Told>;
  /** What the same person does next, at another server, and what has come of it in the end. */
  goOn(server: ServerProcess): Promise<void>;
}

/** Brings somebody to where they stand before the request. */
export type Prepare = (scene: Scene) => Promise<Prepared>;

/** The hot path: what it is called, and how somebody comes to stand before it. */
export const ACTS: readonly (readonly [name: string, prepare: Prepare])[] = [
  ['the password', password],
  ['a code of the app', (scene) => code(scene, (maria) => scene.codeFor(maria))],
  ['a backup code', (scene) => code(scene, ({ codes }) => codes[0]!)],
  ['Enable MFA', enabling],
  ['Generate Backup Codes', generating],
  ['Reset Portal MFA', resetting],
];

async function password(scene: Scene): Promise<Prepared> {
  const [maria] = (await scene.members(1)) as [Member];
  const act = (server: ServerProcess): Promise<Told> => signIn(server, maria);
  return {
    act,
    goOn: async (server) => {
      const again = await act(server);
      assert.equal(again.location, `${PORTAL}/verify`, 'the password is asked for again, and taken');
      scene.ledger.told(maria.id, 'password.answered', 'right');
      await opens(scene, server, maria, cookieIn(again, 'sallyport-challenge')!, scene.codeFor(maria));
    },
  };
}

/** A code is burnt together with the session that it opened, or not at all. */
async function code(scene: Scene, codeOf: (maria: Member) => string): Promise<Prepared> {
  const [maria] = (await scene.members(1)) as [Member];
  const typed = codeOf(maria);
  const cookie = await scene.work(async (installation) => {
    const outcome = await signsIn(installation, maria);
    assert.ok(outcome.kind === 'challenge');
    return `__Host-sallyport-challenge=${outcome.cookie}`;
  });
  return {
    act: (server) => verify(server, cookie, typed),
    goOn: async (server) => {
      const again = await verify(server, cookie, typed);
      assert.equal(again.status, 303, 'her code opens the session, or has opened it and the sign-in is over');
      if (cookieIn(again, 'sallyport')) acknowledge(scene, maria, cookie, typed, again);
      const another = cookieIn(await signIn(server, maria), 'sallyport-challenge')!;
      assert.equal((await verify(server, another, typed)).status, 422, 'the code works no more');
      assert.equal(await sessionsOf(scene, maria), 1, 'the code has opened one session, neither none nor two');
    },
  };
}

async function enabling(scene: Scene): Promise<Prepared> {
  const { person, cookie, secret } = await proven(scene);
  const act = (server: ServerProcess): Promise<Told> => press(server, '/enable', cookie);
  return {
    act,
    goOn: async (server) => {
      assert.equal((await act(server)).location, `${PORTAL}/enable-mfa/backup-codes`);
      scene.ledger.told(person.id, 'mfa.enabled');
      await finish(scene, server, person, cookie, secret);
    },
  };
}

async function generating(scene: Scene): Promise<Prepared> {
  const { person, cookie, secret } = await proven(scene);
  await scene.work(async (installation) => {
    const challenge = await refound(installation, person, valueOf(cookie));
    assert.ok(await enable(installation, challenge, home(person)));
  });
  return {
    act: (server) => press(server, '/backup-codes', cookie),
    goOn: (server) => finish(scene, server, person, cookie, secret),
  };
}

/** After the reset, whenever it died: one reset on record, and the way in leads to a new enrolment. */
async function resetting(scene: Scene): Promise<Prepared> {
  const [maria] = (await scene.members(1)) as [Member];
  const sam = await staffCookie(scene);
  const path = `/admin/customers/${scene.acme.globex.id}/contacts/${maria.id}/reset-mfa`;
  const fields = { check: 'met-in-person', note: '' };
  const act = (server: ServerProcess): Promise<Told> => ask(server.port, { path, fields, cookie: sam });
  return {
    act,
    goOn: async (server) => {
      const { status } = await act(server);
      assert.ok(status < 500, `pressing it again ended in ${status}`);
      scene.ledger.told(maria.id, 'mfa.reset');
      assert.equal((await signIn(server, maria)).location, `${PORTAL}/enable-mfa`, 'her MFA is gone, all of it');
      const resets = await scene.work(({ db }) =>
        db.all(sql`SELECT id FROM audit_rows WHERE action = 'mfa.reset' AND target_id = ${maria.id}`),
      );
      assert.equal(resets.length, 1, 'she was reset once');
    },
  };
}

let sams: Map<Scene, Enrolled> | undefined;

async function staffCookie(scene: Scene): Promise<string> {
  sams ??= new Map();
  const { sam } = scene.acme;
  const known = sams.get(scene) ?? (await scene.work((installation) => enrol(installation, sam)));
  sams.set(scene, known);
  // As many as an agent may reset in an hour are fewer than moments at which to die.
  scene.clock.advance(HOUR_MS);
  return scene.work(async (installation) => {
    const challenge = await challenged(installation, sam);
    const answered = await answers(installation, challenge, scene.codeFor(known));
    assert.ok(answered.kind === 'right', `Sam's code was found ${answered.kind}`);
    return `__Host-sallyport-admin=${answered.bought.cookie}`;
  });
}

/** Somebody who has proven an app and is asked whether to enable it. */
async function proven(scene: Scene): Promise<{ person: Person; cookie: string; secret: Uint8Array }> {
  const person = await scene.newcomer();
  return scene.work(async (installation) => {
    const outcome = await signsIn(installation, person);
    assert.ok(outcome.kind === 'enrolment');
    const challenge = await refound(installation, person, outcome.cookie);
    await offer(installation, challenge, home(person));
    const { secret } = await pendingOf(installation, challenge);
    await verifyEnrolment(installation, challenge, scene.codeFor({ secret }), home(person));
    return { person, cookie: `__Host-sallyport-challenge=${outcome.cookie}`, secret };
  });
}

/** From wherever the ceremony stands to a session by a backup code, and one by the app. */
async function finish(
  scene: Scene,
  server: ServerProcess,
  person: Person,
  cookie: string,
  secret: Uint8Array,
): Promise<void> {
  const page = `${PORTAL}/enable-mfa/backup-codes`;
  assert.equal((await press(server, '/backup-codes', cookie)).location, page);
  const first = codesOn(await ask(server.port, { path: page, cookie }));
  await press(server, '/backup-codes', cookie);
  const second = codesOn(await ask(server.port, { path: page, cookie }));
  assert.equal(first.length, 5, 'five backup codes are shown');
  assert.deepEqual(second, first, 'and the same five again');
  scene.ledger.told(person.id, 'backup-codes.generated');
  scene.clock.advance(2 * MINUTE_MS);
  await server.tell({ now: scene.clock.now });
  for (const typed of [first[4]!, scene.codeFor({ secret })]) {
    const challenge = cookieIn(await signIn(server, person), 'sallyport-challenge')!;
    await opens(scene, server, person, challenge, typed);
  }
}

async function opens(
  scene: Scene,
  server: ServerProcess,
  person: Person,
  cookie: string,
  typed: string,
): Promise<void> {
  const answer = await verify(server, cookie, typed);
  assert.ok(cookieIn(answer, 'sallyport'), `${typed} lets ${person.name} in, and was answered ${answer.status}`);
  acknowledge(scene, person, cookie, typed, answer);
}

function acknowledge(scene: Scene, { id }: Person, cookie: string, typed: string, answer: Told): void {
  const session = valueOf(cookieIn(answer, 'sallyport')!);
  scene.ledger.answered({ accountId: id, code: typed, challenge: valueOf(cookie), outcome: 'right', session });
}

function signIn(server: ServerProcess, { id, email, password: typed }: Person): Promise<Told> {
  return ask(server.port, { path: `${PORTAL}/sign-in`, fields: { email, password: typed }, address: addressOf(id) });
}

function verify(server: ServerProcess, cookie: string, typed: string): Promise<Told> {
  return ask(server.port, { path: `${PORTAL}/verify`, fields: { code: typed }, cookie });
}

function press(server: ServerProcess, button: string, cookie: string): Promise<Told> {
  return ask(server.port, { path: `${PORTAL}/enable-mfa${button}`, fields: {}, cookie });
}

function codesOn({ text }: Told): string[] {
  return [...new Set(text.match(/\b\d{4}-\d{4}-\d{4}\b/g))];
}

async function sessionsOf(scene: Scene, { id }: Person): Promise<number> {
  return (await scene.work(({ db }) => db.all(sql`SELECT id FROM sessions WHERE account_id = ${id}`))).length;
}

function addressOf(id: string): string {
  const bytes = Buffer.from(id.slice(-4), 'hex');
  return `198.18.${bytes[0]}.${bytes[1]}`;
}
