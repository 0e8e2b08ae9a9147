import { html } from 'hono/html';
import { listAudit } from '../accounts/audit.ts';
import type { Contact } from '../accounts/contacts.ts';
import { disclosure, type Html, nothing, time } from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { sentence } from './audit-words.ts';
import { activityPath } from './contact-words.ts';

const ROWS = 5;

/** What happened to a contact lately, the newest first, as sentences. */
export async function recentActivity(visit: Visit, { organization }: SignedIn, contact: Contact): Promise<Html> {
  const rows = await listAudit(visit.installation.db, organization.id, { targetId: contact.id, limit: ROWS });
  if (rows.length === 0) return nothing;
  const items = rows.map(
    (row) => html`<li>${sentence(row)}<br /><small class="muted">${time(row.at, organization)}</small></li>`,
  );
  return disclosure(
    'Recent activity',
    html`<ul class="bullets">
        ${items}
      </ul>
      <p><a href="${activityPath(contact)}">See all</a></p>`,
  );
}
