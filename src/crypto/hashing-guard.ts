/** A slow hash had to wait too long for a permit: nothing was hashed, nothing was decided. */
export class HashingBusy extends Error {
  override readonly name = 'HashingBusy';
}

export interface HashingLimits {
  /** Hashes at once. Never more than 3: a fourth would take libuv's last thread, and with it file and DNS work. */
  readonly atOnce: number;
  readonly queue: number;
  readonly waitMs: number;
}

/** Runs a slow hash when a permit is free; throws HashingBusy when the queue is full or the wait runs out. */
export type HashingGuard = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Bounds the memory and cores that parallel sign-ins can take. A permit is held until the hash has ended, also when
 * the client has gone away meanwhile: only the end of the work frees the core.
 */
export function hashingGuard(limits: HashingLimits): HashingGuard {
  let running = 0;
  const waiting: (() => void)[] = [];

  function permit(): Promise<void> {
    if (running < limits.atOnce) {
      running++;
      return Promise.resolve();
    }
    if (waiting.length >= limits.queue) return Promise.reject(new HashingBusy('queue is full'));
    return new Promise((resolve, reject) => {
      const grant = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(grant), 1);
        reject(new HashingBusy('waited too long'));
      }, limits.waitMs);
      waiting.push(grant);
    });
  }

  function free(): void {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }

  return async (work) => {
    await permit();
    try {
      return await work();
    } finally {
      free();
    }
  };
}
