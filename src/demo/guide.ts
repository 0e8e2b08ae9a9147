import { html } from 'hono/html';
import { barePage } from '../web/layout.ts';
import { ltr, section, type Html } from '../web/components.ts';
import { anyone } from '../web/guards.ts';
import { route, type Route } from '../web/routes.ts';
import { PASSWORD, PEOPLE } from './seed.ts';

/** The demo's front page: the help page of the reference flow, each step with the sign-in it needs. */
export const guideRoute: Route = route('GET', '/', anyone, (visit) => visit.page(guide()));

function guide(): Html {
  return barePage({
    title: 'Follow the help page',
    name: 'Sallyport demo: Acme Billing',
    body: html`<p>
        Acme Billing sends invoices; its customers see them in a portal. Walk through what its help page says about
        multi-factor authentication (MFA). Everything here is example data in a folder that is thrown away.
      </p>
      <p>Everybody's password is <code class="key" dir="ltr">${PASSWORD}</code></p>
      <p>
        No phone needed: wherever a code is asked for, a <strong>pocket authenticator</strong> on the page shows it.
        Your own app works too.
      </p>
      <p>What people are told by mail lands on one page: <a href="/demo/mail">everybody’s mail</a>.</p>
      ${story()} ${section('Who else is here', others())}`,
  });
}

const toConsole = (email: string): Html => html`<a href="/admin/sign-in">Sign in to the console</a> as ${ltr(email)}`;
const toPortal = (email: string): Html => html`<a href="/portal/acme">Sign in to the portal</a> as ${ltr(email)}`;

function story(): Html {
  return html`${section(
    '1. Enable, as Ada, the owner',
    steps(
      toConsole(PEOPLE.ada.email),
      'Open Settings, then General',
      'Mark “Enable multi-factor authentication (MFA)” and press Save',
      'Sign out',
    ),
  )}
  ${section(
    '2. Configure, as Noor, a customer',
    steps(
      toPortal('noor@initech.test'),
      'Press Configure, scan the QR code or use the pocket authenticator, press Next',
      'Enter the code and press Verify, then Enable MFA',
      'Generate Backup Codes, keep them, Continue to Sign In',
      'Sign in again with password and the next code: the one you used is refused',
      'Sign out',
    ),
  )}
  ${section(
    '3. Reset, as Sam, in support',
    steps(
      toConsole(PEOPLE.sam.email),
      'Open Customers, then Initech',
      'Press the gear beside Noor’s email address, then Reset Portal MFA',
      'Say how you checked and press Reset MFA: Noor has to set it up again',
      'Sign out',
    ),
  )}
  ${section(
    '4. Disable, as Ada again',
    steps(
      toConsole(PEOPLE.ada.email),
      'Open Settings, then General, unmark the checkbox and press Save',
      html`${toPortal('maria@globex.test')}, who has MFA: she is still asked for a code. Noor is not.`,
    ),
  )}`;
}

function others(): Html {
  return html`<ul class="bullets">
    <li>${ltr(PEOPLE.ben.email)}, admin</li>
    <li>${ltr('omar@umbra.test')}, MFA on, one backup code left</li>
    <li>${ltr('ines@globex.test')}, invited, no password yet</li>
    <li>${ltr('dan@hooli.test')}, portal access disabled</li>
  </ul>`;
}

function steps(...items: (Html | string)[]): Html {
  return html`<ol class="bullets">
    ${items.map((item) => html`<li>${item}</li>`)}
  </ol>`;
}
