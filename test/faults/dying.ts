import type { Database, Queries, Transaction } from '../../src/db/db.ts';

/**
 * The same database, which tells of each moment at which a process could die: before every statement, before a savepoint
 * is released and before a commit. What comes after one of them comes before the next, so none is left out but the one
 * between the last and the answer, which the server itself tells of.
 */
export function watched(db: Database, moment: () => void): Database {
  return {
    engine: db.engine,
    ...watchedReads(db, moment),
    transaction: (work) =>
      db.transaction(async (tx) => {
        const result = await work(watchedTransaction(tx, moment));
        moment();
        return result;
      }),
    relaxed: (statement) => {
      moment();
      return db.relaxed(statement);
    },
    migrate: (work) => db.migrate(work),
    close: () => db.close(),
  };
}

function watchedTransaction(tx: Transaction, moment: () => void): Transaction {
  return {
    ...watchedReads(tx, moment),
    run: (statement) => {
      moment();
      return tx.run(statement);
    },
    savepoint: (work) =>
      tx.savepoint(async () => {
        const value = await work();
        moment();
        return value;
      }),
  };
}

function watchedReads({ all, one }: Pick<Queries, 'all' | 'one'>, moment: () => void): Pick<Queries, 'all' | 'one'> {
  return {
    all: (statement) => {
      moment();
      return all(statement);
    },
    one: (statement) => {
      moment();
      return one(statement);
    },
  };
}

/** Counts moments, and ends the process at the one it was told, as a power cut would: nothing is closed or said. */
export class Fate {
  #left = Infinity;

  /** Dies at so many moments from now. */
  dieAt(moment: number): void {
    this.#left = moment;
  }

  readonly moment = (): void => {
    if (--this.#left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
