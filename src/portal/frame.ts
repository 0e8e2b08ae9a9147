import type { Organization } from '../accounts/organizations.ts';
import { doorPage } from '../door/frame.ts';
import type { Html } from '../web/components.ts';
import type { PortalPage } from '../web/layout.ts';

/** Where an organization's portal stands. */
export function portalBase(organization: Organization): string {
  return `/portal/${organization.slug}`;
}

/** A page behind both doors: wide, made of panels, with the way out. */
export function insidePage(
  organization: Organization,
  page: Pick<PortalPage, 'title' | 'phrase' | 'notices' | 'body'>,
): Html {
  const door = { surface: 'portal', base: portalBase(organization), organization } as const;
  const progress = { outer: true, inner: true };
  return doorPage(door, { ...page, wide: true, open: true, signOut: true, progress });
}
