/** Machine-readable events (retrieval 15): one shape, written as one JSON object per line by whoever wants to. */

export type EventLevel = 'TRACE' | 'DEBUG' | 'INFO_VERBOSE' | 'INFO' | 'WARN' | 'ERROR'

/** From the least to the most important. */
export const eventLevels: readonly EventLevel[] = ['TRACE', 'DEBUG', 'INFO_VERBOSE', 'INFO', 'WARN', 'ERROR']

/** Where in a transfer an event happened. */
export type EventStage = 'list' | 'plan' | 'fetch' | 'verify' | 'sink' | 'publish' | 'run'

/** One machine-readable line about what happened. */
export interface TransferEvent {
  /** ISO 8601, UTC. */
  readonly ts: string
  readonly level: EventLevel
  readonly stage: EventStage
  /** What happened: `resource`, `part`, `retry`, `hedge`, `steal`, `restarted`, `verified`, `done`, `failed`. */
  readonly event: string
  readonly run: string
  /** Redacted URL or target of the file it is about. */
  readonly file?: string | undefined
  readonly part?: { readonly start: number; readonly end: number } | undefined
  readonly fields?: Readonly<Record<string, unknown>> | undefined
}

/** Says that something happened; the engine adds time and run. */
export type Emit = (event: Omit<TransferEvent, 'ts' | 'run'>) => void
