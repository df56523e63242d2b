/** One thing that was looked at. */
export interface Finding {
  readonly check: string
  /** `warn`: works, but slower or with less safety; `fail`: something will not work. */
  readonly level: 'ok' | 'warn' | 'fail'
  readonly found: string
  /** What to do about it. */
  readonly next?: string
}
