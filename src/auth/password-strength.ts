import { parentPort, workerData } from 'node:worker_threads';
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common';
import { dictionary as english } from '@zxcvbn-ts/language-en';

// A worker of its own, started when a password is chosen and gone right after: the word lists take more memory than
// everything else together, and no sign-in needs them.

const { password, context } = workerData as { password: string; context: readonly string[] };
const zxcvbn = new ZxcvbnFactory({ dictionary: { ...common, ...english }, graphs: adjacencyGraphs });
const whole = zxcvbn.check(password, [...context]);
const known = whole.sequence.filter((match) => 'dictionaryName' in match && match.dictionaryName === 'userInputs');
const rest = known.reduce((text, match) => text.replace(match.token, ''), password).replace(/[\s\p{P}]+/gu, '');
const score = known.length === 0 ? whole.score : Math.min(whole.score, zxcvbn.check(rest).score);

parentPort?.postMessage({ score, fromContext: known.length > 0 } satisfies PasswordStrength);

/** How hard a password is to guess without what everybody knows of the person, 0 to 4; and whether it uses any of that. */
export interface PasswordStrength {
  readonly score: number;
  readonly fromContext: boolean;
}
