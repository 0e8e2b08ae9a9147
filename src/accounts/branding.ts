import { createHash } from 'node:crypto';
import { sql, type Queries } from '../db/db.ts';
import type { Actor } from './audit.ts';
import { readImage, type Image } from './image.ts';
import type { Installation } from './installation.ts';
import { changeBranding, type Branding, type Organization } from './organizations.ts';

export const LOGO_BYTES_MAX = 100 * 1024;
export const LOGO_SIDE_MAX = 1000;

/** A picture that may stand on every page of a portal. */
export interface Logo extends Image {
  /** Of its bytes, for its address. */
  readonly hash: string;
  readonly bytes: Buffer;
}

export type LogoProblem = 'too-heavy' | 'script' | 'unknown' | 'broken' | 'moving' | 'too-large';

/**
 * Takes a file for a logo, by its bytes and by nothing that its sender says of it: PNG, JPEG or WebP, standing still,
 * at most LOGO_BYTES_MAX bytes and LOGO_SIDE_MAX pixels a side. SVG is refused with a name of its own, `script`, since
 * it is a document that can carry one.
 */
export function readLogo(bytes: Buffer): { kind: 'logo'; logo: Logo } | { kind: 'refused'; problem: LogoProblem } {
  const refused = (problem: LogoProblem): { kind: 'refused'; problem: LogoProblem } => ({ kind: 'refused', problem });
  if (bytes.length > LOGO_BYTES_MAX) return refused('too-heavy');
  const image = readImage(bytes);
  if (image.kind === 'unknown') return refused(/<svg[\s:>]/i.test(bytes.toString('latin1')) ? 'script' : 'unknown');
  if (image.kind !== 'image') return refused(image.kind);
  const { type, width, height } = image;
  if (Math.max(width, height) > LOGO_SIDE_MAX) return refused('too-large');
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return { kind: 'logo', logo: { type, width, height, hash, bytes } };
}

/** `#RRGGBB` as it is kept, `#rrggbb`; undefined for anything else. What a style sheet says of it is made of this alone. */
export function readAccent(text: string): string | undefined {
  return /^#?([0-9a-f]{6})$/i.exec(text)?.[1]?.toLowerCase().replace(/^/, '#');
}

/**
 * Saves Settings › Customer Portal › Branding, or part of it, in one transaction with one audit row, and none where
 * nothing changed. `logo`: null takes the logo away, undefined leaves it as it is.
 */
export async function saveBranding(
  installation: Installation,
  actor: Actor,
  organization: Organization,
  asked: Partial<Omit<Branding, 'logoHash' | 'logoWidth' | 'logoHeight'>>,
  logo?: Logo | null,
): Promise<void> {
  const { id: organizationId } = organization;
  const face = logo === undefined ? {} : faceOf(logo);
  await installation.db.transaction(async (tx) => {
    // First, since it locks the organization's row: of two who send a logo at once, the second finds the first's.
    await changeBranding(tx, installation, actor, organization, { ...asked, ...face });
    if (logo === undefined || (logo?.hash ?? null) === organization.logoHash) return;
    await tx.run(sql`DELETE FROM logos WHERE organization_id = ${organizationId}`);
    if (logo === null) return;
    await tx.run(sql`INSERT INTO logos (organization_id, hash, type, content)
      VALUES (${organizationId}, ${logo.hash}, ${logo.type}, ${logo.bytes.toString('base64')})`);
  });
}

function faceOf(logo: Logo | null): Pick<Branding, 'logoHash' | 'logoWidth' | 'logoHeight'> {
  return { logoHash: logo?.hash ?? null, logoWidth: logo?.width ?? null, logoHeight: logo?.height ?? null };
}

/** The logo that an organization shows today, as bytes; undefined where it has none. */
export async function findLogo(
  db: Pick<Queries, 'one'>,
  { id, logoHash }: Pick<Organization, 'id' | 'logoHash'>,
): Promise<{ type: Image['type']; bytes: Buffer<ArrayBuffer> } | undefined> {
  const row = await db.one<{ type: Image['type']; content: string }>(
    sql`SELECT type, content FROM logos WHERE organization_id = ${id} AND hash = ${logoHash}`,
  );
  return row && { type: row.type, bytes: Buffer.from(row.content, 'base64') };
}
