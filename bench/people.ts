import { OPERATOR } from '../src/accounts/audit.ts';
import { findAccount, type Account } from '../src/accounts/accounts.ts';
import { createContact } from '../src/accounts/contacts.ts';
import { createCustomer, type Customer } from '../src/accounts/customers.ts';
import type { Installation } from '../src/accounts/installation.ts';
import { createOrganization } from '../src/accounts/organizations.ts';
import { findChallenge, openChallenge } from '../src/auth/challenges.ts';
import { ceremony, enable, offer, verifyEnrolment } from '../src/auth/enrolment.ts';
import { hashNewPassword, storePassword } from '../src/auth/passwords.ts';
import { openAll } from '../src/cli/open.ts';
import { readConfig } from '../src/config.ts';
import { timeStep, totpCode } from '../src/crypto/totp.ts';

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
  const installation = await openAll(readConfig(settings), () => Date.now() - 600_000, LOG);
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
    await installation.db.close();
  }
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
  argon2: string,
): Promise<Account> {
  const made = await createContact(installation, OPERATOR, organizationId, id, { name: email, email, phone: null });
  if (made.kind !== 'saved') throw new Error(`${email}: ${made.kind}`);
  const find = async (): Promise<Account> => (await findAccount(installation.db, organizationId, made.id))!;
  const account = await find();
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
