import type { Typed } from '../limits.ts';
import { backupCodes } from './backup-codes.ts';
import type { Factor } from './factor.ts';
import { signInCode } from './sign-in-code.ts';
import { totp } from './totp.ts';

/** Every second factor that is typed in. A new one is a file, a line here, a form and a migration. */
export const FACTORS: Record<Typed, Factor> = { totp, 'backup-code': backupCodes, 'sign-in-code': signInCode };
