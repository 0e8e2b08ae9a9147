import { daysUntil, type Day, type Event, type Figure, type Standing } from '../accounts/figures.ts';

/** What a merchant looks like at the end of such a year. */
export interface Merchant {
  readonly contacts: number;
  readonly on: number;
  /** The agents who reset, by their ids. */
  readonly agents: readonly string[];
}

const DAYS = 365;

/**
 * A year of daily figures that a merchant might have had, up to and without today. Example data, written where the
 * product would have added it up from a year of sign-ins: nobody wants to wait for those when the demo starts.
 */
export function aYear(today: Day, { contacts, on, agents }: Merchant): Figure[] {
  const first = Temporal.PlainDate.from(daysUntil(today, DAYS + 1).from);
  const days = Array.from({ length: DAYS }, (_, at) => first.add({ days: at }));
  const onAt = (at: number): number => Math.round(on * risen(at / DAYS));
  return days.flatMap((date, at) => {
    const all = Math.max(onAt(at), Math.round(contacts * (0.7 + (0.3 * at) / DAYS)));
    const enabled = at === 0 ? 0 : Math.max(0, onAt(at) - onAt(at - 1));
    const some = (value: number, salt: number): number => Math.floor(value + chance(at, salt));
    const signIns = some(all * (date.dayOfWeek > 5 ? 0.04 : 0.18), 1);
    const coded = some((signIns * onAt(at)) / all, 2);
    const wrong = some(coded * 0.05, 3);
    const figures: [Event | Standing, number, string?][] = [
      ['mfa-on', onAt(at)],
      ['mfa-none', all - onAt(at)],
      ['asked', some(enabled * 1.25 + all * 0.002, 4)],
      ['began', some(enabled * 1.1 + all * 0.001, 4)],
      ['verified', enabled],
      ['enabled', enabled],
      ['codes-made', enabled - (chance(at, 5) > 0.9 ? Math.min(enabled, 1) : 0)],
      ['signed-in', coded, 'totp'],
      ['signed-in', coded > 0 ? some(0.1, 6) : 0, 'backup-code'],
      ['signed-in', Math.max(0, signIns - coded), 'password'],
      ['code-wrong', wrong, 'totp'],
      ['code-used', some(coded * 0.01, 7), 'totp'],
      ['locked-out', wrong > 0 ? some(0.1, 8) : 0],
      ['password-wrong', some(signIns * 0.08, 9)],
      ['reset', onAt(at) > 0 ? some(0.08, 10) : 0, agents[at % agents.length] ?? 'operator'],
    ];
    const day = date.toString();
    return figures
      .filter(([name, value]) => value > 0 || name === 'mfa-on' || name === 'mfa-none')
      .map(([name, value, subject = '']) => ({ name, day, subject, value }));
  });
}

/** How far adoption has come at a part of the year: slowly for long, then quickly, and all the way at its end. */
function risen(part: number): number {
  return curve(part) / curve(1);
}

function curve(part: number): number {
  return 0.06 + 0.94 / (1 + Math.exp(-8 * (part - 0.85)));
}

/** Something between 0 and 1 that looks like chance and is the same at every start. */
function chance(day: number, salt: number): number {
  const wave = Math.sin(day * 12.9898 + salt * 78.233) * 43_758.5453;
  return wave - Math.floor(wave);
}
