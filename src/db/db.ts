/** What a column holds. Moments are milliseconds since 1970; NULL stands for "not (yet)". */
export type Value = string | number | null;

/** A written statement: its text between the parameters, and the parameters. Made by the `sql` tag only. */
export class Sql {
  readonly strings: readonly string[];
  readonly values: readonly Value[];

  constructor(strings: readonly string[], values: readonly Value[]) {
    this.strings = strings;
    this.values = values;
  }
}

/** Writes a statement: `${value}` becomes a bound parameter, `${sql`…`}` is spliced in as text. */
export function sql(strings: TemplateStringsArray, ...parts: readonly (Value | Sql)[]): Sql {
  return woven(strings, parts);
}

/** Parts with commas between them, for `IN (…)` and `VALUES …`. */
export function list(parts: readonly (Value | Sql)[]): Sql {
  return woven(['', ...parts.slice(1).map(() => ', '), ''], parts);
}

function woven(strings: readonly string[], parts: readonly (Value | Sql)[]): Sql {
  const texts: string[] = [strings[0] ?? ''];
  const values: Value[] = [];
  const append = (text: string): void => {
    texts[texts.length - 1] += text;
  };
  parts.forEach((part, index) => {
    const after = strings[index + 1] ?? '';
    if (part instanceof Sql) {
      append(part.strings[0] ?? '');
      values.push(...part.values);
      texts.push(...part.strings.slice(1));
      append(after);
    } else {
      values.push(part);
      texts.push(after);
    }
  });
  return new Sql(texts, values);
}

/**
 * Cuts a list into pieces of a hundred, ten and one: statements that are made of pieces are then few texts, and each of
 * them stays prepared.
 */
export function pieces<T>(items: readonly T[]): (readonly T[])[] {
  const cut: (readonly T[])[] = [];
  let at = 0;
  for (const size of [100, 10, 1]) for (; items.length - at >= size; at += size) cut.push(items.slice(at, at + size));
  return cut;
}

/** A row as it comes back: column names to values. */
export type Row = Record<string, Value>;

/** Running statements. */
export interface Queries {
  /** Runs a statement and answers how many rows it changed. */
  readonly run: (statement: Sql) => Promise<number>;
  /** All rows that a statement answers, in its order. */
  readonly all: <T = Row>(statement: Sql) => Promise<T[]>;
  /** The first row, or undefined where there is none. */
  readonly one: <T = Row>(statement: Sql) => Promise<T | undefined>;
}

/** An open transaction. Whatever it is handed to writes in it, and sees what it wrote. */
export interface Transaction extends Queries {
  /**
   * Runs work whose failure may not undo what the transaction did before: a fault inside rolls back to here and comes
   * back as a value, for the caller to throw once the rest has been committed. Faults of the transaction itself
   * (deadlock, lost connection) are thrown, since there is nothing left to keep.
   */
  savepoint<T>(work: () => Promise<T>): Promise<{ ok: true; value: T } | { ok: false; fault: unknown }>;
}

/** Returned from a transaction's work: roll everything back and answer this value all the same. */
export class RolledBack<T> {
  readonly value: T;

  constructor(value: T) {
    this.value = value;
  }
}

/** The database, as everybody but `db/` knows it. Both engines promise the same. */
export interface Database {
  readonly engine: 'sqlite' | 'postgres';
  /** Reads outside any transaction: committed rows only. */
  readonly all: <T = Row>(statement: Sql) => Promise<T[]>;
  readonly one: <T = Row>(statement: Sql) => Promise<T | undefined>;
  /**
   * Runs work in one transaction and answers what it returns, after the commit. A fault, or a returned `RolledBack`,
   * leaves nothing behind. Work that lost to another transaction (deadlock, serialization) is run once more, so it
   * may do nothing but statements. Throws DatabaseUnavailable when the database cannot be reached or does not commit,
   * or when a statement takes PostgreSQL too long: 1.2 s where a request waits, 30 s for the `patient` work that a
   * server does by itself. Whatever waits for a patient one's locks is as hurried as ever, so it is to be short all the same.
   */
  transaction<T>(
    work: (tx: Transaction) => Promise<T | RolledBack<T>>,
    how?: { readonly patient?: boolean },
  ): Promise<T>;
  /**
   * One statement committed by itself without waiting for the disk: for counters, where losing the last moments to a
   * power cut is harmless and a wait is not.
   */
  readonly relaxed: <T = Row>(statement: Sql) => Promise<T[]>;
  /** Runs a migration's text, which may hold several statements, as one transaction together with `after`. */
  migrate(work: (migration: Migration) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** What a migration may do while it holds the database's migration lock. */
export interface Migration extends Queries {
  script(text: string): Promise<void>;
}

/** A UNIQUE constraint refused a row: the last guard of what must be there once. */
export class NotUnique extends Error {
  override readonly name = 'NotUnique';
}

/** The database cannot be reached, or did not confirm a commit: answer 503, whatever the request was about. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
}
