import { html } from 'hono/html';
import type { Organization } from '../accounts/organizations.ts';
import { checkApp, isAppToBeChecked } from '../auth/app-check.ts';
import { readCode } from '../auth/code-input.ts';
import { codeShape, usedCode } from '../door/code-words.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { insidePage, portalBase } from './frame.ts';

/** On home, where it is time to ask: the question with its small form. It holds nobody up. */
export async function askIfAppWorks(visit: Visit, { organization, session }: SignedIn): Promise<c.Html> {
  if (!(await isAppToBeChecked(visit.installation, session.account))) return c.nothing;
  return c.notice(
    'info',
    html`<p><strong>${say('check.title')}</strong></p>
      <p>${say('check.why')}</p>
      ${checkForm(organization)}`,
  );
}

/** GET /check-app: the same by itself. */
export function show(visit: Visit, who: SignedIn): Promise<Response> {
  return visit.page(checkPage(who.organization));
}

/** POST /check-app */
export async function submit(visit: Visit, who: SignedIn): Promise<Response> {
  const { organization, session } = who;
  const input = readCode((await visit.form('code')).code);
  const refuse = (text: string): Promise<Response> => visit.page(checkPage(organization, text), 422);
  if (input.kind === 'backup-code') return refuse(say('mfa.setup.backup'));
  if (input.kind !== 'totp') return refuse(codeShape(input));
  const answered = await checkApp(visit.installation, session, input, visit.visitor);
  switch (answered.kind) {
    case 'right':
      visit.leave('portal', { kind: 'ok', text: say('check.right') });
      return visit.see(`${portalBase(organization)}/home`);
    case 'wrong':
      return refuse(say('code.wrong'));
    case 'already-used':
      return refuse(usedCode(answered.nextCodeAt, visit.now));
    case 'wait': {
      const time = c.timeText(answered.until, organization, 'clock');
      return visit.heldBack(checkPage(organization, say('login.limited', { time })), answered.until);
    }
    case 'clock-behind':
      return visit.unavailable(checkPage(organization, say('mfa.setup.paused', { m: organization.name })));
    case 'suspected':
    case 'over':
      // Home says what has happened, or its guard does.
      return visit.see(`${portalBase(organization)}/home`);
  }
}

function checkPage(organization: Organization, problem?: string): c.Html {
  return insidePage(organization, {
    title: say('check.title'),
    errors: problem === undefined ? [] : [{ field: 'code', text: problem }],
    body: html`<section class="panel">
        <p>${say('check.why')}</p>
        ${checkForm(organization, problem)}
      </section>
      <p><a href="${portalBase(organization)}/home">${say('sec.home')}</a></p>`,
  });
}

function checkForm(organization: Organization, problem?: string): c.Html {
  const fields = html`${c.codeField({ label: say('check.code'), error: problem })}
  ${c.button(say('check.submit'), { kind: 'second' })}`;
  return html`${c.form(`${portalBase(organization)}/check-app`, fields, { busy: say('code.busy') })}
    <p><a href="${portalBase(organization)}/security">${say('check.gone')}</a></p>`;
}
