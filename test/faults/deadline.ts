import { setTimeout as sleep } from 'node:timers/promises';

/** What work answers, or a fault that says in a sentence what took too long. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${what} took longer than ${ms / 1_000} s.`)), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again and again until something is so; answers after how many milliseconds it was. */
export async function until(ms: number, what: string, isSo: () => Promise<boolean>): Promise<number> {
  const began = performance.now();
  while (!(await isSo())) {
    if (performance.now() - began > ms) throw new Error(`${what} did not come about within ${ms / 1_000} s.`);
    await sleep(20);
  }
  return performance.now() - began;
}
