import type { Database, Transaction } from '../../src/db/db.ts';

/**
 * The same database, which tells of each moment at which a process could die and leave another state behind: before
 * every statement that writes or stands in a transaction, before a savepoint is released and before a commit. What comes
 * after one of them comes before the next; between the last one and the answer stands what the server itself tells of.
 */
export function watched(db: Database, moment: () => void): Database {
  return {
    engine: db.engine,
    all: db.all,
    one: db.one,
    transaction: (work, how) =>
      db.transaction(async (tx) => {
        const result = await work(watchedTransaction(tx, moment));
        moment();
        return result;
      }, how),
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
    run: (statement) => {
      moment();
      return tx.run(statement);
    },
    all: (statement) => {
      moment();
      return tx.all(statement);
    },
    one: (statement) => {
      moment();
      return tx.one(statement);
    },
    savepoint: (work) =>
      tx.savepoint(async () => {
        const value = await work();
        moment();
        return value;
      }),
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
