import { html } from 'hono/html';
import { someOrganizations } from '../accounts/organizations.ts';
import { notFoundPage } from '../web/errors.ts';
import { barePage } from '../web/layout.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';

/** `/`: the way to the only portal. Several are not listed: whose customers one has is nobody else's business. */
export async function show(visit: Visit): Promise<Response> {
  const organizations = await someOrganizations(visit.installation.db, 2);
  const [only] = organizations;
  if (!only) return visit.page(frontPage(say('front.none.title'), say('front.none.text')));
  if (organizations.length > 1) return visit.page(frontPage(say('front.several.title'), say('front.several.text')));
  return visit.see(`/portal/${only.slug}`);
}

/** Where password managers look for the page to change a password on (W3C: a well-known URL for changing passwords). */
export async function changePassword(visit: Visit): Promise<Response> {
  const [only, other] = await someOrganizations(visit.installation.db, 2);
  return only && !other ? visit.see(`/portal/${only.slug}/security/password`) : notFoundPage(visit);
}

/** Where password managers look for the pages to add and manage passkeys on (W3C: a well-known URL for passkey endpoints). */
export async function passkeyEndpoints(visit: Visit): Promise<Response> {
  const [only, other] = await someOrganizations(visit.installation.db, 2);
  if (!only || other || only.passkeys === 'off') return notFoundPage(visit);
  const security = `${visit.house.publicUrl}/portal/${only.slug}/security`;
  return visit.json({ enroll: `${security}/passkeys/add`, manage: security });
}

function frontPage(title: string, text: string): ReturnType<typeof barePage> {
  return barePage({ title, body: html`<p>${text}</p>` });
}
