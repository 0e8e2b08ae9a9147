import { uuidv7 } from '../crypto/tokens.ts';
import { list, pieces, sql, type Database } from '../db/db.ts';
import { record, type Actor } from './audit.ts';
import type { Installation } from './installation.ts';

export const DOCUMENT_KINDS = ['invoice', 'subscription', 'credit note', 'estimate', 'receipt', 'statement'] as const;

/** What the merchant billed, as its billing system says it. Sallyport computes nothing of it. */
export interface Document {
  readonly kind: (typeof DOCUMENT_KINDS)[number];
  readonly number: string;
  readonly title: string;
  /** Calendar date, `2026-11-24`. */
  readonly date: string;
  /** Decimal number as text, `1250.00`: money is never a float. */
  readonly amount: string;
  /** ISO 4217, `EUR`. */
  readonly currency: string;
  readonly status: string;
  readonly url: string | null;
}

/** A customer's documents, the newest first. */
export function documentsOf(db: Database, organizationId: string, customerId: string): Promise<Document[]> {
  return db.all(sql`SELECT kind, number, title, date, amount, currency, status, url FROM documents
    WHERE organization_id = ${organizationId} AND customer_id = ${customerId} ORDER BY date DESC, number DESC`);
}

/**
 * Takes documents over from the billing system in one transaction. A number that is there already is brought up to
 * date, so the same file twice leaves what it left once. No number comes
 * twice in one call. Answers how many lines went in.
 */
export async function importDocuments(
  installation: Installation,
  actor: Actor,
  organizationId: string,
  documents: readonly (Document & { readonly customerId: string })[],
): Promise<number> {
  const now = installation.now();
  return installation.db.transaction(async (tx) => {
    for (const some of pieces(documents)) {
      const rows = some.map(
        (d) => sql`(${organizationId}, ${uuidv7(now)}, ${d.customerId}, ${d.kind}, ${d.number}, ${d.title}, ${d.date},
          ${d.amount}, ${d.currency}, ${d.status}, ${d.url})`,
      );
      await tx.run(sql`INSERT INTO documents
        (organization_id, id, customer_id, kind, number, title, date, amount, currency, status, url)
        VALUES ${list(rows)}
        ON CONFLICT (organization_id, number) DO UPDATE SET customer_id = excluded.customer_id, kind = excluded.kind,
          title = excluded.title, date = excluded.date, amount = excluded.amount, currency = excluded.currency,
          status = excluded.status, url = excluded.url`);
    }
    await record(tx, installation, {
      organizationId,
      actor,
      action: 'documents.imported',
      details: { documents: documents.length },
    });
    return documents.length;
  });
}
