import { findLogo } from '../accounts/branding.ts';
import { notFoundPage } from '../web/errors.ts';
import type { Door } from '../web/guards.ts';
import { themeOf } from '../web/theme.ts';
import type { Visit } from '../web/visit.ts';

/** The merchant's colour, as a style sheet. */
export async function theme(visit: Visit, { organization }: Door): Promise<Response> {
  const sheet = organization && themeOf(organization);
  if (!sheet) return notFoundPage(visit);
  return visit.file(sheet.css, 'text/css; charset=utf-8', visit.query('v') === sheet.hash);
}

/** The merchant's logo. */
export async function logo(visit: Visit, { organization }: Door): Promise<Response> {
  const found = organization && (await findLogo(visit.installation.db, organization));
  if (!found) return notFoundPage(visit);
  return visit.file(found.bytes, found.type, visit.query('v') === organization.logoHash);
}
