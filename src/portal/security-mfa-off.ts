import { html } from 'hono/html';
import { activeApps } from '../auth/authenticators.ts';
import { turnMfaOff } from '../auth/mfa-off.ts';
import { backupCodesLeft } from '../auth/sign-in.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { backToSecurity, insidePage, portalBase, signInAnew } from './frame.ts';

/** GET /security/turn-off-mfa (C16): what is left then. Only where the policy does not ask for MFA. */
export async function ask(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  const { installation } = visit;
  const apps = (await activeApps(installation.db, session.account)).length;
  if (apps === 0) return backToSecurity(visit, organization, 'info', say('sec.changed'));
  const codes = (await backupCodesLeft(installation, session.account)) ?? 0;
  const base = `${portalBase(organization)}/security`;
  const keep = c.linkButton(say('sec.off.keep'), base);
  const act = c.button(say('sec.off.submit'), { kind: 'danger' });
  const body =
    organization.policy === 'required'
      ? html`<p>${say('sec.off.required', { m: organization.name })}</p>
          ${c.actions(keep)}`
      : html`<p>${say('sec.off.text')}</p>
          <p>${say('sec.off.apps', { n: apps })} ${codes > 0 ? say('sec.off.codes', { n: codes }) : c.nothing}</p>
          <p>${say('sec.off.ends')}</p>
          ${c.form(`${base}/turn-off-mfa`, c.actions(act, keep))}`;
  const title = say('sec.off.title');
  return visit.page(insidePage(organization, { title, body: html`<section class="panel">${body}</section>` }));
}

/** POST /security/turn-off-mfa: Turn off. */
export async function turnOff(visit: Visit, who: SignedIn): Promise<Response> {
  const { organization, session } = who;
  await visit.form();
  const required = (): Response =>
    backToSecurity(visit, organization, 'warn', say('sec.off.required', { m: organization.name }));
  if (organization.policy === 'required') return required();
  const asked = await proveFirst(visit, who, say('sec.off.about'));
  if (asked) return asked;
  const outcome = await turnMfaOff(visit.installation, session, visit.visitor);
  switch (outcome.kind) {
    case 'off':
      return signInAnew(visit, who, say('sec.off.done'));
    case 'required':
      return required();
    case 'nothing-to-do':
      return backToSecurity(visit, organization, 'warn', say('sec.changed'));
  }
}
