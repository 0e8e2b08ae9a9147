import assert from 'node:assert/strict';
import { proveAgain } from '../../src/auth/fresh-proof.ts';
import { findSession, type Session } from '../../src/auth/sessions.ts';
import { answers, challenged, home, signsIn, type Person } from '../acme.ts';
import { STEP_MS } from '../../src/crypto/totp.ts';
import type { World } from '../world.ts';

/** The session that a cookie leads to, which is open. */
export async function sessionOf({ db, clock }: World, cookie: string): Promise<Session> {
  const session = await findSession(db, 'portal', cookie, clock.now);
  assert.ok(session, 'the session is over');
  return session;
}

/** Somebody with MFA, who has just signed in with a code. */
export async function insideByCode(world: World, person: Person, secret: Uint8Array): Promise<Session> {
  world.clock.advance(STEP_MS);
  const answered = await answers(
    world.installation,
    await challenged(world.installation, person),
    world.codeFor(secret),
  );
  assert.ok(answered.kind === 'right', answered.kind);
  return sessionOf(world, answered.bought.cookie);
}

/** Somebody without MFA, who has signed in with the password and just given it again. */
export async function insideByPassword(world: World, person: Person): Promise<Session> {
  const outcome = await signsIn(world.installation, person);
  assert.ok(outcome.kind === 'signed-in', outcome.kind);
  const session = await sessionOf(world, outcome.cookie);
  const proof = await proveAgain(world.installation, session, person.password, undefined, home(person));
  assert.ok(proof.kind === 'proven', proof.kind);
  return sessionOf(world, proof.cookie);
}
