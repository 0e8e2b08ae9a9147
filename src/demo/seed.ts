import { findAccountByEmail, type Account, type Role } from '../accounts/accounts.ts';
import { appendLinks } from '../accounts/audit-chain.ts';
import { OPERATOR } from '../accounts/audit.ts';
import { createContact } from '../accounts/contacts.ts';
import { createCustomer } from '../accounts/customers.ts';
import { importDocuments, type Document } from '../accounts/documents.ts';
import { dayOf, writeFigures } from '../accounts/figures.ts';
import type { Installation } from '../accounts/installation.ts';
import { createOrganization, type Organization } from '../accounts/organizations.ts';
import { rollUp } from '../accounts/roll-up.ts';
import { createStaff } from '../accounts/staff.ts';
import type { Answer } from '../auth/answer.ts';
import { setPortalAccess } from '../auth/access.ts';
import { findChallenge, openChallenge, type Challenge, type Surface } from '../auth/challenges.ts';
import { generateCodes } from '../auth/ceremony-codes.ts';
import { ceremony, enable, offer, verifyEnrolment } from '../auth/enrolment.ts';
import { hashNewPassword, storePassword } from '../auth/passwords.ts';
import { answerChallenge, leaveChallenge, signIn } from '../auth/sign-in.ts';
import { countStandings } from '../auth/standing.ts';
import { timeStep, totpCode } from '../crypto/totp.ts';
import { CROWD } from './crowd.ts';
import { aYear } from './year.ts';

/** The one password of everybody at Acme Billing. Example data in a throw-away folder, and nowhere else. */
export const PASSWORD = 'harbour lantern copper';

export const PEOPLE = {
  ada: { name: 'Ada Okafor', email: 'ada@acme.test', role: 'owner' },
  ben: { name: 'Ben Larsen', email: 'ben@acme.test', role: 'admin' },
  sam: { name: 'Sam Ortiz', email: 'sam@acme.test', role: 'support' },
} as const satisfies Record<string, { name: string; email: string; role: Role }>;

export type State = 'enrolled' | 'set up' | 'one code left' | 'not enrolled' | 'invited' | 'disabled';

export interface Example {
  readonly name: string;
  readonly contacts: readonly { name: string; email: string; state: State }[];
}

const CUSTOMERS: readonly Example[] = [
  {
    name: 'Globex',
    contacts: [
      { name: 'Maria Silva', email: 'maria@globex.test', state: 'enrolled' },
      { name: 'Ines Moreau', email: 'ines@globex.test', state: 'invited' },
    ],
  },
  { name: 'Initech', contacts: [{ name: 'Noor Haddad', email: 'noor@initech.test', state: 'not enrolled' }] },
  { name: 'Umbra Studio', contacts: [{ name: 'Omar Reyes', email: 'omar@umbra.test', state: 'one code left' }] },
  { name: 'Hooli Farms', contacts: [{ name: 'Dan Novak', email: 'dan@hooli.test', state: 'disabled' }] },
];

const HOUR_MS = 3_600_000;
const VISITOR = {
  address: '192.0.2.10',
  network: '192.0.2.10',
  userAgent: 'Mozilla/5.0 (Windows NT 10.0) Chrome/150.0',
};

/**
 * Fills an empty database with Acme Billing through the product's own stories, in the past: no time step of today is
 * used up, so the first code that the pocket authenticator shows works. `at` runs the stories at another hour.
 */
export async function seed(installation: Installation, at: (hoursAgo: number) => Installation): Promise<Organization> {
  const organization = await createAcme(at(24 * 60));
  const argon2 = await hashNewPassword(installation, PASSWORD);
  for (const person of Object.values(PEOPLE)) {
    const account = await at(24 * 60).db.transaction((tx) =>
      createStaff(tx, at(24 * 60), OPERATOR, organization.id, person),
    );
    if (!account) throw new Error('a demo address was taken');
    await enrol(at(24 * 50), organization, account, argon2, 'admin');
  }
  for (const [index, { name, contacts }] of [...CUSTOMERS, ...CROWD].entries()) {
    const created = at(24 * 45);
    const customer = await createCustomer(created, OPERATOR, organization.id, name);
    await importDocuments(created, OPERATOR, organization.id, documentsFor(customer.id, index, installation.now()));
    for (const contact of contacts) {
      await createContact(created, OPERATOR, organization.id, customer.id, { ...contact, phone: null });
      await bringTo(contact.state, at, organization, contact.email, argon2);
    }
  }
  await addUpAYear(installation, organization);
  return organization;
}

// The figures of a year are written where the product would have added them up from a year of sign-ins; what the stories
// above left in the log comes on top, and where the contacts stand today is really counted.
async function addUpAYear(installation: Installation, { id, timeZone }: Organization): Promise<void> {
  const { db, now } = installation;
  const contacts = [...CUSTOMERS, ...CROWD].flatMap((customer) => customer.contacts);
  const agents = [PEOPLE.sam, PEOPLE.sam, PEOPLE.ben].map(({ email }) => findAccountByEmail(db, id, 'staff', email));
  const year = aYear(dayOf(now(), timeZone), {
    contacts: contacts.filter(({ state }) => state !== 'disabled').length,
    on: contacts.filter(({ state }) => HAS_MFA.includes(state)).length,
    agents: (await Promise.all(agents)).flatMap((agent) => agent?.id ?? []),
  });
  await db.transaction((tx) => writeFigures(tx, id, year, 'add'));
  await appendLinks(installation);
  await rollUp(installation);
  await countStandings(installation);
}

const HAS_MFA: readonly State[] = ['enrolled', 'set up', 'one code left'];

async function createAcme(installation: Installation): Promise<Organization> {
  const draft = {
    slug: 'acme',
    name: 'Acme Billing',
    contactDetails: 'Call 020 7946 0123, weekdays 9 to 17\nbilling@acme.test',
    timeZone: 'Europe/London',
  };
  const organization = await installation.db.transaction((tx) => createOrganization(tx, installation, OPERATOR, draft));
  if (!organization) throw new Error('the demo needs an empty database');
  return organization;
}

async function bringTo(
  state: State,
  at: (hoursAgo: number) => Installation,
  organization: Organization,
  email: string,
  argon2: string,
): Promise<void> {
  const then = at(24 * 40);
  const account = await findAccountByEmail(then.db, organization.id, 'contact', email);
  if (!account || state === 'invited') return;
  if (state === 'set up') return void (await enrol(then, organization, account, argon2, 'portal'));
  if (state === 'enrolled' || state === 'one code left') {
    const { secret, codes } = await enrol(then, organization, account, argon2, 'portal');
    for (const [day, code] of codes.slice(0, state === 'enrolled' ? 1 : 4).entries()) {
      await signInWith(at(24 * (30 - day * 5)), organization, account, { kind: 'backup-code', code });
    }
    const lately = at(24 * 3);
    await signInWith(lately, organization, account, { kind: 'totp', code: totpCode(secret, timeStep(lately.now())) });
    return;
  }
  await then.db.transaction((tx) => storePassword(tx, then, OPERATOR, account, argon2));
  if (state === 'disabled') await setPortalAccess(at(24 * 8), OPERATOR, account, false);
}

/** The whole ceremony, as a person goes through it; answers what they have then. */
async function enrol(
  installation: Installation,
  organization: Organization,
  account: Account,
  argon2: string,
  surface: Surface,
): Promise<{ secret: Uint8Array; codes: readonly string[] }> {
  const { db } = installation;
  await db.transaction((tx) => storePassword(tx, installation, OPERATOR, account, argon2));
  const ready = await findAccountByEmail(db, organization.id, account.kind, account.email);
  if (!ready) throw new Error('the account has gone');
  const opening = { account: ready, epoch: ready.epoch, surface, purpose: 'enrolment' } as const;
  const { cookie } = await db.transaction((tx) => openChallenge(tx, opening, installation.now()));
  const challenge = await openOf(installation, surface, cookie);
  await offer(installation, challenge, VISITOR);
  const offered = await ceremony(installation, challenge);
  if (offered.step !== 'offered') throw new Error('nothing was offered');
  const { secret } = offered.pending;
  await verifyEnrolment(installation, challenge, totpCode(secret, timeStep(installation.now())), VISITOR);
  await enable(installation, challenge, VISITOR);
  const handingOut = await openOf(installation, surface, cookie);
  const codes = await generateCodes(installation, handingOut, VISITOR);
  await leaveChallenge(installation, handingOut);
  return { secret, codes: codes ?? [] };
}

async function signInWith(
  installation: Installation,
  organization: Organization,
  account: Account,
  code: Answer,
): Promise<void> {
  const given = {
    organizationId: organization.id,
    email: account.email,
    password: PASSWORD,
    visitor: VISITOR,
    previous: undefined,
  };
  const first = await signIn(installation, 'portal', given);
  if (first.kind !== 'challenge') throw new Error(`the demo expected a challenge and met ${first.kind}`);
  const challenge = await openOf(installation, 'portal', first.cookie);
  await answerChallenge(installation, challenge, code, VISITOR, undefined);
}

async function openOf(installation: Installation, surface: Surface, cookie: string): Promise<Challenge> {
  const found = await findChallenge(installation.db, surface, cookie, installation.now());
  if (found?.kind !== 'open') throw new Error('the challenge is over');
  return found.challenge;
}

function documentsFor(customerId: string, index: number, now: number): (Document & { customerId: string })[] {
  const serial = 2040 + index * 10;
  const day = (ago: number): string => new Date(now - ago * 24 * HOUR_MS).toISOString().slice(0, 10);
  const invoice = (
    n: number,
    title: string,
    ago: number,
    amount: string,
    status: string,
  ): Document & { customerId: string } => ({
    customerId,
    kind: 'invoice',
    number: `INV-${serial + n}`,
    title,
    date: day(ago),
    amount,
    currency: 'GBP',
    status,
    url: `https://billing.acme.test/invoices/INV-${serial + n}`,
  });
  return [
    invoice(5, 'Hosting, this month', 6, '1240.00', 'Due'),
    invoice(4, 'Hosting, last month', 37, '1240.00', 'Paid'),
    invoice(3, 'Extra storage', 52, '186.50', 'Paid'),
    invoice(2, 'Migration work', 75, '3480.00', 'Paid'),
    {
      customerId,
      kind: 'credit note',
      number: `CN-${serial + 1}`,
      title: 'Refund for an outage',
      date: day(80),
      amount: '-95.00',
      currency: 'GBP',
      status: 'Applied',
      url: null,
    },
    {
      customerId,
      kind: 'subscription',
      number: `SUB-${serial}`,
      title: 'Hosting, monthly',
      date: day(300),
      amount: '1240.00',
      currency: 'GBP',
      status: 'Active',
      url: null,
    },
  ];
}
