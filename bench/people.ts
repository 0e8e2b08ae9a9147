import { OPERATOR } from '../src/accounts/audit.ts';
import { findAccount, type Account } from '../src/accounts/accounts.ts';
import { createContact } from '../src/accounts/contacts.ts';
import { createCustomer, type Customer } from '../src/accounts/customers.ts';
import { closeInstallation, type Installation } from '../src/accounts/installation.ts';
import { createOrganization } from '../src/accounts/organizations.ts';
import { createStaff } from '../src/accounts/staff.ts';
import { findChallenge, openChallenge } from '../src/auth/challenges.ts';
import { ceremony, enable, offer, verifyEnrolment } from '../src/auth/enrolment.ts';
import { hashNewPassword, storePassword } from '../src/auth/passwords.ts';
import { openAll } from '../src/cli/open.ts';
import { readConfig } from '../src/config.ts';
import { timeStep, totpCode } from '../src/crypto/totp.ts';
import { sql } from '../src/db/db.ts';

/** Somebody who can come in. */
export interface Enrolled {
  readonly id: string;
  readonly portal: string;
  readonly email: string;
  readonly password: string;
  readonly secret: Uint8Array;
}

const SLUG = 'bench';
const PASSWORD = 'quiet lanterns over the harbour';
const HOME = { address: '192.0.2.1', network: '192.0.2.1', userAgent: 'bench' };
const LOG = { info: () => undefined, warn: console.error, error: console.error };

/** Makes a merchant with so many contacts, all of whom have set up MFA ten minutes ago. Their passwords are one. */
export async function enrolContacts(settings: Readonly<Record<string, string>>, count: number): Promise<Enrolled[]> {
  const installation = await openAll(readConfig(settings), () => Date.now() - 600_000, LOG, { patient: true });
  try {
    const customer = await merchant(installation);
    const argon2 = await hashNewPassword(installation, PASSWORD);
    const enrolled: Enrolled[] = [];
    for (let n = 0; n < count; n++) {
      const account = await contact(installation, customer, `contact${n}@bench.test`, argon2);
      const secret = await enrol(installation, account);
      enrolled.push({ id: account.id, portal: `/portal/${SLUG}`, email: account.email, password: PASSWORD, secret });
    }
    return enrolled;
  } finally {
    await closeInstallation(installation);
  }
}

/** Somebody whose password will be refused, and where. */
export interface Stranger {
  readonly path: string;
  readonly email: string;
  readonly password: string;
}

/** Whom a refused password may be about, at each door: so many of each, so that no account's own limit is reached. */
export async function strangers(
  settings: Readonly<Record<string, string>>,
  count: number,
): Promise<Record<string, Record<string, Stranger[]>>> {
  const installation = await openAll(readConfig(settings), () => Date.now() - 600_000, LOG, { patient: true });
  try {
    const customer = await merchant(installation);
    const argon2 = await hashNewPassword(installation, PASSWORD);
    for (let n = 0; n < count; n++) {
      await contact(installation, customer, `known${n}@bench.test`, argon2);
      await closed(installation, await contact(installation, customer, `closed${n}@bench.test`, argon2));
      await contact(installation, customer, `invited${n}@bench.test`, undefined);
      await colleague(installation, customer, `known${n}@staff.test`, argon2);
      await closed(installation, await colleague(installation, customer, `closed${n}@staff.test`, argon2));
      await colleague(installation, customer, `invited${n}@staff.test`, undefined);
    }
    const at = (path: string, domain: string): Record<string, Stranger[]> => {
      const cases = (name: string, password: string): Stranger[] =>
        Array.from({ length: count }, (_, n) => ({ path, email: `${name}${n}@${domain}`, password }));
      const wrong = 'noisy lanterns over the harbour';
      return {
        'wrong password': cases('known', wrong),
        'unknown email': cases('nobody', wrong),
        'closed, right password': cases('closed', PASSWORD),
        'closed, wrong password': cases('closed', wrong),
        'no password yet': cases('invited', wrong),
      };
    };
    return {
      'the portal': at(`/portal/${SLUG}/sign-in`, 'bench.test'),
      'the console': at('/admin/sign-in', 'staff.test'),
    };
  } finally {
    await closeInstallation(installation);
  }
}

async function closed(installation: Installation, { organizationId, id }: Account): Promise<void> {
  await installation.db.transaction((tx) =>
    tx.run(sql`UPDATE accounts SET disabled_at = 1 WHERE organization_id = ${organizationId} AND id = ${id}`),
  );
}

async function colleague(
  installation: Installation,
  { organizationId }: Customer,
  email: string,
  argon2: string | undefined,
): Promise<Account> {
  return installation.db.transaction(async (tx) => {
    const account = await createStaff(tx, installation, OPERATOR, organizationId, {
      name: email,
      email,
      role: 'support',
    });
    if (!account) throw new Error(`${email} is taken`);
    if (argon2 !== undefined) await storePassword(tx, installation, OPERATOR, account, argon2);
    return account;
  });
}

async function merchant(installation: Installation): Promise<Customer> {
  const draft = { slug: SLUG, name: 'Bench', contactDetails: '', timeZone: 'UTC' };
  const organization = await installation.db.transaction((tx) => createOrganization(tx, installation, OPERATOR, draft));
  if (!organization) throw new Error('the database is not empty');
  return createCustomer(installation, OPERATOR, organization.id, 'Globex');
}

async function contact(
  installation: Installation,
  { organizationId, id }: Customer,
  email: string,
  argon2: string | undefined,
): Promise<Account> {
  const made = await createContact(installation, OPERATOR, organizationId, id, { name: email, email, phone: null });
  if (made.kind !== 'saved') throw new Error(`${email}: ${made.kind}`);
  const find = async (): Promise<Account> => (await findAccount(installation.db, organizationId, made.id))!;
  const account = await find();
  if (argon2 === undefined) return account;
  await installation.db.transaction((tx) => storePassword(tx, installation, OPERATOR, account, argon2));
  return find();
}

/** The ceremony of enabling MFA without its pages, and without the slow check of the password before it. */
async function enrol(installation: Installation, account: Account): Promise<Uint8Array> {
  const { db, now } = installation;
  const opening = { account, epoch: account.epoch, surface: 'portal', purpose: 'enrolment' } as const;
  const { cookie } = await db.transaction((tx) => openChallenge(tx, opening, now()));
  const found = await findChallenge(db, 'portal', cookie, now());
  if (found?.kind !== 'open') throw new Error('the challenge is not open');
  await offer(installation, found.challenge, HOME);
  const begun = await ceremony(installation, found.challenge);
  if (begun.step !== 'offered') throw new Error(`the ceremony stands at ${begun.step}`);
  const { secret } = begun.pending;
  await verifyEnrolment(installation, found.challenge, totpCode(secret, timeStep(now())), HOME);
  if (!(await enable(installation, found.challenge, HOME))) throw new Error('nothing was enabled');
  return secret;
}
