import assert from 'node:assert/strict';
import { OPERATOR, type Action } from '../src/accounts/audit.ts';
import { saveChoices } from '../src/accounts/choices.ts';
import type { Answer } from '../src/auth/answer.ts';
import type { Visitor } from '../src/auth/sessions.ts';
import { answerChallenge, signIn, type Opened, type SignInOutcome } from '../src/auth/sign-in.ts';
import type { Trust, Trusting } from '../src/auth/trusted-devices.ts';
import { challenged, home, type Acme, type Enrolled, type Person } from './acme.ts';
import type { Engine } from './database.ts';
import { MINUTE_MS, openWorld, type World, type WorldOptions } from './world.ts';

/** Acme, which lets its customers skip the code on their own devices, and Maria, who has MFA. */
export interface DeviceScene extends AsyncDisposable {
  readonly world: World;
  readonly people: Acme & Enrolled;
  /** What her app holds. */
  secret: Uint8Array;
}

/** For 30 days. */
export async function acmeWithDevices(engine: Engine, options: WorldOptions = {}): Promise<DeviceScene> {
  const world = await openWorld(engine, options);
  const people = await world.acmeWithMfa();
  const scene = { world, people, secret: people.secret, [Symbol.asyncDispose]: () => world.close() };
  await allows(scene, 30);
  return scene;
}

export async function allows({ world, people }: DeviceScene, trustedDeviceDays: number | null): Promise<void> {
  const choices = { ...people.organization, trustedDeviceDays };
  await saveChoices(world.installation, OPERATOR, people.organization.id, choices);
}

/** A code of hers that has not been used. */
export function nextCode({ world, secret }: DeviceScene): Answer {
  world.clock.advance(MINUTE_MS);
  return { kind: 'totp', code: world.codeFor(secret) };
}

/** Password and code; with `trusting` she has ticked the box. */
export async function opens(scene: DeviceScene, answer: Answer, trusting?: Trusting): Promise<Opened> {
  const { installation } = scene.world;
  const { maria } = scene.people;
  const challenge = await challenged(installation, maria);
  const answered = await answerChallenge(installation, challenge, answer, home(maria), undefined, trusting);
  assert.ok(answered.kind === 'right', answered.kind);
  return answered.bought;
}

/** Password, code and the box. */
export async function trusts(scene: DeviceScene): Promise<Trust> {
  const { trust } = await opens(scene, nextCode(scene), { carried: undefined });
  assert.ok(trust);
  return trust;
}

interface Return {
  readonly person?: Person;
  readonly password?: string;
  readonly visitor?: Visitor;
}

/** The password alone, in a browser with such a device cookie. */
export function comesBack(
  { world, people }: DeviceScene,
  { cookie }: Pick<Trust, 'cookie'>,
  { person = people.maria, password = person.password, visitor = home(person) }: Return = {},
): Promise<SignInOutcome> {
  const { surface, email } = person;
  const organizationId = surface === 'portal' ? person.organizationId : null;
  const given = { organizationId, email, password, visitor, previous: undefined, device: cookie };
  return signIn(world.installation, surface, given);
}

/** The same, where it opens: the session's cookie, and the next value of the device's. */
export async function isLetIn(
  scene: DeviceScene,
  trust: Pick<Trust, 'cookie'>,
): Promise<{ cookie: string; trust: Trust }> {
  const outcome = await comesBack(scene, trust);
  assert.ok(outcome.kind === 'signed-in' && outcome.trust, outcome.kind);
  return { cookie: outcome.cookie, trust: outcome.trust };
}

/** The same, where a code is asked for. */
export async function isAsked(scene: DeviceScene, trust: Pick<Trust, 'cookie'>, how: Return = {}): Promise<void> {
  assert.equal((await comesBack(scene, trust, how)).kind, 'challenge');
}

/** How often an action stands in the log about Maria. */
export async function timesOf({ world, people }: DeviceScene, wanted: Action): Promise<number> {
  return (await world.audit(people.maria)).filter(({ action }) => action === wanted).length;
}
