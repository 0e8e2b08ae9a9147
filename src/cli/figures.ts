import type { Command } from 'commander';
import { appendLinks } from '../accounts/audit-chain.ts';
import {
  adoption,
  agentNames,
  countedAt,
  dayOf,
  daysUntil,
  EVENTS,
  periodsUntil,
  sums,
  type AdoptionPeriod,
  type Event,
  type Span,
  type Sum,
} from '../accounts/figures.ts';
import { rollUp } from '../accounts/roll-up.ts';
import { countStandings } from '../auth/standing.ts';
import { onInstallation, organizationOf, type Work } from './open.ts';
import { command, iso, moment, type Options } from './shell.ts';
import { wrongUsage } from './stopped.ts';

const MOST_PERIODS = 60;

export function add(program: Command, now: () => number): void {
  command(program, 'figures', 'How many contacts use MFA, and what happened in the last 30 days')
    .option('--organization <slug>', 'whose contacts')
    .option('--weeks <number>', 'as many weeks, from Monday to Sunday (12 if nothing is said)')
    .option('--months <number>', 'as many calendar months')
    .action(onInstallation(now, figures));
}

// What no server has added up yet is added up first: the figures are those of now, whether one runs or not.
const figures: Work = async (installation, options) => {
  const { span, count } = periodsOf(options);
  const { id, slug, timeZone } = await organizationOf(installation, options);
  const { db, now } = installation;
  await appendLinks(installation);
  await rollUp(installation);
  await countStandings(installation);
  const today = dayOf(now(), timeZone);
  const periods = await adoption(db, id, periodsUntil(today, span, count));
  const happened = await sums(db, id, daysUntil(today, 30));
  const at = await countedAt(db, id);
  const agents = happened.filter(({ name }) => name === 'reset').map(({ subject }) => subject);
  return {
    table: { columns: ['From', 'To', 'MFA on', 'Not set up', 'Share'], rows: periods.map(inWords) },
    text: `Counted at ${moment(at)}. In the last 30 days: ${listed(happened)}.`,
    data: {
      organization: slug,
      countedAt: iso(at),
      adoption: periods.map(({ from, to, count: counted }) => ({ from, to, ...counted })),
      last30Days: happened,
      agents: Object.fromEntries(await agentNames(db, id, agents)),
    },
  };
};

function periodsOf({ weeks, months }: Options): { span: Span; count: number } {
  if (weeks !== undefined && months !== undefined) throw wrongUsage('Choose --weeks or --months.');
  const span = months === undefined ? 'weeks' : 'months';
  const count = Number(weeks ?? months ?? 12);
  if (!Number.isInteger(count) || count < 1 || count > MOST_PERIODS)
    throw wrongUsage(`--${span} is a number from 1 to ${MOST_PERIODS}.`);
  return { span, count };
}

function inWords({ from, to, count }: AdoptionPeriod): string[] {
  if (!count) return [from, to, '–', '–', 'not counted'];
  const { on, none } = count;
  const share = on + none === 0 ? '–' : `${((on / (on + none)) * 100).toFixed(1)} %`;
  return [from, to, String(on), String(none), share];
}

function listed(happened: readonly Sum[]): string {
  const total = (name: Event): number =>
    happened.filter((sum) => sum.name === name).reduce((all, { value }) => all + value, 0);
  return EVENTS.map((name) => `${name} ${total(name)}`).join(', ');
}
