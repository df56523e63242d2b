/** One thing that was looked at, and what to do about it. */
export interface DeploymentFinding {
  readonly check: string
  /** `warn`: works, with less safety or not for long; `fail`: something will not work; `unknown`: it could not be looked at. */
  readonly level: 'ok' | 'warn' | 'fail' | 'unknown'
  readonly found: string
  readonly next?: string
}

export type Findings = AsyncGenerator<DeploymentFinding, void>
