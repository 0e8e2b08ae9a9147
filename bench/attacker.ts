// What guessing comes to: attacks on a virtual clock against the real limits, for a year where they last so long.
import { randomBytes } from 'node:crypto';
import { STEPS_EITHER_WAY } from '../src/auth/limits.ts';
import { matchingSteps, timeStep } from '../src/crypto/totp.ts';
import {
  BOUNDS,
  chanceOf,
  guessPasswords,
  lockOut,
  play,
  STRATEGIES,
  type KeptOut,
  type Strategy,
} from '../test/auth/attacker.ts';
import { printTable } from './figures.ts';

const CODES = 10 ** 6;
const HOURS_A_YEAR = 24 * 365;
/** What zxcvbn holds a password to take at least that it gives the score which Sallyport asks for. */
const GUESSES_OF_WEAKEST = 10 ** 8;

const open = codesThatOpen();
printTable('One guess at the second factor', [
  ['codes that open at a moment, counted', `${open} of ${CODES.toLocaleString('en')}`],
]);

const thefts: [string, string][] = [];
let allHold = open === 3;
for (const strategy of Object.keys(STRATEGIES) as Strategy[]) {
  const { totp, backupCodes, lastedMs, inWorstYear } = await play(strategy);
  const chance = chanceOf(Math.min(totp, inWorstYear), backupCodes);
  const holds = chance <= BOUNDS[strategy];
  allHold &&= holds;
  const looked = `${inWorstYear} looked at in ${duration(lastedMs)}`.padEnd(27);
  thefts.push([
    strategy,
    `${looked} bound ${figure(BOUNDS[strategy])}  chance ${figure(chance)}  ${holds ? 'holds' : 'DOES NOT HOLD'}`,
  ]);
}
printTable('A thief of the password guesses the second factor', thefts);

const alone = await guessPasswords(1, 24);
const many = await guessPasswords(20, 2);
const yearly = (alone.tried / 24) * HOURS_A_YEAR;
printTable('Somebody without the password guesses it, as fast as the limits allow', [
  ['one address, a day', `${alone.tried} looked at; ${yearly.toLocaleString('en')} a year`],
  ['20 addresses, two hours', `${many.tried} looked at: as many as addresses bring, ${many.tried / 40} each an hour`],
  ['the weakest password that is accepted', `${figure(yearly / GUESSES_OF_WEAKEST)} a year and address, at most`],
  ['answers counted at the second door', `${alone.codesCounted + many.codesCounted}`],
]);

printTable(
  'Strangers try wrong passwords without a pause, to keep Maria out: her longest wait',
  waits(await lockOut(10)),
);
console.log(allHold ? 'Every bound holds.\n' : 'A BOUND DOES NOT HOLD.\n');

/** Tries all codes at one moment on one secret, as the server compares them. */
function codesThatOpen(): number {
  const secret = randomBytes(20);
  const current = timeStep(Date.now());
  let count = 0;
  for (let code = 0; code < CODES; code++) {
    const typed = String(code).padStart(6, '0');
    if (matchingSteps(secret, typed, current - STEPS_EITHER_WAY, current + STEPS_EITHER_WAY).length > 0) count++;
  }
  return count;
}

function waits({ atHomeMs, elsewhereMs, elsewhereAfterASlipMs, atTheirAddressMs }: KeptOut): [string, string][] {
  return [
    ['where she has signed in before', `${atHomeMs / 1_000} s`],
    ['anywhere else', `${elsewhereMs / 1_000} s`],
    ['anywhere else, after a slip of her own', `${elsewhereAfterASlipMs / 1_000} s`],
    ["at the strangers' own address", `${atTheirAddressMs / 1_000} s at a time, as long as they go on`],
  ];
}

function duration(ms: number): string {
  const hours = ms / 3_600_000;
  if (hours < 1) return `${Math.round(hours * 60)} min`;
  return hours < 48 ? `${hours.toFixed(1)} h` : `${Math.round(hours / 24)} days`;
}

function figure(chance: number): string {
  return chance.toExponential(2);
}
