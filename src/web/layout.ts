import { html } from 'hono/html';
import { say } from '../words/say.ts';
import { assetUrl } from './assets.ts';
import {
  attr,
  button,
  type Content,
  errorSummary,
  form,
  type Html,
  logo,
  nothing,
  type Problem,
} from './components.ts';

type Heading = {
  /** The H1, and with the name behind it the document's title. */
  title: string;
  /** The id of the field whose label the H1 is. */
  labelFor?: string | undefined;
  /** The small line above the H1. */
  phrase?: string | undefined;
  /** Where in a ceremony this page stands: "Step 1 of 3". */
  step?: string | undefined;
};

type Main = Heading & {
  body: Content | Html[];
  /** What was wrong with the answer: shown first of all, and in the document's title. */
  errors?: readonly Problem[] | undefined;
  /** Marks the title as an error where there is no field to link to. */
  error?: boolean | undefined;
  /** Where no script keeps the page up to date: it is asked for again after so many seconds. */
  refresh?: number | undefined;
  /** Banners between the header and the page. */
  notices?: Content | Html[] | undefined;
  extra?: Html | undefined;
};

/** Whose pages they are, as its customers know it. */
export type Merchant = { name: string; logo?: Html | undefined; theme?: string | undefined };

export type PortalPage = Main & {
  merchant: Merchant;
  /** The portal's path, without a slash at its end. */
  base: string;
  /** How customers reach the organization, as it wrote that itself. */
  help: string;
  wide?: boolean;
  /** Stands on the background instead of in one card, for pages that are made of panels. */
  open?: boolean;
  signOut?: boolean;
  lang?: string | undefined;
  progress?: { outer: boolean; inner: boolean } | undefined;
};

// The console's navigation, in its order. An entry comes with its feature.
const PLACES = [
  { key: 'overview', path: '/admin', label: 'Overview' },
  { key: 'customers', path: '/admin/customers', label: 'Customers' },
  { key: 'recovery', path: '/admin/recovery', label: 'Recovery requests' },
  { key: 'audit', path: '/admin/audit', label: 'Audit log' },
  { key: 'jobs', path: '/admin/jobs', label: 'Jobs' },
  { key: 'settings', path: '/admin/settings', label: 'Settings' },
] as const;

type Place = (typeof PLACES)[number]['key'];

export type AdminPage = Main & {
  organization: { name: string };
  person: { name: string; role: string };
  current: Place;
  /** The style sheet with a merchant's colour, for examples of it. */
  theme?: string | undefined;
  /** Numbers that stand in the navigation, behind what waits for somebody. */
  waiting?: Partial<Record<Place, string>>;
  /** Buttons beside the H1. */
  actions?: Html | undefined;
};

export type BarePage = Main & { lang?: string | undefined; name?: string | undefined };

/** A page of an organization's portal. */
export function portalPage(p: PortalPage): Html {
  const header = html`<header class="top">
    <a class="brand" href="${p.base}"
      >${logo(p.progress ?? { outer: false, inner: false })}${p.merchant.logo ?? html`<span>${p.merchant.name}</span>`}</a
    >
    <div class="tools">
      ${p.signOut ? form(`${p.base}/sign-out`, button(say('home.sign-out'), { kind: 'link' })) : nothing}
      ${help(say('page.help.title', { m: p.merchant.name }), p.help || say('recover.no-contact'))}
    </div>
  </header>`;
  const width = p.wide ? 'wide' : 'narrow';
  return page(p, p.merchant.name, html`<div class="frame ${width}">${header} ${main(p, p.open)} ${foot()}</div>`, {
    lang: p.lang,
    theme: p.merchant.theme,
    branded: true,
  });
}

/** A page of the organization's console. */
export function adminPage(p: AdminPage): Html {
  const entries = PLACES.map(
    ({ key, path, label }) =>
      html`<li>
        <a href="${path}" ${attr('aria-current', p.current === key && 'page')}>${label}${waiting(p.waiting?.[key])}</a>
      </li>`,
  );
  const side = html`<header class="side">
    <p class="brand">${logo({ outer: true, inner: true })}<span>${p.organization.name}</span></p>
    <nav aria-label="Console">
      <ul>
        ${entries}
      </ul>
    </nav>
    <div class="me">
      <p>${p.person.name} <small>${p.person.role}</small></p>
      ${form('/admin/sign-out', button('Sign out', { kind: 'link' }))}
      ${help(say('page.help.stuck'), say('page.help.staff'))}
    </div>
  </header>`;
  const content = html`<div class="console">${side} ${main(p, true, p.actions)}</div>`;
  return page(p, p.organization.name, content, { theme: p.theme });
}

function waiting(number: string | undefined): string {
  return number === undefined ? '' : ` (${number})`;
}

/** A page of no organization: the address itself, the first set-up, an error before anybody is known. */
export function barePage(p: BarePage): Html {
  const name = p.name ?? 'Sallyport';
  const header = html`<header class="top">
    <p class="brand">${logo({ outer: true, inner: true })}<span>${name}</span></p>
    <div class="tools">${help(say('page.help.stuck'), say('page.help.bare'))}</div>
  </header>`;
  return page(p, name, html`<div class="frame narrow">${header} ${main(p)} ${foot()}</div>`, { lang: p.lang });
}

type Dress = { lang?: string | undefined; theme?: string | undefined; branded?: boolean };

function page(p: Main, name: string, content: Html, { lang = 'en', theme, branded }: Dress): Html {
  const title = `${p.title} – ${name}`;
  const wrong = p.error || (p.errors?.length ?? 0) > 0;
  return html`<!doctype html>
    <html lang="${lang}" dir="${/^(ar|fa|he|ur)\b/.test(lang) ? 'rtl' : 'ltr'}">
      <head>
        <meta charset="utf-8" />
        <title>${wrong ? say('error.prefix', { title }) : title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="color-scheme" content="light dark" />
        <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f3f1ea" />
        <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#131817" />
        <link rel="icon" href="${assetUrl('arch.svg')}" type="image/svg+xml" />
        <link rel="stylesheet" href="${assetUrl('sallyport.css')}" />
        ${theme ? html`<link rel="stylesheet" href="${theme}" />` : nothing}
        <script type="module" src="${assetUrl('sallyport.js')}"></script>
        ${p.refresh ? html`<noscript><meta http-equiv="refresh" content="${p.refresh}" /></noscript>` : nothing}
      </head>
      <body ${attr('class', theme && branded && 'branded')}>
        <a class="skip" href="#main">${say('page.skip')}</a>
        ${content}
      </body>
    </html>`;
}

function main(p: Main, open = false, beside: Html = nothing): Html {
  return html`<main id="main" tabindex="-1">
    ${errorSummary(p.errors ?? [])} ${p.extra ?? nothing} ${p.notices ?? nothing}
    <div class="${open ? 'sheet' : 'card'}">${heading(p, beside)} ${p.body}</div>
  </main>`;
}

function heading(p: Heading, beside: Html): Html {
  const above = html`${p.phrase ? html`<span>${p.phrase}</span>` : nothing}
  ${p.step ? html`<span>${p.step}</span>` : nothing}`;
  const title = p.labelFor ? html`<label for="${p.labelFor}">${p.title}</label>` : p.title;
  return html`<div class="heading">
    <div>
      ${p.phrase || p.step ? html`<p class="phrase">${above}</p>` : nothing}
      <h1>${title}</h1>
    </div>
    ${beside}
  </div>`;
}

// A disclosure and not a page: help must be reachable on every page without losing what was typed.
function help(title: string, text: string): Html {
  return html`<details class="help">
    <summary>${say('page.help')}</summary>
    <div>
      <p>${title}</p>
      <p class="lines">${text}</p>
    </div>
  </details>`;
}

function foot(): Html {
  return html`<footer>${say('page.secured')}</footer>`;
}
