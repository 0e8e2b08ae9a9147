import { html } from 'hono/html';
import { say } from '../words/say.ts';
import { barePage } from './layout.ts';
import type { RequestRefused } from './forms.ts';
import type { Visit } from './visit.ts';

/** Pages for what went wrong. They say what to do and tell nothing of the inside; the log has the rest (ASVS 16.5.1). */
export function notFoundPage(visit: Visit): Promise<Response> {
  return visit.page(errorPage(visit, say('error.404.title'), say('error.404.text')), 404);
}

export function forbiddenPage(visit: Visit, why: string): Promise<Response> {
  return visit.page(errorPage(visit, say('error.403.title'), why), 403);
}

/** A request refused by its form: foreign, malformed, too large. Going back and sending the page's own form helps. */
export function refusedPage(visit: Visit, refusal: RequestRefused): Promise<Response> {
  if (refusal.status === 403) return visit.page(errorPage(visit, say('error.form.title'), say('error.form.text')), 403);
  const text = say(`error.refused.${refusal.status}`);
  return visit.page(errorPage(visit, say('error.refused.title'), text), refusal.status);
}

export function busyPage(visit: Visit): Promise<Response> {
  return visit.page(errorPage(visit, say('error.busy.title', { m: 'Sallyport' }), say('error.busy.text')), 503);
}

export function unavailablePage(visit: Visit): Promise<Response> {
  return visit.page(errorPage(visit, say('error.503.title', { m: 'Sallyport' }), say('error.503.text')), 503);
}

export function faultPage(visit: Visit, reference: string): Promise<Response> {
  return visit.page(errorPage(visit, say('error.500.title'), say('error.500.text', { id: reference })), 500);
}

function errorPage(visit: Visit, title: string, text: string): ReturnType<typeof barePage> {
  const body = html`<p>${text}</p>
    <p><a href="${startOf(visit.path)}">${say('error.on')}</a></p>`;
  return barePage({ title, error: true, body });
}

// Where somebody who went wrong can go on: their own portal, the console, or the front page.
function startOf(path: string): string {
  const portal = /^\/portal\/[a-z0-9-]+/.exec(path);
  return portal?.[0] ?? (path.startsWith('/admin') ? '/admin' : '/');
}
