import { sentences, type Finding } from '../faults/checker.ts';
import type { Killed } from '../faults/killed.ts';
import type { Failure } from '../faults/traffic.ts';

/** What a soak has done and seen, for the table at its end. */
export class Summary {
  readonly findings: string[] = [];
  readonly #counts = new Map([['sign-ins', 0]]);
  readonly #figures = new Map<string, string>();
  readonly #zeros = { 'codes accepted twice': 0, 'acknowledged facts lost': 0, 'sessions without proof': 0 };

  add(what: string, count: number): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  figure(what: string, text: string): void {
    this.#figures.set(what, text);
  }

  /** Failures that a fault explains are counted; any other is a finding. */
  failed(failures: readonly Failure[], allowed: ReadonlySet<number>, during: string): void {
    for (const { status, what, text, retryAfter } of failures) {
      this.add(`failures: ${status === 0 ? 'no answer from a killed server' : status}`, 1);
      const told = allowed.has(status) && (status !== 503 || retryAfter !== undefined);
      if (!told) this.findings.push(`${during}: a ${what} was answered ${status}: ${text.slice(0, 200)}`);
    }
  }

  checked(findings: readonly Finding[], workedAgain: number): void {
    this.add('checks of the audit log against the tables', 1);
    const count = (kind: Finding['kind']): number => findings.filter((finding) => finding.kind === kind).length;
    this.#zeros['codes accepted twice'] += count('code accepted twice') + workedAgain;
    this.#zeros['acknowledged facts lost'] += count('fact lost');
    this.#zeros['sessions without proof'] += count('session without proof');
    this.findings.push(...sentences(findings));
  }

  killed({ letIn, kills, failures, enteredAgain, workedAgain, findings }: Killed): void {
    this.add('sign-ins', letIn);
    this.add('servers killed', kills);
    this.add('codes entered a second time', enteredAgain);
    this.failed(failures, new Set([0]), 'kill -9 in the middle of sign-ins');
    this.checked(findings, workedAgain);
  }

  /** What work answers; its fault is a finding, so that the table is printed all the same. */
  async attempt<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (fault) {
      this.findings.push(`${what}: ${fault instanceof Error ? fault.message : String(fault)}`);
      return undefined;
    }
  }

  rows(): [name: string, figure: string][] {
    return [
      ...this.#figures,
      ...[...this.#counts].map(([what, count]): [string, string] => [what, String(count)]),
      ...Object.entries(this.#zeros).map(([what, count]): [string, string] => [what, String(count)]),
      ['anything else amiss', String(this.findings.length)],
    ];
  }

  isClean(): boolean {
    return this.findings.length === 0 && Object.values(this.#zeros).every((count) => count === 0);
  }
}
