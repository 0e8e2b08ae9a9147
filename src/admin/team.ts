import { html } from 'hono/html';
import type { Role } from '../accounts/accounts.ts';
import type { Organization } from '../accounts/organizations.ts';
import {
  manages,
  may,
  mayGive,
  PERMISSIONS,
  resets,
  ROLES,
  teamOf,
  type Permission,
  type StaffMember,
} from '../accounts/staff.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { barred, consolePage, counted, ROLE_NAMES } from './console.ts';
import { mfaSinceWords, PERMISSION_WORDS, ROLE_PLURALS, staffMenu, staffState } from './team-words.ts';

/** Team: who works here and how they stand, and what each role may do. Everybody on the staff may look. */
export async function team(visit: Visit, who: SignedIn): Promise<Response> {
  const members = await teamOf(visit.installation.db, who.organization.id);
  const barredBy = barred(who, 'manage the team');
  const body = html`${barredBy === undefined ? c.nothing : html`<p class="hint">Invite: ${barredBy}</p>`}
  ${c.dataTable({
    id: 'staff',
    caption: `${counted(members.length, 'person', 'people')} on the staff of ${who.organization.name}`,
    columns: [
      { label: 'Name' },
      { label: 'Email' },
      { label: 'Role' },
      { label: 'MFA' },
      { label: 'Last sign-in' },
      { label: 'State' },
      { label: 'Actions', hidden: true, end: true },
    ],
    rows: members.map((member) => memberRow(visit, who, member)),
  })}
  ${c.section('What each role may do', permissionTable())}
  ${c.section(
    'Who manages whom',
    html`<p>Nobody manages themselves, and the last owner stays.</p>
      ${managementTable()}`,
  )}`;
  const actions = barredBy === undefined ? c.linkButton('Invite', '/admin/team/invite', 'main') : undefined;
  return consolePage(visit, who, { current: 'settings', title: 'Team', phrase: 'Settings', actions, body });
}

function memberRow(visit: Visit, who: SignedIn, member: StaffMember): c.Content[] {
  const you = member.id === who.session.account.id ? html` <small class="muted">You</small>` : c.nothing;
  return [
    html`${member.name}${you}`,
    c.ltr(member.email),
    ROLE_NAMES[member.role],
    mfaSinceWords(member, who.organization),
    lastSignIn(member, who.organization),
    staffState(member, who.organization, visit.now),
    staffMenu(who, member),
  ];
}

function lastSignIn({ lastSignInAt }: StaffMember, organization: Organization): c.Content {
  return lastSignInAt === null ? 'Never' : c.time(lastSignInAt, organization);
}

const ROLE_COLUMNS: c.Column[] = ROLES.map((role) => ({ label: ROLE_NAMES[role] }));

/** Drawn from the table that the guards are made from: the page cannot say anything else than they do. */
function permissionTable(): c.Html {
  return c.dataTable({
    id: 'permissions',
    caption: 'What each role may do',
    columns: [{ label: 'What' }, ...ROLE_COLUMNS],
    rows: (Object.keys(PERMISSIONS) as Permission[]).map((permission) => [
      PERMISSION_WORDS[permission],
      ...ROLES.map((role) => yesOrNo(may(role, permission))),
    ]),
  });
}

function managementTable(): c.Html {
  return c.dataTable({
    id: 'management',
    caption: 'Who manages whom',
    columns: [{ label: 'Whom' }, ...ROLE_COLUMNS],
    rows: ROLES.map((whose) => [ROLE_PLURALS[whose], ...ROLES.map((role) => managementOf(role, whose))]),
  });
}

function managementOf(role: Role, whose: Role): c.Content {
  const acts = [
    ...(mayGive(role, whose) ? ['invite'] : []),
    ...(manages(role, whose) ? ['change', 'sign out', 'remove'] : []),
    ...(resets(role, whose) ? ['reset MFA'] : []),
  ].join(', ');
  return acts === '' ? yesOrNo(false) : `${acts.charAt(0).toUpperCase()}${acts.slice(1)}`;
}

// A sign for eyes and a word for ears.
function yesOrNo(yes: boolean): c.Html {
  return html`<span aria-hidden="true">${yes ? '✓' : '–'}</span
    ><span class="visually-hidden">${yes ? 'Yes' : 'No'}</span>`;
}
