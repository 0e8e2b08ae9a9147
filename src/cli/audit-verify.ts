import { open } from 'node:fs/promises';
import { appendLinks, HEAD_MESSAGE, type Head } from '../accounts/audit-chain.ts';
import { Findings, lostOrganizations, verifyChain, verifyHead, type Finding } from '../accounts/audit-verify.ts';
import type { Installation } from '../accounts/installation.ts';
import { someOrganizations, type Organization } from '../accounts/organizations.ts';
import { organizationOf, type Work } from './open.ts';
import type { Answer } from './shell.ts';
import { wrongUsage } from './stopped.ts';

/** What was found in one organization: the first finding, and how many more there are like it or behind it. */
interface Found {
  readonly organization: string;
  readonly finding: Finding;
  readonly more: number;
}

/** Links what waits, then looks at every chain from its beginning, and at every head that a saved log has. */
export const verify: Work = async (installation, options) => {
  const one = options.organization === undefined ? undefined : await organizationOf(installation, options);
  const heads = options.heads === undefined ? undefined : await verifyHeads(installation, options.heads, one);
  await appendLinks(installation);
  const organizations = one ? [one] : await someOrganizations(installation.db, Number.MAX_SAFE_INTEGER);
  const found: Found[] = [];
  let rows = 0;
  for (const { id, slug } of organizations) {
    const verified = await verifyChain(installation, id);
    rows += verified.rows;
    if (verified.first) found.push({ organization: slug, finding: verified.first, more: verified.more });
  }
  if (!one)
    for (const id of await lostOrganizations(installation.db))
      found.push({ organization: id, finding: { kind: 'missing-organization' }, more: 0 });
  return answer({ rows, organizations: organizations.length, heads: heads?.count ?? null }, [
    ...found,
    ...(heads?.found ?? []),
  ]);
};

function answer(looked: { rows: number; organizations: number; heads: number | null }, found: Found[]): Answer {
  const { rows, organizations, heads } = looked;
  const data = { ...looked, findings: found.map(({ finding, ...where }) => ({ ...where, ...finding })) };
  if (found.length > 0) return { text: found.map(told).join('\n'), data, exit: 1 };
  const linked = `${counted(rows, 'row')} of ${counted(organizations, 'organization')}: as they were written, each linked to the one before it.`;
  const rest =
    heads === null
      ? 'Whether the newest are missing, saved heads can tell: --heads.'
      : `Saved heads found in their place: ${heads}.`;
  return { text: `${linked}\n${rest}`, data };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function told({ organization, finding, more }: Found): string {
  return `${organization}: ${sentence(finding)}${more === 0 ? '' : ` And ${more} more.`}`;
}

function sentence(finding: Finding): string {
  switch (finding.kind) {
    case 'changed-row':
      return `row ${finding.rowId} (number ${finding.sequence}) is not as it was written: it was changed, or made without the key.`;
    case 'cut-row':
      return `row ${finding.rowId} (number ${finding.sequence}) is gone: it was cut out, and its link is still there.`;
    case 'broken-link':
      return `the link of row ${finding.rowId} (number ${finding.sequence}) does not follow from the one before it: links were changed, exchanged or made without the key.`;
    case 'gap': {
      const { from, to } = finding;
      return from === to
        ? `number ${from} is missing: a row was cut out together with its link, or its link alone.`
        : `numbers ${from} to ${to} are missing: rows were cut out together with their links, or their links alone.`;
    }
    case 'lost-link':
      return `row ${finding.rowId} has lost its link: the link was cut out, or the row was put in by hand.`;
    case 'missing-tail':
      return `the chain ends at number ${finding.end}, and a saved head is number ${finding.sequence}: the newest rows were cut off, or the database is an older copy.`;
    case 'replaced':
      return `number ${finding.sequence} has another link than its saved head: rows were cut off or exchanged there or before, and the chain was written on.`;
    case 'missing-organization':
      return 'the organization is not in the database any more: it was removed as a whole.';
  }
}

/** Holds each head of a saved log against the chains; the log may be of any length, and have other lines in it. */
async function verifyHeads(
  { db }: Installation,
  file: string,
  only: Organization | undefined,
): Promise<{ count: number; found: Found[] }> {
  const marked = new Map<string, { slug: string; findings: Findings }>();
  let count = 0;
  for await (const head of savedHeads(file)) {
    if (only && head.organization !== only.id) continue;
    count++;
    const finding = await verifyHead(db, head);
    if (!finding) continue;
    const { slug, findings } = marked.get(head.organization) ?? { slug: head.slug, findings: new Findings() };
    findings.add(finding);
    marked.set(head.organization, { slug, findings });
  }
  if (count === 0) {
    throw wrongUsage(
      `${file} has no head ${only ? `of ${only.slug}` : 'in it'}: give the log that the server wrote, at level info.`,
    );
  }
  const found = [...marked.values()].flatMap(({ slug, findings: { first, more } }) =>
    first ? [{ organization: slug, finding: first, more }] : [],
  );
  return { count, found };
}

async function* savedHeads(file: string): AsyncGenerator<Head> {
  try {
    for await (const line of (await open(file)).readLines()) {
      const head = headIn(line);
      if (head) yield head;
    }
  } catch (fault) {
    throw wrongUsage(`${file} cannot be read: ${(fault as Error).message}.`);
  }
}

function headIn(line: string): Head | undefined {
  // Most lines of a log are no heads, and need no parsing to tell.
  if (!line.includes(HEAD_MESSAGE)) return undefined;
  try {
    const { msg, organization, slug, sequence, link } = JSON.parse(line) as Record<string, unknown>;
    if (msg !== HEAD_MESSAGE || typeof organization !== 'string' || typeof slug !== 'string') return undefined;
    if (!Number.isSafeInteger(sequence) || typeof link !== 'string') return undefined;
    return { organization, slug, sequence: sequence as number, link };
  } catch {
    return undefined;
  }
}
