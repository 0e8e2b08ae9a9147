import { uuidv7 } from '../crypto/tokens.ts';
import { RolledBack, sql, type Queries, type Sql, type Transaction } from '../db/db.ts';
import { record, type Actor } from './audit.ts';
import type { Installation } from './installation.ts';

export type Policy = 'off' | 'optional' | 'required';

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
export interface Organization extends Branding {
  readonly id: string;
  readonly slug: string;
  readonly policy: Policy;
  readonly language: string;
}

export interface OrganizationDraft {
  readonly slug: string;
  readonly name: string;
  readonly contactDetails: string;
  readonly timeZone: string;
}

const COLUMNS = sql`id, slug, name, policy, contact_details AS "contactDetails", time_zone AS "timeZone", language,
  accent, logo_hash AS "logoHash", logo_width AS "logoWidth", logo_height AS "logoHeight"`;

const PLAIN = { accent: null, logoHash: null, logoWidth: null, logoHeight: null } as const;

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
  const organization = { ...draft, ...PLAIN, id: uuidv7(now), policy: 'off' as const, language: 'en' };
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

export interface GeneralSettings {
  readonly name: string;
  readonly contactDetails: string;
  readonly policy: Policy;
}

export type Saved = { kind: 'saved'; policyChanged: boolean } | { kind: 'policy-changed-meanwhile' };

/**
 * Saves Settings › Customer Portal › General, or part of it, in one transaction. A change of policy concerns what the
 * next password step asks; it ends no session and touches no authenticator (P4, D1). It holds against the policy that
 * the caller has read in `organization`: somebody else's change meanwhile is neither undone nor taken for one's own.
 */
export async function saveGeneralSettings(
  installation: Installation,
  actor: Actor,
  organization: Organization,
  settings: Partial<GeneralSettings>,
): Promise<Saved> {
  const { id: organizationId } = organization;
  const { policy, name, contactDetails } = { ...organization, ...settings };
  return installation.db.transaction<Saved>(async (tx) => {
    const policyChanged = policy !== organization.policy;
    if (policyChanged) {
      const changed =
        await tx.run(sql`UPDATE organizations SET policy = ${policy}, policy_changed_at = ${installation.now()}
        WHERE id = ${organizationId} AND policy = ${organization.policy}`);
      if (changed === 0) return new RolledBack<Saved>({ kind: 'policy-changed-meanwhile' });
      const reach = await policyReach(tx, organizationId);
      await record(tx, installation, {
        organizationId,
        actor,
        action: 'policy.changed',
        details: { policy, ...reach },
      });
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
