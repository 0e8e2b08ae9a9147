import { ENTRY_POINTS } from './entry-points.ts';

/** Some entry points of a row: the tests that attack them, or why there is nothing to attack. */
export type Cells = { readonly at: readonly string[] } & (
  | { readonly tests: readonly string[] }
  | { readonly why: string }
);

/** A class of attack: each was a published hole of a real product. `clauses` are of ASVS 5.0 unless they say otherwise. */
export interface AttackClass {
  readonly name: string;
  readonly clauses: string;
  readonly cells: readonly Cells[];
}

const ALL = Object.keys(ENTRY_POINTS);
const PORTAL = ALL.filter((name) => name.startsWith('portal:'));
export const CONSOLE = ALL.filter((name) => name.startsWith('console:'));
export const MACHINES = ['machine pages'];
export const SHELL = ['command line'];
export const HTTP = [...PORTAL, ...CONSOLE, ...MACHINES];
export const both = (...names: string[]): string[] => names.flatMap((name) => [`portal: ${name}`, `console: ${name}`]);
export const PASSWORD = both('sign-in');
export const CODES = both('code', 'backup code');
export const CEREMONY = both('enable MFA');
export const PROOF = both('fresh proof');
export const PASSKEY = ['portal: passkey', 'portal: own passkeys'];
export const LINKS = [
  'portal: welcome link',
  'portal: mailed link',
  'console: invitation link',
  'console: set-up link',
];
export const READING = ['portal: inside', 'console: reading'];
export const ACTS = ['reset', 'unlock', 'portal access', 'making welcome links', 'team'].map(
  (name) => `console: ${name}`,
);
export const FORMS = without(HTTP, [...READING, ...MACHINES]);

/** Entry points but these. */
export function without(from: readonly string[], these: readonly string[]): string[] {
  return from.filter((name) => !these.includes(name));
}
/** File and sentence; a file of this folder goes without its path. */
export const tests = (at: readonly string[], ...sentences: string[]): Cells => ({ at, tests: sentences });
/** Nothing is attacked there. */
export const none = (at: readonly string[], why: string): Cells => ({ at, why });
/** Everywhere that no cell before has named. */
export const elsewhere = (cells: readonly Cells[], why: string): Cells[] => [
  ...cells,
  none(
    without(
      ALL,
      cells.flatMap(({ at }) => at),
    ),
    why,
  ),
];

export const ROUTES_TEST = '../surface/routes.test.ts: as its guard says, and changes nothing';
export const NO_COOKIE = 'who has the shell has no session: the operator is trusted (SECURITY.md)';
