import { uuidv7 } from '../crypto/tokens.ts';
import { RolledBack, sql, type Queries, type Sql, type Transaction } from '../db/db.ts';
import { HAS_MFA } from './accounts.ts';
import { record, type Actor } from './audit.ts';
import type { Installation } from './installation.ts';

export type Policy = 'off' | 'optional' | 'required';

/** Whether customers may use passkeys: not at all, in place of the code, or in place of password and code too. */
export type Passkeys = 'off' | 'second-factor' | 'sign-in';

/** What an organization lets its customers do beyond password and code (choices.ts). */
export interface Choices {
  /** For how many days a device may be trusted; null: not at all. */
  readonly trustedDeviceDays: number | null;
  readonly passkeys: Passkeys;
  /** Whether a new authenticator is confirmed by a mailed link or a code from staff. */
  readonly enrolmentConfirmation: 'none' | 'required';
  /** How long a request for help waits at least before staff may approve it. */
  readonly recoveryWaitHours: number;
}

/** How a portal presents itself. */
export interface Branding {
  readonly name: string;
  readonly contactDetails: string;
  readonly timeZone: string;
  /** `#0f5a63`, as the merchant chose it; null is Sallyport's own. */
  readonly accent: string | null;
  /** The logo and its sides in pixels, all three or none (branding.ts). */
  readonly logoHash: string | null;
  readonly logoWidth: number | null;
  readonly logoHeight: number | null;
}

/** One merchant: its portal, its settings, its staff and customers. */
export interface Organization extends Branding, Choices {
  readonly id: string;
  readonly slug: string;
  readonly policy: Policy;
  /** Days within which customers must set MFA up where the policy is `required`; null: at their next sign-in. */
  readonly graceDays: number | null;
  readonly language: string;
}

export interface OrganizationDraft {
  readonly slug: string;
  readonly name: string;
  readonly contactDetails: string;
  readonly timeZone: string;
}

const COLUMNS = sql`id, slug, name, policy, grace_days AS "graceDays", contact_details AS "contactDetails",
  time_zone AS "timeZone", language, accent, logo_hash AS "logoHash", logo_width AS "logoWidth", logo_height AS "logoHeight",
  trusted_device_days AS "trustedDeviceDays", passkeys, enrolment_confirmation AS "enrolmentConfirmation",
  recovery_wait_hours AS "recoveryWaitHours"`;

const PLAIN = {
  accent: null,
  logoHash: null,
  logoWidth: null,
  logoHeight: null,
  trustedDeviceDays: null,
  passkeys: 'off',
  enrolmentConfirmation: 'none',
  recoveryWaitHours: 24,
} as const;

/** The display name goes into the authenticator app's entry, where more than 40 characters make the QR code dense. */
export const ORGANIZATION_NAME_MAX = 40;

export function findOrganization(db: Pick<Queries, 'one'>, id: string): Promise<Organization | undefined> {
  return db.one(sql`SELECT ${COLUMNS} FROM organizations WHERE id = ${id}`);
}

export function findOrganizationBySlug(db: Pick<Queries, 'one'>, slug: string): Promise<Organization | undefined> {
  return db.one(sql`SELECT ${COLUMNS} FROM organizations WHERE slug = ${slug}`);
}

/** The first organizations of the installation, at most `limit`: enough to tell none, one and several apart. */
export function someOrganizations(db: Pick<Queries, 'all'>, limit: number): Promise<Organization[]> {
  return db.all(sql`SELECT ${COLUMNS} FROM organizations ORDER BY id LIMIT ${limit}`);
}

/** Makes an organization with MFA off. Answers undefined where the slug is taken. */
export async function createOrganization(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  draft: OrganizationDraft,
): Promise<Organization | undefined> {
  const now = installation.now();
  const start = { policy: 'off', graceDays: null, language: 'en', ...PLAIN } as const;
  const organization = { ...draft, ...start, id: uuidv7(now) };
  const made = await tx.run(sql`INSERT INTO organizations
    (id, slug, name, policy, contact_details, time_zone, language, created_at)
    VALUES (${organization.id}, ${draft.slug}, ${draft.name}, 'off', ${draft.contactDetails}, ${draft.timeZone}, 'en', ${now})
    ON CONFLICT (slug) DO NOTHING`);
  if (made === 0) return undefined;
  await record(tx, installation, { organizationId: organization.id, actor, action: 'organization.created' });
  return organization;
}

/** Whether a text can be a portal's slug: it stands in its address. */
export function isSlug(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(text);
}

/** A slug made of a display name: "Müller & Söhne" becomes "muller-sohne". */
export function slugFor(name: string): string {
  const letters = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const slug = letters
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '');
  return slug === '' ? 'portal' : slug;
}

/** Whether this machine knows a time zone by that name. */
export function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}

/** What an organization asks of all its customers. */
export type AskedOfAll = Pick<Organization, 'policy' | 'graceDays'>;

export interface GeneralSettings extends AskedOfAll {
  readonly name: string;
  readonly contactDetails: string;
}

/** From how many days to how many a grace may last. */
export const GRACE_DAYS = { min: 1, max: 90 };

export type Saved =
  | { kind: 'saved'; policyChanged: boolean }
  | { kind: 'policy-changed-meanwhile' }
  /** Whoever asks customers for MFA has it: nobody learns from their customers how it goes wrong. */
  | { kind: 'own-mfa-first' };

/**
 * Saves Settings › Customer Portal › General, or part of it, in one transaction. A change of policy concerns what the
 * next password step asks; it touches no authenticator and ends no session, unless everyone is signed out with it (P4,
 * D1). It holds against the policy that the caller has read in `organization`: somebody else's change meanwhile is neither
 * undone nor taken for one's own. Another policy gives a grace of its own; other days of the same one do not.
 */
export async function saveGeneralSettings(
  installation: Installation,
  actor: Actor,
  organization: Organization,
  settings: Partial<GeneralSettings>,
  { signOut }: { signOut?: SignedIn } = {},
): Promise<Saved> {
  const { id: organizationId } = organization;
  const { policy, name, contactDetails, ...asked } = { ...organization, ...settings };
  const graceDays = policy === 'required' ? asked.graceDays : null;
  return installation.db.transaction<Saved>(async (tx) => {
    const policyChanged = policy !== organization.policy || graceDays !== organization.graceDays;
    if (policyChanged) {
      if (policy === 'required' && !(await hasMfaThemselves(tx, organizationId, actor)))
        return new RolledBack<Saved>({ kind: 'own-mfa-first' });
      if (!(await changePolicy(tx, installation, actor, organizationId, { policy, graceDays }, organization)))
        return new RolledBack<Saved>({ kind: 'policy-changed-meanwhile' });
      if (signOut) await signOutWithin(tx, installation, actor, organizationId, signOut);
    }
    await changeBranding(tx, installation, actor, organization, { name, contactDetails });
    return { kind: 'saved', policyChanged };
  });
}

/** Where each part of the branding is kept, and its word in the log. */
const BRANDING: Record<keyof Branding, readonly [column: Sql, word: string]> = {
  name: [sql`name`, 'name'],
  contactDetails: [sql`contact_details`, 'contact details'],
  timeZone: [sql`time_zone`, 'time zone'],
  accent: [sql`accent`, 'accent colour'],
  logoHash: [sql`logo_hash`, 'logo'],
  logoWidth: [sql`logo_width`, 'logo'],
  logoHeight: [sql`logo_height`, 'logo'],
};

/**
 * Changes what differs from the branding that the caller has read in `organization`, and writes one audit row that says
 * what; neither where nothing does. What is the same is not written, so that two who change different things keep both.
 */
export async function changeBranding(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  organization: Organization,
  asked: Partial<Branding>,
): Promise<void> {
  const { id: organizationId } = organization;
  const changed = (Object.keys(BRANDING) as (keyof Branding)[]).filter(
    (part) => asked[part] !== undefined && asked[part] !== organization[part],
  );
  const [first, ...others] = changed.map((part) => sql`${BRANDING[part][0]} = ${asked[part] ?? null}`);
  if (first === undefined) return;
  const parts = others.reduce((all, one) => sql`${all}, ${one}`, first);
  await tx.run(sql`UPDATE organizations SET ${parts} WHERE id = ${organizationId}`);
  const words = new Set(changed.map((part) => BRANDING[part][1]));
  await record(tx, installation, {
    organizationId,
    actor,
    action: 'settings.changed',
    details: { changed: [...words].join(', ') },
  });
}

async function hasMfaThemselves(tx: Transaction, organizationId: string, actor: Actor): Promise<boolean> {
  if (actor.kind !== 'account') return true;
  const own = await tx.one(sql`SELECT 1 AS found FROM accounts a
    WHERE a.organization_id = ${organizationId} AND a.id = ${actor.id} AND ${HAS_MFA}`);
  return own !== undefined;
}

/**
 * Changes the policy inside a transaction, and records it with the numbers of then. `before` is the policy that it is a
 * change of; without it, of whatever holds. False where another holds, or where it is no change: then nothing is recorded.
 */
export async function changePolicy(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  organizationId: string,
  { policy, graceDays }: AskedOfAll,
  before?: AskedOfAll,
): Promise<boolean> {
  // The row's lock comes first, so that what the log calls "before" is what was there.
  await tx.run(sql`UPDATE organizations SET policy = policy WHERE id = ${organizationId}`);
  const was = await tx.one<AskedOfAll>(
    sql`SELECT policy, grace_days AS "graceDays" FROM organizations WHERE id = ${organizationId}`,
  );
  const today = before
    ? sql`policy = ${before.policy} AND grace_days IS NOT DISTINCT FROM ${before.graceDays}`
    : sql`(policy <> ${policy} OR grace_days IS DISTINCT FROM ${graceDays})`;
  const changed = await tx.run(sql`UPDATE organizations SET policy = ${policy}, grace_days = ${graceDays},
      policy_changed_at = CASE WHEN policy = ${policy} THEN policy_changed_at ELSE CAST(${installation.now()} AS BIGINT) END
    WHERE id = ${organizationId} AND ${today}`);
  if (changed === 0) return false;
  const details = {
    policy,
    policyBefore: was?.policy ?? null,
    graceDays,
    graceDaysBefore: was?.graceDays ?? null,
    ...(await policyReach(tx, organizationId)),
  };
  await record(tx, installation, { organizationId, actor, action: 'policy.changed', details });
  return true;
}

/** How many contacts were signed in, in how many browsers, when somebody decided to sign everyone out. */
export interface SignedIn {
  readonly contacts: number;
  readonly sessions: number;
}

/**
 * Sign everyone out now: every session in the organization's portal ends, by one row, however many they are; staff stay
 * signed in. `found` is what whoever asked for it was told, for the audit log: afterwards nobody can count them any more.
 */
export function signEveryoneOut(
  installation: Installation,
  actor: Actor,
  organizationId: string,
  found: SignedIn,
): Promise<void> {
  return installation.db.transaction((tx) => signOutWithin(tx, installation, actor, organizationId, found));
}

async function signOutWithin(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  organizationId: string,
  { contacts, sessions }: SignedIn,
): Promise<void> {
  await tx.run(sql`UPDATE organizations SET session_epoch = session_epoch + 1 WHERE id = ${organizationId}`);
  const details = { contacts, sessions };
  await record(tx, installation, { organizationId, actor, action: 'sessions.ended', result: 'everyone', details });
}

/** Whom the policy concerns: contacts with portal access who have MFA on, and those who have not; from one index. */
export async function policyReach(
  db: Pick<Queries, 'one'>,
  organizationId: string,
): Promise<{ enrolled: number; notEnrolled: number }> {
  const row = await db.one<{ contacts: number; enrolled: number }>(sql`SELECT COUNT(*) AS contacts,
    COUNT(a.mfa_since) AS enrolled FROM accounts a
    WHERE a.organization_id = ${organizationId} AND a.kind = 'contact' AND a.disabled_at IS NULL`);
  const { contacts = 0, enrolled = 0 } = row ?? {};
  return { enrolled, notEnrolled: contacts - enrolled };
}
