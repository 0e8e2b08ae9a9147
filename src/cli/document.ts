import type { Command } from 'commander';
import { OPERATOR } from '../accounts/audit.ts';
import { importDocuments } from '../accounts/documents.ts';
import { DOCUMENT_COLUMNS, readDocuments } from '../import/documents.ts';
import { refusalText } from '../import/records.ts';
import { onInstallation, organizationOf, type Work } from './open.ts';
import { command } from './shell.ts';
import { Stopped, wrongUsage } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('document').description('Documents: what customers see behind the door');
  command(family, 'import', 'Take over documents from a CSV file on standard input; a number that is there is updated')
    .option('--organization <slug>', 'whose documents')
    .addHelpText(
      'after',
      `\nColumns: ${DOCUMENT_COLUMNS.join(', ')}.\nEither customer (an id) or customer name says whose a document is; url may be empty.`,
    )
    .action(onInstallation(now, run));
}

const run: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const read = await readDocuments(installation.db, organization.id, process.stdin);
  switch (read.kind) {
    case 'refused':
      throw new Stopped(4, `${refusalText(read.problem)}. Nothing was imported.`);
    case 'columns':
      throw wrongUsage(read.sentence);
    case 'mistakes': {
      const count = read.lines.length;
      const sentence = `Nothing was imported, because of ${count} ${count === 1 ? 'mistake' : 'mistakes'}:`;
      throw new Stopped(4, sentence, undefined, read.lines);
    }
    case 'documents': {
      const count = await importDocuments(installation, OPERATOR, organization.id, read.documents);
      return { text: `${count} ${count === 1 ? 'document' : 'documents'} imported.`, data: { imported: count } };
    }
  }
};
