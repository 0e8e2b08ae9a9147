import { createStaff, hasOwner } from '../accounts/staff.ts';
import type { Installation } from '../accounts/installation.ts';
import { createOrganization, slugFor } from '../accounts/organizations.ts';
import { emailKey } from '../accounts/accounts.ts';
import { hashToken, randomToken, uuidv7 } from '../crypto/tokens.ts';
import { RolledBack, sql } from '../db/db.ts';
import { openChallenge } from './challenges.ts';
import { SETUP_LINK_LIFETIME_MS } from './limits.ts';
import { judgePassword, hashNewPassword, storePassword, type PasswordProblem } from './passwords.ts';

/** The token of a fresh set-up link, which replaces the one before; undefined once anybody owns anything. */
export function offerSetup(installation: Installation): Promise<string | undefined> {
  const token = randomToken();
  const now = installation.now();
  return installation.db.transaction<string | undefined>(async (tx) => {
    if (await hasOwner(tx)) return undefined;
    await tx.run(sql`INSERT INTO setup_links (id, token_hash, expires_at) VALUES ('first-owner', ${hashToken(token)}, ${now + SETUP_LINK_LIFETIME_MS})
      ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at, spent_at = NULL`);
    return token;
  });
}

/** Whether a set-up link works now. Reading spends nothing. */
export async function isSetupOpen(installation: Installation, token: string): Promise<boolean> {
  const link = await installation.db.one(sql`SELECT 1 AS found FROM setup_links WHERE id = 'first-owner'
    AND token_hash = ${hashToken(token)} AND spent_at IS NULL AND expires_at > ${installation.now()}`);
  return link !== undefined && !(await hasOwner(installation.db));
}

export interface FirstOwner {
  readonly name: string;
  readonly email: string;
  readonly password: string;
  readonly organization: string;
  readonly contactDetails: string;
  readonly timeZone: string;
}

export type SetUp =
  /** Everything was made at once; the cookie leads to the owner's own enrolment. */
  | { kind: 'made'; cookie: string }
  | { kind: 'link-over' }
  | { kind: 'refused'; problem: PasswordProblem | 'email-shape' | 'email-taken' };

/** Spends the set-up link for the first organization and its owner, in one transaction, and begins the owner's enrolment. */
export async function setUp(
  installation: Installation,
  token: string,
  first: FirstOwner,
  address: string,
): Promise<SetUp> {
  if (!(await isSetupOpen(installation, token))) return { kind: 'link-over' };
  if (emailKey(first.email) === undefined) return { kind: 'refused', problem: 'email-shape' };
  const problem = await judgePassword(first.password, [first.name, first.email, first.organization]);
  if (problem) return { kind: 'refused', problem };
  const argon2 = await hashNewPassword(installation, first.password);
  return installation.db.transaction<SetUp>(async (tx) => {
    const now = installation.now();
    const spent = await tx.run(sql`UPDATE setup_links SET spent_at = ${now} WHERE id = 'first-owner'
      AND token_hash = ${hashToken(token)} AND spent_at IS NULL AND expires_at > ${now}`);
    if (spent !== 1 || (await hasOwner(tx))) return new RolledBack<SetUp>({ kind: 'link-over' });
    const actor = { kind: 'system' } as const;
    const draft = { name: first.organization, contactDetails: first.contactDetails, timeZone: first.timeZone };
    const slug = slugFor(first.organization);
    const organization =
      (await createOrganization(tx, installation, actor, { ...draft, slug })) ??
      (await createOrganization(tx, installation, actor, {
        ...draft,
        slug: `${slug.slice(0, 31)}-${uuidv7(now).slice(-8)}`,
      }));
    if (!organization) throw new Error('two slugs were taken');
    const owner = await createStaff(tx, installation, actor, organization.id, { ...first, role: 'owner' });
    if (!owner) return new RolledBack<SetUp>({ kind: 'refused', problem: 'email-taken' });
    const self = { kind: 'account', id: owner.id, address } as const;
    await storePassword(tx, installation, self, owner, argon2);
    const opening = { account: owner, epoch: owner.epoch + 1, surface: 'admin', purpose: 'enrolment' } as const;
    return { kind: 'made', cookie: (await openChallenge(tx, opening, now)).cookie };
  });
}
