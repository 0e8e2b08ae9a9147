import type { CodeInput } from '../auth/code-input.ts';
import { say } from '../words/say.ts';

type Shapeless = Exclude<CodeInput, { kind: 'totp' } | { kind: 'backup-code' }>;

/** What to say about an answer to the challenge that has not the shape of a code, before it costs an attempt. */
export function codeShape(input: Shapeless): string {
  switch (input.kind) {
    case 'empty':
      return say('code.empty');
    case 'letters':
      return say('code.letters');
    case 'few':
      return say('code.few', { n: input.digits });
    case 'many':
      return say('code.many');
  }
}

/** The same for the app's first code, during enrolment. */
export function setupCodeShape(input: Shapeless | { kind: 'backup-code' }): string {
  switch (input.kind) {
    case 'empty':
      return say('mfa.setup.empty');
    case 'letters':
      return say('mfa.setup.letters');
    case 'few':
      return say('mfa.setup.few', { n: input.digits });
    case 'many':
      return say('mfa.setup.many');
    case 'backup-code':
      return say('mfa.setup.backup');
  }
}

/** The same for a backup code. */
export function backupCodeShape(input: Shapeless): string {
  switch (input.kind) {
    case 'empty':
      return say('backup.empty');
    case 'letters':
      return say('backup.letters');
    case 'few':
    case 'many':
      return say('backup.length', { n: input.digits });
  }
}

/** What to say about a code that was right before, and when the app shows one that was not. */
export function usedCode(nextCodeAt: number, now: number, isLast = false): string {
  const n = Math.max(1, Math.ceil((nextCodeAt - now) / 1000));
  return say(isLast ? 'code.used.last' : 'code.used', { n });
}
