import { html } from 'hono/html';
import { isTimeZone, ORGANIZATION_NAME_MAX } from '../accounts/organizations.ts';
import type { PasswordProblem } from '../auth/passwords.ts';
import { isSetupOpen, setUp, type FirstOwner } from '../auth/setup.ts';
import * as c from '../web/components.ts';
import { barePage } from '../web/layout.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { CONTACT_DETAILS_MAX, EMAIL_MAX, line, lines, NAME_MAX, needed, timeZoneField } from './inputs.ts';

const NOBODY: FirstOwner = { name: '', email: '', password: '', organization: '', contactDetails: '', timeZone: 'UTC' };

/** The first page of a new installation, behind the link that its start has printed. */
export async function show(visit: Visit): Promise<Response> {
  const open = await isSetupOpen(visit.installation, visit.param('token'));
  return open ? visit.page(setupPage(visit, NOBODY, [])) : visit.page(gonePage(), 404);
}

export async function submit(visit: Visit): Promise<Response> {
  const given = await visit.form('name', 'email', 'password', 'organization', 'contactDetails', 'timeZone');
  const first: FirstOwner = {
    name: line(given.name),
    email: line(given.email),
    password: given.password,
    organization: line(given.organization),
    contactDetails: lines(given.contactDetails),
    timeZone: given.timeZone,
  };
  const token = visit.param('token');
  if (!(await isSetupOpen(visit.installation, token))) return visit.page(gonePage(), 404);
  const problems = problemsOf(first);
  if (problems.length > 0) return visit.page(setupPage(visit, first, problems), 422);
  const outcome = await setUp(visit.installation, token, first, visit.visitor.address);
  switch (outcome.kind) {
    case 'made':
      visit.challenge('admin', outcome.cookie);
      return visit.see('/admin/enable-mfa');
    case 'refused':
      return visit.page(setupPage(visit, first, [refusal(outcome.problem, first.organization)]), 422);
    case 'link-over':
      return visit.page(gonePage(), 404);
  }
}

function problemsOf(first: FirstOwner): c.Problem[] {
  return [
    ...needed('name', 'your name', first.name, NAME_MAX),
    ...needed('email', 'your email', first.email, EMAIL_MAX),
    ...(first.password === '' ? [{ field: 'password', text: say('welcome.password.empty') }] : []),
    ...needed('organization', "your organization's name", first.organization, ORGANIZATION_NAME_MAX),
    ...needed('contactDetails', 'how customers can reach you', first.contactDetails, CONTACT_DETAILS_MAX),
    ...(isTimeZone(first.timeZone) ? [] : [{ field: 'timeZone', text: 'Choose a time zone from the list' }]),
  ];
}

function refusal(problem: PasswordProblem | 'email-shape' | 'email-taken', m: string): c.Problem {
  switch (problem) {
    case 'email-shape':
      return { field: 'email', text: say('login.email.shape') };
    case 'email-taken':
      return { field: 'email', text: 'Somebody on staff has this email already' };
    case 'context':
      return { field: 'password', text: say('pw.context', { m }) };
    case 'empty':
      return { field: 'password', text: say('welcome.password.empty') };
    case 'short':
      return { field: 'password', text: say('pw.short') };
    case 'long':
      return { field: 'password', text: say('pw.long') };
    case 'common':
      return { field: 'password', text: say('pw.common') };
  }
}

function setupPage(visit: Visit, first: FirstOwner, errors: readonly c.Problem[]): c.Html {
  const error = (name: string): string | undefined => c.problemOf(errors, name);
  const fields = html`${c.field({ name: 'name', label: 'Your name', value: first.name, autocomplete: 'name', error: error('name') })}
  ${c.field({ name: 'email', label: 'Your email', type: 'email', value: first.email, autocomplete: 'username', error: error('email') })}
  ${c.passwordField({
    name: 'password',
    label: 'Password',
    hint: say('welcome.password.hint'),
    autocomplete: 'new-password',
    error: error('password'),
  })}
  ${c.field({
    name: 'organization',
    label: 'Organization',
    hint: `The name your customers know. ${ORGANIZATION_NAME_MAX} characters at most.`,
    value: first.organization,
    autocomplete: 'organization',
    error: error('organization'),
  })}
  ${c.textareaField({
    name: 'contactDetails',
    label: 'How can customers reach you?',
    hint: 'Customers see it under Help. A phone number and an email address, for example.',
    value: first.contactDetails,
    rows: 3,
    error: error('contactDetails'),
  })}
  ${timeZoneField(first.timeZone, { error: error('timeZone') })} ${c.button('Set up')}`;
  return barePage({
    title: 'Set up Sallyport',
    errors,
    body: html`<p>You become the owner. Next you set up MFA for yourself.</p>
      ${c.form(`/setup/${visit.param('token')}`, fields, { busy: 'Setting up…' })}`,
  });
}

function gonePage(): c.Html {
  return barePage({
    title: 'This link no longer works',
    error: true,
    body: html`<p>It has run out or has already been used.</p>
      <p>Nobody has set up yet? Start the server again: it prints a new link.</p>
      ${c.linkButton('Go to sign in', '/admin/sign-in')}`,
  });
}
