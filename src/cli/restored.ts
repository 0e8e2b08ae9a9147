import type { Command } from 'commander';
import { OPERATOR } from '../accounts/audit.ts';
import { closeRestored } from '../auth/restored.ts';
import { onInstallation, type Work } from './open.ts';
import { command, confirm, iso } from './shell.ts';

export function add(program: Command, now: () => number): void {
  command(program, 'restored', 'After a restore, close what the copy cannot know')
    .option('--revoke-backup-codes', 'also end all backup codes, since those used after the copy would work again')
    .option('--yes', 'do not ask again')
    .action(onInstallation(now, restored));
}

const restored: Work = async (installation, options) => {
  const revokeBackupCodes = options.revokeBackupCodes === true;
  const codes = revokeBackupCodes ? ' and all backup codes' : '';
  await confirm(`This ends the sessions of everybody, half-finished sign-ins, links${codes}.`, 'restored', options);
  const { takenAt, ...closed } = await closeRestored(installation, OPERATOR, { revokeBackupCodes });
  const { accounts, sessions, backupCodeSets } = closed;
  const sentences = [
    `Sessions ended: ${sessions}. Accounts whose open sign-ins and links are void: ${accounts}.`,
    'Codes that apps show in the next minute and a half are refused; those after it work.',
    revokeBackupCodes
      ? `Sets of backup codes ended: ${backupCodeSets}.`
      : 'Backup codes used since the copy was made work once more.',
  ];
  return { text: sentences.join('\n'), data: { takenAt: iso(takenAt), ...closed } };
};
