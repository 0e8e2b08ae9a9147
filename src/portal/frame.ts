import type { Organization } from '../accounts/organizations.ts';
import { doorPage } from '../door/frame.ts';
import type { Html } from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { PortalPage } from '../web/layout.ts';
import type { Flash } from '../web/flash.ts';
import type { Visit } from '../web/visit.ts';

/** Where an organization's portal stands. */
export function portalBase(organization: Organization): string {
  return `/portal/${organization.slug}`;
}

/** A page behind both doors: wide, made of panels, with the way out. */
export function insidePage(
  organization: Organization,
  page: Pick<PortalPage, 'title' | 'phrase' | 'notices' | 'errors' | 'body'>,
): Html {
  const door = { surface: 'portal', base: portalBase(organization), organization } as const;
  const progress = { outer: true, inner: true };
  return doorPage(door, { ...page, wide: true, open: true, signOut: true, progress });
}

/** Back to Account security, with a sentence about what was done or why not. */
export function backToSecurity(visit: Visit, organization: Organization, kind: Flash['kind'], text: string): Response {
  visit.leave('portal', { kind, text });
  return visit.see(`${portalBase(organization)}/security`);
}

/** To the sign-in page, after what has ended every session of theirs. */
export function signInAnew(visit: Visit, { organization, session }: SignedIn, text: string): Response {
  visit.signOut('portal');
  visit.leave('portal', { kind: 'ok', text, email: session.account.email });
  return visit.see(`${portalBase(organization)}/sign-in`);
}
