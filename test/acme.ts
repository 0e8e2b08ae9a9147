import assert from 'node:assert/strict';
import { findAccount, type Account, type Role } from '../src/accounts/accounts.ts';
import { OPERATOR } from '../src/accounts/audit.ts';
import { createContact } from '../src/accounts/contacts.ts';
import { createCustomer, type Customer } from '../src/accounts/customers.ts';
import type { Installation } from '../src/accounts/installation.ts';
import {
  createOrganization,
  findOrganization,
  saveGeneralSettings,
  type Organization,
  type Policy,
} from '../src/accounts/organizations.ts';
import { createStaff } from '../src/accounts/staff.ts';
import type { Answered } from '../src/auth/answer.ts';
import { findChallenge, type Challenge, type FoundChallenge, type Surface } from '../src/auth/challenges.ts';
import { readCode } from '../src/auth/code-input.ts';
import { generateCodes } from '../src/auth/ceremony-codes.ts';
import { ceremony, enable, offer, verifyEnrolment, type Pending } from '../src/auth/enrolment.ts';
import { hashNewPassword, storePassword } from '../src/auth/passwords.ts';
import { findSession, type Session, type Visitor } from '../src/auth/sessions.ts';
import { answerChallenge, leaveChallenge, signIn, type Opened, type SignInOutcome } from '../src/auth/sign-in.ts';
import { timeStep, totpCode } from '../src/crypto/totp.ts';
import { checkFile } from '../src/jobs/check-file.ts';
import { stageFile } from '../src/jobs/import-file.ts';
import { prepareBulk } from '../src/jobs/bulk-contacts.ts';
import { startJob } from '../src/jobs/jobs.ts';

/** Somebody with an account, and what only they know. */
export interface Person {
  readonly organizationId: string;
  readonly id: string;
  readonly surface: Surface;
  readonly name: string;
  readonly email: string;
  readonly password: string;
}

export interface Acme {
  readonly organization: Organization;
  /** Owns the place. */
  readonly ada: Person;
  /** In support. */
  readonly sam: Person;
  /** The auditor. */
  readonly otto: Person;
  readonly globex: Customer;
  /** The primary contact of Globex. */
  readonly maria: Person;
  /** Her colleague. */
  readonly noor: Person;
  readonly initech: Customer;
  /** Of Initech; she guesses. */
  readonly eve: Person;
}

/** Makes Acme Billing, or another merchant whose people have the same names and other addresses. */
export async function acme(installation: Installation, slug = 'acme'): Promise<Acme> {
  const organization = await installation.db.transaction((tx) =>
    createOrganization(tx, installation, OPERATOR, {
      slug,
      name: 'Acme Billing',
      contactDetails: 'Call us: +1 555 0100',
      timeZone: 'UTC',
    }),
  );
  assert.ok(organization, 'the slug is taken');
  const staff = (name: string, role: Role): Promise<Person> => addStaff(installation, organization, name, role);
  const globex = await createCustomer(installation, OPERATOR, organization.id, 'Globex');
  const initech = await createCustomer(installation, OPERATOR, organization.id, 'Initech');
  return {
    organization,
    ada: await staff('Ada Owens', 'owner'),
    sam: await staff('Sam Porter', 'support'),
    otto: await staff('Otto Lind', 'auditor'),
    globex,
    maria: await addContact(installation, globex, 'Maria Silva'),
    noor: await addContact(installation, globex, 'Noor Haddad'),
    initech,
    eve: await addContact(installation, initech, 'Eve Moreau'),
  };
}

/** Adds a staff member `first@{slug}.test`, with a password. */
export async function addStaff(
  installation: Installation,
  organization: Organization,
  name: string,
  role: Role,
): Promise<Person> {
  const email = `${firstName(name)}@${organization.slug}.test`;
  const account = await installation.db.transaction((tx) =>
    createStaff(tx, installation, OPERATOR, organization.id, { name, email, role }),
  );
  assert.ok(account, `${email} is taken`);
  return withPassword(installation, account);
}

/** Adds a contact `first@{customer}.test`, with a password. */
export async function addContact(installation: Installation, customer: Customer, name: string): Promise<Person> {
  const email = `${firstName(name)}@${customer.name.toLowerCase()}.test`;
  const draft = { name, email, phone: null };
  const made = await createContact(installation, OPERATOR, customer.organizationId, customer.id, draft);
  assert.ok(made.kind === 'saved', `${email} is taken`);
  const account = await findAccount(installation.db, customer.organizationId, made.id);
  assert.ok(account);
  return withPassword(installation, account);
}

/** Gives an account a password of its own without judging it, which is slow. */
async function withPassword(installation: Installation, account: Account): Promise<Person> {
  const password = `${firstName(account.name)} keeps a long secret`;
  const argon2 = await hashNewPassword(installation, password);
  await installation.db.transaction((tx) => storePassword(tx, installation, OPERATOR, account, argon2));
  const { organizationId, id, name, email } = account;
  return { organizationId, id, name, email, password, surface: account.kind === 'staff' ? 'admin' : 'portal' };
}

/** The operator sets the policy, with so many days of grace. */
export async function setPolicy(
  installation: Installation,
  { id }: Organization,
  policy: Policy,
  graceDays: number | null = null,
): Promise<void> {
  const today = await findOrganization(installation.db, id);
  assert.ok(today);
  const saved = await saveGeneralSettings(installation, OPERATOR, today, { policy, graceDays });
  assert.equal(saved.kind, 'saved');
}

/** A browser at an address, as the domain knows it. */
export function from(address: string): Visitor {
  return { address, network: address, userAgent: 'Mozilla/5.0 (test)' };
}

/** Where people are unless a test says otherwise: everybody at an address of their own. */
export function home(person: Pick<Person, 'id'>): Visitor {
  return from(`home of ${person.id}`);
}

/** What a person types at their door. */
export function signsIn(
  installation: Installation,
  person: Person,
  { password = person.password, visitor = home(person) }: { password?: string; visitor?: Visitor } = {},
): Promise<SignInOutcome> {
  const organizationId = person.surface === 'portal' ? person.organizationId : null;
  return signIn(installation, person.surface, {
    organizationId,
    email: person.email,
    password,
    visitor,
    previous: undefined,
  });
}

/** Signs in with the right password and answers the challenge that it opened, for a code or for an enrolment. */
export async function challenged(installation: Installation, person: Person): Promise<Challenge> {
  const outcome = await signsIn(installation, person);
  assert.ok(outcome.kind === 'challenge' || outcome.kind === 'enrolment', `signing in led to ${outcome.kind}`);
  return openOf(await found(installation, person, outcome.cookie));
}

/** What a challenge cookie leads to at the person's door. */
export async function found(installation: Installation, person: Person, cookie: string): Promise<FoundChallenge> {
  const challenge = await findChallenge(installation.db, person.surface, cookie, installation.now());
  assert.ok(challenge, 'the cookie was never one of ours');
  return challenge;
}

export function openOf(challenge: FoundChallenge): Challenge {
  assert.ok(challenge.kind === 'open', 'the challenge is not open');
  return challenge.challenge;
}

/** Answers a challenge with what is typed: six digits of the app, or twelve of a backup code. */
export function answers(
  installation: Installation,
  challenge: Challenge,
  typed: string,
  visitor = home(challenge.account),
): Promise<Answered<Opened>> {
  const code = readCode(typed);
  assert.ok(code.kind === 'totp' || code.kind === 'backup-code', `"${typed}" is no code`);
  return answerChallenge(installation, challenge, code, visitor, undefined);
}

/** Signs in with the password and what is typed; answers the session. */
export async function insideBy(installation: Installation, person: Person, typed: string): Promise<Session> {
  const answered = await answers(installation, await challenged(installation, person), typed);
  assert.ok(answered.kind === 'right', `the code was found ${answered.kind}`);
  const session = await findSession(installation.db, person.surface, answered.bought.cookie, installation.now());
  assert.ok(session);
  return session;
}

/** A phone scans what a ceremony shows that was begun inside, and its code is verified: one button before its end. */
export async function provesAnother(
  installation: Installation,
  person: Person,
  cookie: string,
): Promise<{ challenge: Challenge; secret: Uint8Array }> {
  const challenge = await refound(installation, person, cookie);
  const { secret } = await pendingOf(installation, challenge);
  const code = totpCode(secret, timeStep(installation.now()));
  assert.deepEqual(await verifyEnrolment(installation, challenge, code, home(person)), { kind: 'proven' });
  return { challenge, secret };
}

/** The challenge as its cookie would find it now: after Enable MFA it has another epoch and purpose. */
export async function refound(installation: Installation, person: Person, cookie: string): Promise<Challenge> {
  return openOf(await found(installation, person, cookie));
}

/** What Configure shows. */
export async function pendingOf(installation: Installation, challenge: Challenge): Promise<Pending> {
  const state = await ceremony(installation, challenge);
  assert.ok(state.step === 'offered' || state.step === 'proven', `the ceremony stands at ${state.step}`);
  return state.pending;
}

export interface Enrolled {
  readonly secret: Uint8Array;
  readonly codes: readonly string[];
}

/** Walks the whole ceremony, from the password to Continue to Sign In. The policy must ask for it. */
export async function enrol(installation: Installation, person: Person): Promise<Enrolled> {
  const visitor = home(person);
  const outcome = await signsIn(installation, person);
  assert.ok(outcome.kind === 'enrolment', `signing in led to ${outcome.kind}`);
  const challenge = await refound(installation, person, outcome.cookie);
  await offer(installation, challenge, visitor);
  const { secret } = await pendingOf(installation, challenge);
  const code = totpCode(secret, timeStep(installation.now()));
  assert.deepEqual(await verifyEnrolment(installation, challenge, code, visitor), { kind: 'proven' });
  assert.equal(await enable(installation, challenge, visitor), true);
  const last = await refound(installation, person, outcome.cookie);
  const codes = await generateCodes(installation, last, visitor);
  assert.ok(codes);
  await leaveChallenge(installation, last);
  return { secret, codes };
}

/**
 * Enters so many wrong codes behind the right password, waits out every wait and signs in again when a challenge is over.
 * Each comes from an address of its own, so that only the account's counts hold it up. Answers the last outcome.
 */
export async function guesses(
  world: GuessingWorld,
  person: Person,
  secret: Uint8Array,
  times: number,
): Promise<Answered<Opened>> {
  const { installation, clock } = world;
  let last: Answered<Opened> = { kind: 'over' };
  let challenge: Challenge | undefined;
  for (let guessed = 0; guessed < times;) {
    challenge ??= await challenged(installation, person);
    last = await answers(installation, challenge, world.wrongCode(secret), from(`guess ${guessed} at ${clock.now}`));
    if (last.kind === 'wrong' || last.kind === 'suspected') guessed++;
    if (last.kind === 'wait') clock.advance(last.until - clock.now);
    if (last.kind === 'over' || last.kind === 'suspected' || (last.kind === 'wrong' && last.attemptsLeft === 0))
      challenge = undefined;
  }
  return last;
}

interface GuessingWorld {
  readonly installation: Installation;
  readonly clock: { readonly now: number; advance(ms: number): void };
  wrongCode(secret: Uint8Array): string;
}

function firstName(name: string): string {
  return name.split(' ')[0]?.toLowerCase() ?? '';
}

/** A job that waits, of a kind that no version of ours works on; answers its id. */
export function waitingJob(installation: Installation, organization: Pick<Organization, 'id'>): Promise<string> {
  const draft = { organizationId: organization.id, actor: OPERATOR, kind: 'of another version', plan: {}, total: 3 };
  return installation.db.transaction((tx) => startJob(tx, installation, draft));
}

/** A checked file with one good row that waits to be imported; answers its id. */
export async function waitingImport(
  installation: Installation,
  { id: organizationId }: Pick<Organization, 'id'>,
  email = 'iva@umbra.test',
): Promise<string> {
  const bytes = Buffer.from(`email,name,customer\n${email},Iva Import,Umbra\n`);
  const whose = { organizationId, actor: OPERATOR };
  const staged = await stageFile(installation, whose, { name: 'people.csv', bytes: [bytes] }, { updates: false });
  assert.ok(staged.kind === 'staged');
  await checkFile(installation, { organizationId, id: staged.id });
  return staged.id;
}

/** Contacts that somebody has marked in the list, and whose signing out nobody has confirmed yet. */
export async function markedContacts(installation: Installation, ...people: readonly Person[]): Promise<string> {
  const organizationId = people[0]?.organizationId ?? '';
  const ids = people.map(({ id }) => id);
  const chosen = await prepareBulk(installation, OPERATOR, organizationId, 'sign-out', { ids });
  assert.ok(chosen, 'nobody was marked');
  return chosen;
}
