import { html } from 'hono/html';
import type { Role } from '../accounts/accounts.ts';
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
    html`<p>
        To make is to invite, or to give the role. To manage is to change the role, to make a new invitation link, to
        sign out everywhere, and to remove. Nobody manages themselves, and the last owner stays.
      </p>
      ${managementTable()}`,
  )}`;
  const actions = barredBy === undefined ? c.linkButton('Invite', '/admin/team/invite', 'main') : undefined;
  return consolePage(visit, who, { current: 'settings', title: 'Team', phrase: 'Settings', actions, body });
}

function memberRow(visit: Visit, who: SignedIn, member: StaffMember): c.Content[] {
  const you = member.id === who.session.account.id ? html` <small class="muted">You</small>` : c.nothing;
  return [
    html`${member.name}${you}<br /><small class="muted">${c.ltr(member.email)}</small>`,
    ROLE_NAMES[member.role],
    mfaSinceWords(member, who.organization),
    member.lastSignInAt === null ? 'Never' : c.time(member.lastSignInAt, who.organization, 'date'),
    staffState(member, who.organization, visit.now),
    staffMenu(who, member),
  ];
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

const MANAGEMENT: [act: string, allowed: (role: Role, whose: Role) => boolean][] = [
  ['Make', mayGive],
  ['Manage', manages],
  ['Reset the MFA of', resets],
];

function managementTable(): c.Html {
  const rows = MANAGEMENT.flatMap(([act, allowed]) =>
    ROLES.map((whose) => [`${act} ${ROLE_PLURALS[whose]}`, ...ROLES.map((role) => yesOrNo(allowed(role, whose)))]),
  );
  return c.dataTable({
    id: 'management',
    caption: 'Who manages whom',
    columns: [{ label: 'What' }, ...ROLE_COLUMNS],
    rows,
  });
}

// A sign for eyes and a word for ears.
function yesOrNo(yes: boolean): c.Html {
  return html`<span aria-hidden="true">${yes ? '✓' : '–'}</span
    ><span class="visually-hidden">${yes ? 'Yes' : 'No'}</span>`;
}
