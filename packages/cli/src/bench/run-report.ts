/** What a run of our own program tells of itself, as one line of JSON. */
export interface RunReport {
  /** Undefined where only a question was asked, and the source does not know. */
  readonly bytes: number | undefined
  /** Whether parts can be read; only where nothing but a question was asked. */
  readonly ranges?: 'yes' | 'no' | 'unproven' | undefined
  /** In hex; only where it was asked for. */
  readonly sha256?: string | undefined
  readonly verifySeconds?: number | undefined
  readonly peakConnections: number
  readonly retries: number
  readonly hedgedBytes: number
}

/** Undefined when it printed something else, e.g. because it failed. */
export function parseRunReport(stdout: string): RunReport | undefined {
  try {
    const value = JSON.parse(stdout)
    return typeof value.peakConnections === 'number' ? value : undefined
  } catch {
    return undefined
  }
}
