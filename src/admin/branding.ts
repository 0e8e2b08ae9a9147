import { html } from 'hono/html';
import {
  LOGO_BYTES_MAX,
  LOGO_SIDE_MAX,
  readAccent,
  readLogo,
  saveBranding,
  type Logo,
  type LogoProblem,
} from '../accounts/branding.ts';
import { isTimeZone, ORGANIZATION_NAME_MAX, type Organization } from '../accounts/organizations.ts';
import { paletteOf } from '../web/accent.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import { logoImage, themeOf } from '../web/theme.ts';
import type { UploadedFile } from '../web/upload.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, barred, consolePage } from './console.ts';
import { CONTACT_DETAILS_MAX, line, lines, needed, timeZoneField } from './inputs.ts';

export const BRANDING = '/admin/settings/customer-portal/branding';

/** More than a logo may have, so that one that is too heavy is told so on the page. */
export const BRANDING_BODY_MAX = 1024 * 1024;

/** What a picker shows where no colour is chosen: it cannot be empty. */
const OWN_ACCENT = '#0f5a63';

/** What the form holds, as it was typed. */
interface Shown {
  readonly name: string;
  readonly contactDetails: string;
  readonly timeZone: string;
  readonly accent: string;
}

/** Settings › Customer Portal › Branding. */
export function branding(visit: Visit, who: SignedIn): Promise<Response> {
  const { name, contactDetails, timeZone, accent } = who.organization;
  return brandingPage(visit, who, { name, contactDetails, timeZone, accent: accent ?? '' });
}

/** Save: on the portal at once. */
export async function save(visit: Visit, who: SignedIn): Promise<Response> {
  const { fields, file } = await visit.upload(
    'logo',
    ...(['name', 'accent', 'picked', 'removeLogo', 'contactDetails', 'timeZone'] as const),
  );
  const { organization } = who;
  const shown: Shown = {
    name: line(fields.name),
    contactDetails: lines(fields.contactDetails),
    timeZone: line(fields.timeZone),
    accent: colourOf(line(fields.accent), fields.picked, organization),
  };
  const logo = logoOf(file, fields.removeLogo === 'on');
  const problems = [
    ...problemsOf(shown),
    ...(fields.picked === '' || readAccent(fields.picked) !== undefined ? [] : [PICK]),
    ...('problem' in logo ? [logo.problem] : []),
  ];
  if ('problem' in logo || problems.length > 0) return brandingPage(visit, who, shown, problems);
  const asked = { ...shown, accent: readAccent(shown.accent) ?? null };
  await saveBranding(visit.installation, actorOf(visit, who), organization, asked, logo.logo);
  visit.leave('admin', { kind: 'ok', text: 'Saved.' });
  return visit.see(BRANDING);
}

// Two fields hold the one colour. Where no script keeps them alike, the one that was changed counts, the typed one first.
function colourOf(typed: string, picked: string, { accent }: Organization): string {
  const before = accent ?? '';
  const pickedBefore = accent ?? OWN_ACCENT;
  return typed === before && picked !== '' && readAccent(picked) !== pickedBefore ? picked : typed;
}

function problemsOf({ name, contactDetails, timeZone, accent }: Shown): c.Problem[] {
  return [
    ...needed('name', 'a display name', name, ORGANIZATION_NAME_MAX),
    ...(accent === '' || readAccent(accent) !== undefined
      ? []
      : [{ field: 'accent', text: 'Enter the colour as # and six digits from 0 to 9 or a to f, like #0f5a63' }]),
    ...needed('contactDetails', 'how customers can reach you', contactDetails, CONTACT_DETAILS_MAX),
    ...(isTimeZone(timeZone) ? [] : [{ field: 'timeZone', text: 'Choose a time zone from the list' }]),
  ];
}

const PICK: c.Problem = { field: 'picked', text: 'Pick a colour' };

/** What becomes of the logo: another one, none, or undefined for the one that is there. */
function logoOf(
  file: UploadedFile | undefined,
  remove: boolean,
): { logo: Logo | null | undefined } | { problem: c.Problem } {
  if (!file) return { logo: remove ? null : undefined };
  const read = readLogo(file.bytes);
  return read.kind === 'logo' ? read : { problem: { field: 'logo', text: LOGO_PROBLEMS[read.problem] } };
}

const SIDE = LOGO_SIDE_MAX.toLocaleString('en-GB');

const LOGO_PROBLEMS: Record<LogoProblem, string> = {
  'too-heavy': `Choose a logo of ${LOGO_BYTES_MAX / 1024} KB or less`,
  'too-large': `Choose a logo of ${SIDE} pixels a side or fewer`,
  script: 'Choose a PNG, JPEG or WebP file: an SVG can carry script',
  unknown: 'Choose a PNG, JPEG or WebP file',
  broken: 'Choose another file: this one is damaged',
  moving: 'Choose a logo that does not move',
};

function brandingPage(
  visit: Visit,
  who: SignedIn,
  shown: Shown,
  problems: readonly c.Problem[] = [],
): Promise<Response> {
  const mayChange = barred(who, 'change settings') === undefined;
  return consolePage(visit, who, {
    current: 'settings',
    title: 'Branding',
    phrase: 'Customer Portal',
    errors: problems,
    theme: themeOf(who.organization)?.href,
    body: mayChange ? brandingForm(visit, who.organization, shown, problems) : brandingToRead(visit, who.organization),
  });
}

function brandingForm(visit: Visit, organization: Organization, shown: Shown, problems: readonly c.Problem[]): c.Html {
  const error: ErrorOf = (field) => c.problemOf(problems, field);
  const fields = html`${c.section(
    'Name and logo',
    html`${c.field({
      name: 'name',
      label: 'Display name',
      hint: `Customers see it on every page and in their authenticator app. ${ORGANIZATION_NAME_MAX} characters at most.`,
      value: shown.name,
      autocomplete: 'off',
      error: error('name'),
    })}
    ${inTheApp(organization)}
    ${c.fileField({
      name: 'logo',
      label: 'Logo',
      hint: `A PNG, JPEG or WebP file of at most ${LOGO_BYTES_MAX / 1024} KB and ${SIDE} pixels a side. It stands in place of your name at the top of each page.`,
      accept: 'image/png,image/jpeg,image/webp',
      error: error('logo'),
    })}
    ${organization.logoHash === null ? c.nothing : c.checkbox({ name: 'removeLogo', label: 'Remove the logo' })}`,
  )}
  ${c.section('Colour', html`${colourFields(organization, shown, error)} ${examples(organization)}`)}
  ${c.section(
    'Help, time and language',
    html`${c.textareaField({
        name: 'contactDetails',
        label: 'How can customers reach you?',
        hint: 'Customers see it under Help. A phone number and an email address, for example.',
        value: shown.contactDetails,
        error: error('contactDetails'),
      })}
      ${timeZoneField(shown.timeZone, { hint: timeThere(visit, organization), error: error('timeZone') })}
      <p><strong>Language</strong><br />English. Sallyport speaks no other language yet.</p>`,
  )}
  ${c.button('Save')}`;
  return c.form(BRANDING, fields, { guard: true, busy: 'Saving…', file: true });
}

type ErrorOf = (field: string) => string | undefined;

function colourFields({ accent }: Organization, shown: Shown, errorOf: ErrorOf): c.Html {
  return html`${c.field({
    name: 'accent',
    label: 'Accent colour',
    hint: 'For links and for the main button. Like #0f5a63; left empty, it is Sallyport’s own.',
    value: shown.accent,
    autocomplete: 'off',
    short: true,
    error: errorOf('accent'),
  })}
  ${c.colourField({
    name: 'picked',
    label: 'Or pick it',
    value: readAccent(shown.accent) ?? accent ?? OWN_ACCENT,
    mirrors: 'accent',
    error: errorOf('picked'),
  })}`;
}

function inTheApp({ name }: Organization): c.Html {
  return html`<p class="hint">In the app it will look like: <strong>${name}</strong> maria@…</p>`;
}

function timeThere({ now }: Visit, organization: Organization): c.Html {
  return html`Times on the portal and here are told in it. It is ${c.time(now, organization)} there.`;
}

/** What is made of the colour that is saved, in words and as it looks. */
function examples(organization: Organization): c.Html {
  return html`<p>${verdict(organization.accent)}</p>
    ${c.pair(example(organization, 'light'), example(organization, 'dark'))}`;
}

const LITTLE = 0.1;

function verdict(accent: string | null): string {
  if (accent === null) return 'Your portal has Sallyport’s own colour.';
  const { light, dark } = paletteOf(accent);
  const tooLight = `${too(light.moved)} light for white text`;
  const tooDark = `${too(dark.moved)} dark for a dark page`;
  if (light.moved === 0)
    return `Your colour is ${tooDark}. We use ${accent} as it is on light and ${dark.accent} on dark.`;
  if (dark.moved === 0)
    return `Your colour is ${tooLight}. We use ${light.accent} on light and ${accent} as it is on dark.`;
  return `Your colour is ${tooLight} and ${tooDark}. We use ${light.accent} on light and ${dark.accent} on dark.`;
}

function too(moved: number): string {
  return moved < LITTLE ? 'a little too' : 'too';
}

function example(organization: Organization, theme: 'light' | 'dark'): c.Html {
  return html`<div class="example ${theme} branded">
    <p>${theme === 'light' ? 'On light' : 'On dark'}</p>
    <p class="brand">${logoImage(organization) ?? html`<span>${organization.name}</span>`}</p>
    <p><a>A link</a> <span class="button main">The main button</span></p>
  </div>`;
}

function brandingToRead(visit: Visit, organization: Organization): c.Html {
  return html`<section class="panel">
    ${c.summaryList([
      { label: 'Display name', value: organization.name },
      { label: 'Logo', value: organization.logoHash === null ? 'None' : 'As below' },
      { label: 'Accent colour', value: organization.accent ?? 'Sallyport’s own' },
      { label: 'How can customers reach you?', value: html`<span class="lines">${organization.contactDetails}</span>` },
      { label: 'Time zone', value: html`${organization.timeZone}: ${c.time(visit.now, organization)}` },
      { label: 'Language', value: 'English' },
    ])}
    ${examples(organization)}
    <p class="hint">Only owners and admins change this.</p>
  </section>`;
}
