/** One thing that was looked at. */
export interface Finding {
  readonly check: string
  /** `warn`: works, but slower or with less safety; `fail`: something will not work; `unknown`: it could not be looked at. */
  readonly level: 'ok' | 'warn' | 'fail' | 'unknown'
  readonly found: string
  /** What to do about it. */
  readonly next?: string
}
