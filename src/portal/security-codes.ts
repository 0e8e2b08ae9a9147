import { html } from 'hono/html';
import type { Contact } from '../accounts/contacts.ts';
import { CODES_PER_SET, FEW_CODES } from '../auth/limits.ts';
import { makeNewCodes } from '../auth/new-codes.ts';
import { backupCodesLeft } from '../auth/sign-in.ts';
import { proveFactorFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { backToSecurity, insidePage, portalBase } from './frame.ts';

/** How many backup codes are left (R25), and the way to new ones; nothing where there is no MFA. */
export function codesSection({ organization }: SignedIn, { mfaSince, backupCodesLeft: left }: Contact): c.Html {
  if (mfaSince === null) return c.nothing;
  const action = c.rowLink(say('sec.codes.get'), `${portalBase(organization)}/security/backup-codes`);
  return c.section(say('sec.codes'), c.summaryList([{ label: say('sec.codes'), value: codesLeft(left), action }]));
}

function codesLeft(left: number | null): c.Html {
  if (left === null) return c.pill('warn', say('sec.codes.never'));
  if (left === 0) return c.pill('warn', say('sec.codes.none'));
  return c.pill(left <= FEW_CODES ? 'warn' : 'ok', say('sec.codes.left', { n: left, total: CODES_PER_SET }));
}

/** GET /security/backup-codes (C15): what new ones will do to the old. */
export async function ask(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  const left = (await backupCodesLeft(visit.installation, session.account)) ?? 0;
  const base = `${portalBase(organization)}/security`;
  const cancel = c.linkButton(say('sec.cancel'), base);
  const body = html`<section class="panel">
    <p>${left === 0 ? say('sec.codes.no-old', { n: CODES_PER_SET }) : say('sec.codes.old', { n: left })}</p>
    ${c.form(`${base}/backup-codes`, c.actions(c.button(say('sec.codes.get')), cancel), {
      busy: say('mfa.codes.generate.busy'),
    })}
  </section>`;
  return visit.page(insidePage(organization, { title: say('sec.codes.title'), body }));
}

/** POST /security/backup-codes: Get new codes. They are shown where those of the ceremony are (C6). */
export async function make(visit: Visit, who: SignedIn): Promise<Response> {
  await visit.form();
  const asked = await proveFactorFirst(visit, who, say('sec.codes.about'));
  if (asked) return asked;
  const { organization, session } = who;
  const made = await makeNewCodes(visit.installation, session, visit.visitor);
  if (made.kind === 'nothing-to-do') return backToSecurity(visit, organization, 'warn', say('sec.changed'));
  visit.challenge('portal', made.cookie);
  return visit.see(`${portalBase(organization)}/enable-mfa/backup-codes`);
}
