/** One thing that the doctor looked at; `mend` says how, where it is not as it should be. */
export interface Finding {
  readonly check: string;
  readonly found: string;
  readonly mend?: string;
}
