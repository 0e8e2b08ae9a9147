import { html } from 'hono/html';
import type { Contact } from '../accounts/contacts.ts';
import type { Organization } from '../accounts/organizations.ts';
import {
  activeApps,
  beginAnother,
  beginReplacement,
  removeApp,
  renameApp,
  type ActiveApp,
  type BegunOver,
} from '../auth/authenticators.ts';
import { APP_NAME_MAX, APPS_PER_ACCOUNT } from '../auth/limits.ts';
import { proveFactorFirst, proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import { notFoundPage } from '../web/errors.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { backToSecurity, insidePage, portalBase, signInAnew } from './frame.ts';
import { offerTo } from './mfa-offer.ts';

/** The authenticator apps of an account, with what can be done about each, and about having any. */
export async function appsSection(visit: Visit, who: SignedIn, { mfaSince }: Contact): Promise<c.Html> {
  const { organization, session } = who;
  const apps = await activeApps(visit.installation.db, session.account);
  const m = organization.name;
  if (apps.length > 0) {
    const heading = say(apps.length === 1 ? 'sec.app' : 'sec.apps');
    return c.section(
      heading,
      html`${c.summaryList(apps.map((app) => row(organization, app, apps.length)))} ${below(organization, apps.length)}`,
    );
  }
  const { link } = await offerTo(visit, who);
  const value = mfaSince === null ? say('sec.app.off') : say('sec.app.lost', { m });
  return c.section(say('sec.app'), c.summaryList([{ label: say('sec.app'), value, action: link }]));
}

function row(organization: Organization, app: ActiveApp, count: number): c.SummaryRow {
  const date = (ms: number): c.Html => c.time(ms, organization, 'date');
  const name = nameOf(app);
  const at = pathOf(organization, app.id);
  const used =
    app.lastUsedAt === null ? say('sec.app.unused') : c.words('sec.app.used', { date: date(app.lastUsedAt) });
  const replacing = c.form(
    `${at}/replace`,
    c.button(say('sec.app.replace'), { kind: 'link', named: say('sec.app.replace.name', { name }) }),
  );
  const removing = c.rowLink(say('sec.app.remove'), `${at}/remove`, say('sec.app.remove.name', { name }));
  return {
    label: name,
    value: html`${c.words('sec.app.on', { date: date(app.enabledAt) })} · ${used}`,
    action: c.rowActs(
      replacing,
      c.rowLink(say('sec.app.rename'), `${at}/rename`, say('sec.app.rename.name', { name })),
      count > 1 ? removing : c.nothing,
    ),
  };
}

function below(organization: Organization, count: number): c.Html {
  const base = `${portalBase(organization)}/security`;
  const more =
    count < APPS_PER_ACCOUNT
      ? c.rowLink(say('sec.app.add'), `${base}/authenticators/new`)
      : html`<span class="hint">${say('sec.app.full', { max: APPS_PER_ACCOUNT })}</span>`;
  const off =
    organization.policy === 'required'
      ? html`<span class="hint">${say('sec.off.required', { m: organization.name })}</span>`
      : c.rowLink(say('sec.off'), `${base}/turn-off-mfa`);
  return c.rowActs(more, off);
}

/** What an app is called: by its owner, or as all are. */
function nameOf({ name }: ActiveApp): string {
  return name ?? say('sec.app');
}

function pathOf(organization: Organization, appId: string): string {
  return `${portalBase(organization)}/security/authenticators/${appId}`;
}

/** GET /security/authenticators/new */
export function addPage(visit: Visit, { organization }: SignedIn): Promise<Response> {
  return visit.page(namePage(organization, adding(organization), '', []));
}

/** POST /security/authenticators/new: Add. Half signed in from here on, beside the session that the ceremony will end. */
export async function add(visit: Visit, who: SignedIn): Promise<Response> {
  const { organization, session } = who;
  const name = readName((await visit.form('name')).name);
  const problems = judge(name);
  if (problems.length > 0) return visit.page(namePage(organization, adding(organization), name, problems), 422);
  const asked = await proveFirst(visit, who, say('sec.app.add.about'));
  if (asked) return asked;
  return begun(visit, who, await beginAnother(visit.installation, session, name, visit.visitor));
}

/** POST /security/authenticators/:authenticator/replace: the old app works until the new one is enabled. */
export async function replace(visit: Visit, who: SignedIn): Promise<Response> {
  await visit.form();
  const asked = await proveFactorFirst(visit, who, say('sec.app.replace.about'));
  if (asked) return asked;
  const { installation, visitor } = visit;
  return begun(visit, who, await beginReplacement(installation, who.session, visit.param('authenticator'), visitor));
}

function begun(visit: Visit, { organization }: SignedIn, outcome: BegunOver): Response {
  switch (outcome.kind) {
    case 'begun':
      visit.challenge('portal', outcome.cookie);
      return visit.see(`${portalBase(organization)}/enable-mfa/scan`);
    case 'full':
      return backToSecurity(visit, organization, 'warn', say('sec.app.full', { max: APPS_PER_ACCOUNT }));
    case 'nothing-to-do':
      return backToSecurity(visit, organization, 'warn', say('sec.changed'));
  }
}

/** GET /security/authenticators/:authenticator/rename */
export async function renamePage(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  const { app } = await appIn(visit, session);
  if (!app) return notFoundPage(visit);
  return visit.page(namePage(organization, renaming(organization, app), app.name ?? '', []));
}

/** POST /security/authenticators/:authenticator/rename: Save. */
export async function rename(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  const name = readName((await visit.form('name')).name);
  const { app } = await appIn(visit, session);
  if (!app) return notFoundPage(visit);
  const problems = judge(name);
  if (problems.length > 0) return visit.page(namePage(organization, renaming(organization, app), name, problems), 422);
  const renamed = await renameApp(visit.installation, session, app.id, name, visit.visitor);
  if (!renamed) return backToSecurity(visit, organization, 'warn', say('sec.app.gone'));
  return backToSecurity(visit, organization, 'ok', say('sec.app.renamed', { name }));
}

/** GET /security/authenticators/:authenticator/remove: what it will do. */
export async function removePage(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  const { app, others } = await appIn(visit, session);
  if (!app) return notFoundPage(visit);
  const name = nameOf(app);
  const cancel = c.linkButton(say('sec.cancel'), `${portalBase(organization)}/security`);
  const act = c.button(say('sec.app.remove'), { kind: 'danger' });
  const body =
    others === 0
      ? html`<p>${say('sec.app.remove.last')}</p>
          ${c.actions(cancel)}`
      : html`<p>${say('sec.app.remove.text', { name, n: others })}</p>
          <p>${say('sec.app.remove.ends')}</p>
          ${c.form(`${pathOf(organization, app.id)}/remove`, c.actions(act, cancel))}`;
  const title = say('sec.app.remove.title', { name });
  return visit.page(insidePage(organization, { title, body: html`<section class="panel">${body}</section>` }));
}

/** POST /security/authenticators/:authenticator/remove: Remove. */
export async function remove(visit: Visit, who: SignedIn): Promise<Response> {
  const { organization, session } = who;
  await visit.form();
  const proof = await proveFirst(visit, who, say('sec.app.remove.about'));
  if (proof) return proof;
  const outcome = await removeApp(visit.installation, session, visit.param('authenticator'), visit.visitor);
  switch (outcome.kind) {
    case 'removed':
      return signInAnew(visit, who, say('sec.app.removed'));
    case 'last':
      return backToSecurity(visit, organization, 'warn', say('sec.app.remove.last'));
    case 'nothing-to-do':
      return backToSecurity(visit, organization, 'warn', say('sec.app.gone'));
  }
}

async function appIn(
  visit: Visit,
  { account }: SignedIn['session'],
): Promise<{ app: ActiveApp | undefined; others: number }> {
  const apps = await activeApps(visit.installation.db, account);
  const app = apps.find(({ id }) => id === visit.param('authenticator'));
  return { app, others: apps.length - 1 };
}

interface Naming {
  readonly title: string;
  readonly text?: string;
  readonly action: string;
  readonly submit: string;
}

function adding(organization: Organization): Naming {
  return {
    title: say('sec.app.add.title'),
    text: say('sec.app.add.text', { max: APPS_PER_ACCOUNT }),
    action: pathOf(organization, 'new'),
    submit: say('sec.app.add.submit'),
  };
}

function renaming(organization: Organization, app: ActiveApp): Naming {
  return {
    title: say('sec.app.rename.title', { name: nameOf(app) }),
    action: `${pathOf(organization, app.id)}/rename`,
    submit: say('sec.app.rename.submit'),
  };
}

function namePage(organization: Organization, naming: Naming, value: string, errors: readonly c.Problem[]): c.Html {
  const { title, text, action, submit } = naming;
  const name = c.field({
    name: 'name',
    label: say('sec.app.name'),
    hint: say('sec.app.name.hint'),
    autocomplete: 'off',
    value,
    error: c.problemOf(errors, 'name'),
  });
  const cancel = c.linkButton(say('sec.cancel'), `${portalBase(organization)}/security`);
  const body = html`<section class="panel">
    ${text === undefined ? c.nothing : html`<p>${text}</p>`}
    ${c.form(action, html`${name} ${c.actions(c.button(submit), cancel)}`)}
  </section>`;
  return insidePage(organization, { title, errors, body });
}

function readName(typed: string): string {
  return typed.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

function judge(name: string): c.Problem[] {
  if (name === '') return [{ field: 'name', text: say('sec.app.name.empty') }];
  if (Array.from(name).length > APP_NAME_MAX)
    return [{ field: 'name', text: say('sec.app.name.long', { max: APP_NAME_MAX }) }];
  return [];
}
