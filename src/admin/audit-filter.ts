import { html } from 'hono/html';
import type { AuditFilter } from '../accounts/audit.ts';
import { actorsMeant, auditName, isId, startOfDay, targetMeant } from '../accounts/audit-filter.ts';
import { actionsOf, GROUPS, isAction, isGroup } from '../accounts/audit-groups.ts';
import type { Installation } from '../accounts/installation.ts';
import type { Organization } from '../accounts/organizations.ts';
import * as c from '../web/components.ts';
import { GROUP_NAMES } from './audit-words.ts';
import { EMAIL_MAX as FIELD_MAX, fitting } from './inputs.ts';

export const AUDIT = '/admin/audit';
export const FIELDS = ['who', 'what', 'action', 'whom', 'customer', 'from', 'to', 'address'] as const;

/** A filter as it was typed or as a link carries it, the field empty that restricts nothing. */
export type Typed = Readonly<Record<(typeof FIELDS)[number], string>>;

export interface Asked {
  readonly typed: Typed;
  readonly filter: AuditFilter;
  readonly problems: readonly c.Problem[];
  /** What is fixed by a link and not typed: whose name stands for which field. */
  readonly fixed: readonly { readonly field: keyof Typed; readonly name: string }[];
}

/** Makes a filter of what was typed; dates are days of the organization. */
export async function asked({ db }: Installation, organization: Organization, typed: Typed): Promise<Asked> {
  const { id, timeZone } = organization;
  const { who, what, action, whom, customer, address } = typed;
  const from = typed.from === '' ? undefined : startOfDay(typed.from, timeZone);
  const to = typed.to === '' ? undefined : startOfDay(typed.to, timeZone, 1);
  const actions = isAction(action) ? [action] : isGroup(what) ? actionsOf(what) : undefined;
  const ids = (['who', 'whom', 'customer'] as const).filter((field) => isId(typed[field]));
  const names = await Promise.all(ids.map((field) => auditName(db, id, typed[field])));
  return {
    typed,
    filter: {
      actorIds: who === '' ? undefined : await actorsMeant(db, id, who),
      actions,
      targetId: whom === '' ? undefined : ((await targetMeant(db, id, whom)) ?? ''),
      customerId: customer === '' ? undefined : customer,
      address: address === '' ? undefined : address,
      from,
      to,
    },
    problems: [
      ...(['from', 'to'] as const)
        .filter((field) => typed[field] !== '' && { from, to }[field] === undefined)
        .map((field) => ({ field, text: 'Enter a day as 2026-11-24' })),
      ...(isAmong(what, isGroup) && isAmong(action, isAction)
        ? []
        : [{ field: 'what', text: 'Choose one of the list' }]),
      ...(['who', 'whom', 'customer', 'address'] as const).flatMap((field) =>
        fitting(field, 'this', typed[field], FIELD_MAX),
      ),
    ],
    fixed: ids.map((field, at) => ({ field, name: names[at] ?? 'somebody who is gone' })),
  };
}

function isAmong(text: string, known: (text: string) => boolean): boolean {
  return text === '' || known(text);
}

/** The address of the page with some fields of its filter changed. */
export function addressOf(typed: Typed, changed: Partial<Typed & { before: string }> = {}): string {
  const given = Object.entries({ ...typed, ...changed }).filter(([, value]) => value !== '');
  return given.length === 0 ? AUDIT : `${AUDIT}?${new URLSearchParams(given).toString()}`;
}

const ONLY = { who: 'Only what was done by', whom: 'Only what concerns', customer: 'Only the contacts of' };

/** The form, and above it whom a link has fixed. */
export function filterForm({ typed, fixed, problems }: Asked): c.Html {
  const isFixed = (field: keyof Typed): boolean => fixed.some((one) => one.field === field);
  const hidden = (['who', 'whom', 'customer', 'action'] as const).filter(
    (field) => typed[field] !== '' && (field === 'action' || isFixed(field)),
  );
  const text = (name: 'who' | 'whom' | 'address', label: string, hint: string): c.Html =>
    isFixed(name)
      ? c.nothing
      : c.field({ name, label, hint, value: typed[name], autocomplete: 'off', error: c.problemOf(problems, name) });
  const day = (name: 'from' | 'to', label: string): c.Html =>
    c.field({ name, label, type: 'date', value: typed[name], error: c.problemOf(problems, name) });
  const what = c.selectField({
    name: 'what',
    label: 'What',
    value: typed.what,
    choices: GROUP_CHOICES,
    error: c.problemOf(problems, 'what'),
  });
  return html`${fixed.map(
      ({ field, name }) =>
        html`<p>
          ${ONLY[field as keyof typeof ONLY]} <bdi>${name}</bdi>.
          <a href="${addressOf(typed, { [field]: '' })}">Remove</a>
        </p>`,
    )}
    <form method="get" action="${AUDIT}" role="search" class="filters">
      ${hidden.map((field) => html`<input type="hidden" name="${field}" value="${typed[field]}" />`)}
      ${text('who', 'Who', 'The beginning of a name or email of your staff')} ${what}
      ${text('whom', 'Whom', 'An email')} ${day('from', 'From')} ${day('to', 'To')}
      ${text('address', 'Address', 'Where it came from, such as 203.0.113.7')}
      <div class="actions">
        ${c.button('Filter', { kind: 'second' })}
        ${addressOf(typed) === AUDIT ? c.nothing : html`<a href="${AUDIT}">Clear</a>`}
      </div>
    </form>`;
}

const GROUP_CHOICES: c.Option[] = [
  { value: '', label: 'Everything' },
  ...GROUPS.map((group) => ({ value: group, label: GROUP_NAMES[group] })),
];
