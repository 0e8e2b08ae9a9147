import { html } from 'hono/html';
import type { Document } from '../accounts/documents.ts';
import type { Organization } from '../accounts/organizations.ts';
import { say } from '../words/say.ts';
import { type Content, dataTable, emptyState, type Html, localeTag, pill, timeText } from './components.ts';

/** A customer's documents, as the customer and staff see them alike; `none` is what each is told where there are none. */
export function documentTable(organization: Organization, documents: readonly Document[], none: string): Html {
  if (documents.length === 0) return emptyState(none);
  return dataTable({
    id: 'documents',
    caption: say('home.table'),
    rowHeader: 1,
    columns: [
      { label: say('home.kind') },
      { label: say('home.number') },
      { label: say('home.subject') },
      { label: say('home.date') },
      { label: say('home.amount'), end: true },
      { label: say('home.status') },
      { label: say('home.link'), hidden: true },
    ],
    rows: documents.map((document) => [
      say(`home.kind.${document.kind}`),
      document.number,
      document.title,
      day(document.date, organization.language),
      amount(document, organization.language),
      pill('muted', document.status),
      openLink(document),
    ]),
  });
}

// A calendar date belongs to no time zone: read and told in UTC, it stays the day that the organization wrote.
function day(date: string, language: string): Html {
  return html`<time datetime="${date}">${timeText(Date.parse(date), { timeZone: 'UTC', language }, 'date')}</time>`;
}

function amount({ amount: number, currency }: Document, language: string): string {
  const format = new Intl.NumberFormat(localeTag(language), { style: 'currency', currency });
  return format.format(number as `${number}`);
}

// Only https is followed, whatever an import has let in; the organization's site learns nothing of where one came from.
function openLink({ url, number }: Document): Content {
  if (!url?.startsWith('https://')) return '';
  return html`<a href="${url}" rel="noreferrer noopener" aria-label="${say('home.open.name', { number })}"
    >${say('home.open')}</a
  >`;
}
