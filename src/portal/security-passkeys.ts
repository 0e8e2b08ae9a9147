import { html } from 'hono/html';
import type { Organization } from '../accounts/organizations.ts';
import * as passkeys from '../auth/passkeys.ts';
import { PASSKEYS_PER_ACCOUNT } from '../auth/limits.ts';
import { openSessions } from '../auth/sessions.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import { deviceOf } from '../web/device.ts';
import { notFoundPage } from '../web/errors.ts';
import type { SignedIn } from '../web/guards.ts';
import { askedBy, passkeyForm } from '../web/passkeys.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { insidePage, portalBase } from './frame.ts';

const NAME_MAX = 50;

/** The passkeys of a contact, and what can be done with them; nothing where there are none and none can be made. */
export async function passkeySection(visit: Visit, { organization, session }: SignedIn): Promise<c.Html> {
  const { db } = visit.installation;
  const all = await passkeys.passkeysOf(db, session.account);
  const mayAdd = await passkeys.mayHavePasskeys(db, session.account);
  if (all.length === 0 && !mayAdd) return c.nothing;
  const isOff = organization.passkeys === 'off';
  return c.section(
    say('sec.passkeys'),
    html`${all.length === 0 ? html`<p>${say('sec.passkeys.none')}</p>` : list(organization, all)}
    ${isOff ? html`<p class="hint">${say('sec.passkeys.off', { m: organization.name })}</p>` : c.nothing}
    ${mayAdd ? c.linkButton(say('passkey.add'), `${path(organization)}/add`) : c.nothing}`,
  );
}

function list(organization: Organization, all: readonly passkeys.Passkey[]): c.Html {
  const date = (ms: number): c.Html => c.time(ms, organization, 'date');
  return c.summaryList(
    all.map(({ id, name, createdAt, lastUsedAt, copiedAt }) => {
      const made = date(createdAt);
      const used =
        lastUsedAt === null
          ? c.words('sec.passkeys.unused', { made })
          : c.words('sec.passkeys.line', { made, used: date(lastUsedAt) });
      const copied = copiedAt === null ? c.nothing : c.pill('danger', say('sec.passkeys.copied'));
      const at = `${path(organization)}/${id}`;
      return {
        label: name,
        value: html`${used} ${copied}`,
        action: c.rowActs(
          c.rowLink(say('passkey.rename'), `${at}/rename`, say('passkey.rename.of', { name })),
          c.rowLink(say('passkey.remove'), `${at}/remove`, say('passkey.remove.of', { name })),
        ),
      };
    }),
  );
}

function path(organization: Organization): string {
  return `${portalBase(organization)}/security/passkeys`;
}

/** GET /security/passkeys/add */
export async function showAdd(visit: Visit, who: SignedIn): Promise<Response> {
  const refused = await mayNot(visit, who);
  if (refused) return refused;
  const asked = await proveFirst(visit, who, say('passkey.add.about'));
  return asked ?? visit.page(addPage(who, deviceOf(visit.visitor), []));
}

/** POST /security/passkeys/add/options: what the browser is to be asked for, by its script. */
export async function addOptions(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  await visit.form();
  const options = await passkeys.beginAdding(visit.installation, askedBy(visit, organization), session);
  return options ? visit.json(options) : visit.json({}, 401);
}

/** POST /security/passkeys/add: what the browser has made. */
export async function add(visit: Visit, who: SignedIn): Promise<Response> {
  const form = await visit.form('name', 'response');
  const problems = named(form.name);
  if (form.response === '') problems.push({ field: 'name', text: say('passkey.add.refused') });
  if (problems.length > 0) return visit.page(addPage(who, form.name, problems), 422);
  const asked = await proveFirst(visit, who, say('passkey.add.about'));
  if (asked) return asked;
  const given = { name: form.name.trim(), response: form.response };
  const rp = askedBy(visit, who.organization);
  const added = await passkeys.addPasskey(visit.installation, rp, who.session, given, visit.visitor);
  switch (added.kind) {
    case 'added':
      visit.leave('portal', { kind: 'ok', text: say('passkey.added') });
      return visit.see(`${portalBase(who.organization)}/security`);
    case 'refused':
      return visit.page(addPage(who, form.name, [{ field: 'name', text: say('passkey.add.refused') }]), 422);
    case 'full':
      return visit.page(
        addPage(who, form.name, [{ field: 'name', text: say('passkey.add.full', { n: PASSKEYS_PER_ACCOUNT }) }]),
        422,
      );
    case 'not-allowed':
      return (await mayNot(visit, who)) ?? visit.see(`${portalBase(who.organization)}/security`);
  }
}

// A passkey stands in for the code of an app, so there has to be one; and the organization has to take them.
async function mayNot(visit: Visit, { organization, session }: SignedIn): Promise<Response | undefined> {
  if (await passkeys.mayHavePasskeys(visit.installation.db, session.account)) return undefined;
  const m = organization.name;
  const text = organization.passkeys === 'off' ? say('sec.passkeys.off', { m }) : say('passkey.add.app-first');
  visit.leave('portal', { kind: 'info', text });
  return visit.see(`${portalBase(organization)}/security`);
}

function addPage({ organization }: SignedIn, name: string, errors: readonly c.Problem[]): c.Html {
  const at = `${path(organization)}/add`;
  return insidePage(organization, {
    title: say('passkey.add'),
    errors,
    body: html`<section class="panel">
      <p>${say('passkey.add.text')}</p>
      ${passkeyForm({
        action: at,
        options: `${at}/options`,
        label: say('passkey.add.submit'),
        makes: true,
        fields: nameField(name, errors),
        unable: say('passkey.add.unable'),
      })}
      <p><a href="${portalBase(organization)}/security">${say('confirm.cancel')}</a></p>
    </section>`,
  });
}

function nameField(value: string, errors: readonly c.Problem[]): c.Html {
  const [label, hint] = [say('passkey.name'), say('passkey.name.hint')];
  return c.field({ name: 'name', label, hint, value, autocomplete: 'off', error: c.problemOf(errors, 'name') });
}

function named(name: string): c.Problem[] {
  if (name.trim() === '') return [{ field: 'name', text: say('passkey.name.empty') }];
  return name.trim().length > NAME_MAX ? [{ field: 'name', text: say('passkey.name.long', { n: NAME_MAX }) }] : [];
}

async function findOwn(visit: Visit, { session }: SignedIn): Promise<passkeys.Passkey | undefined> {
  const all = await passkeys.passkeysOf(visit.installation.db, session.account);
  return all.find(({ id }) => id === visit.param('passkey'));
}

/** GET /security/passkeys/:passkey/rename */
export async function showRename(visit: Visit, who: SignedIn): Promise<Response> {
  const own = await findOwn(visit, who);
  return own ? visit.page(renamePage(who, own, own.name, [])) : notFoundPage(visit);
}

/** POST /security/passkeys/:passkey/rename */
export async function rename(visit: Visit, who: SignedIn): Promise<Response> {
  const { name } = await visit.form('name');
  const own = await findOwn(visit, who);
  if (!own) return notFoundPage(visit);
  const problems = named(name);
  if (problems.length > 0) return visit.page(renamePage(who, own, name, problems), 422);
  const renamed = await passkeys.renamePasskey(visit.installation, who.session, own.id, name.trim(), visit.visitor);
  if (!renamed) return notFoundPage(visit);
  visit.leave('portal', { kind: 'ok', text: say('passkey.renamed') });
  return visit.see(`${portalBase(who.organization)}/security`);
}

function renamePage(
  { organization }: SignedIn,
  own: passkeys.Passkey,
  name: string,
  errors: readonly c.Problem[],
): c.Html {
  const buttons = c.actions(
    c.button(say('passkey.rename.submit')),
    c.linkButton(say('confirm.cancel'), `${portalBase(organization)}/security`),
  );
  const fields = html`${nameField(name, errors)} ${buttons}`;
  return insidePage(organization, {
    title: say('passkey.rename.title'),
    errors,
    body: html`<section class="panel">${c.form(`${path(organization)}/${own.id}/rename`, fields)}</section>`,
  });
}

/** GET /security/passkeys/:passkey/remove: what it will do, in numbers. */
export async function showRemove(visit: Visit, who: SignedIn): Promise<Response> {
  const own = await findOwn(visit, who);
  return own ? visit.page(await removePage(visit, who, own)) : notFoundPage(visit);
}

/** POST /security/passkeys/:passkey/remove */
export async function remove(visit: Visit, who: SignedIn): Promise<Response> {
  await visit.form();
  const own = await findOwn(visit, who);
  if (!own) return notFoundPage(visit);
  const asked = await proveFirst(visit, who, say('passkey.remove.about'));
  if (asked) return asked;
  if (!(await passkeys.removePasskey(visit.installation, who.session, own.id, visit.visitor)))
    return notFoundPage(visit);
  visit.signOut('portal');
  visit.leave('portal', { kind: 'ok', text: say('passkey.removed'), email: who.session.account.email });
  return visit.see(`${portalBase(who.organization)}/sign-in`);
}

async function removePage(visit: Visit, { organization, session }: SignedIn, own: passkeys.Passkey): Promise<c.Html> {
  const { db } = visit.installation;
  const left = (await passkeys.passkeysOf(db, session.account)).length - 1;
  const n = (await openSessions(db, 'portal', session.account, visit.now)).length;
  const buttons = c.actions(
    c.button(say('passkey.remove.submit'), { kind: 'danger' }),
    c.linkButton(say('passkey.remove.keep'), `${portalBase(organization)}/security`),
  );
  return insidePage(organization, {
    title: say('passkey.remove.title'),
    body: html`<section class="panel">
      <p>
        ${c.words('passkey.remove.which', { name: html`<bdi>${own.name}</bdi>` })}
        ${say('passkey.remove.left', { n: left })}
      </p>
      <p>${say('passkey.remove.sessions', { n })}</p>
      ${c.form(`${path(organization)}/${own.id}/remove`, buttons)}
    </section>`,
  });
}
