import type { Engine } from '../engine.ts'
import { printable, redactText } from '../redact.ts'
import type { StateRecord } from './state/state.ts'

/** What a function of a stage is told beside its value. */
export interface ItemContext<Item = unknown> {
  /** As the list gave it. */
  readonly item: Item
  /** Position in the list, from 0. */
  readonly index: number
  /** What tells it from the others, also in later runs. */
  readonly key: string
  /** The stage that is at work. */
  readonly stage: string
  /** From 1; more when the stage is tried again. */
  readonly attempt: number
  /** Aborted when the run is, and when the stage's time is over. */
  readonly signal: AbortSignal
  /** For listing and fetching with the limits and connections of this run. */
  readonly engine: Engine
  /** Something worth knowing that is no failure; told in the report. */
  warn(text: string): void
}

/** In a thread there is no engine and no signal: who must stop is ended with its thread. */
export type ThreadContext<Item = unknown> = Omit<ItemContext<Item>, 'engine' | 'signal'>

/** What was written: enough to see later that it is still there. */
export interface Written {
  /** Absolute. */
  readonly path: string
  /** Bytes. */
  readonly size: number
}

/** One item on its way. */
export class ItemInFlight implements ItemContext {
  readonly item: unknown
  readonly index: number
  readonly key: string
  readonly engine: Engine
  stage = ''
  attempt = 1
  signal: AbortSignal
  value: unknown
  /** Since when it waits for its next stage, ms of the run's clock. */
  readyAt = 0
  /** Bytes of its value. */
  held = 0
  /** Its end was told: what it may still do is in vain. */
  isOver = false
  readonly warnings: string[] = []
  /** Files that it made. */
  readonly outputs: Written[] = []
  /** The version of what was fetched for it. */
  version: StateRecord['version']
  /** Of the items with its key, which one. */
  nth = 1
  /** Its line of the appended output. */
  line: Uint8Array | undefined
  /** A property and not a method: functions take it apart from the item. */
  readonly warn = (text: string): void => void this.warnings.push(printable(redactText(String(text))))
  /** What an earlier run wrote down of it, when only what has changed is wanted. */
  readonly earlier: StateRecord | undefined

  constructor(item: unknown, index: number, key: string, engine: Engine, signal: AbortSignal, earlier?: StateRecord) {
    this.item = item
    this.value = item
    this.index = index
    this.key = key
    this.engine = engine
    this.signal = signal
    this.earlier = earlier
  }
}

const LONGEST_LABEL = 60

/** An item as people recognise it: its own name if it has one. */
export function labelOf(item: unknown): string {
  const text = printable(redactText(nameIn(item)))
  return text.length <= LONGEST_LABEL ? text : `${text.slice(0, LONGEST_LABEL - 1)}…`
}

function nameIn(item: unknown): string {
  if (item === null || typeof item !== 'object') return String(item)
  if (item instanceof URL) return item.href
  const fields = item as Record<string, unknown>
  for (const key of ['key', 'id', 'name', 'path', 'uri', 'url', 'uris']) {
    const value = Array.isArray(fields[key]) ? fields[key][0] : fields[key]
    if (typeof value === 'string' || typeof value === 'number') return String(value)
  }
  try {
    return JSON.stringify(item) ?? 'an item'
  } catch {
    return 'an item'
  }
}
