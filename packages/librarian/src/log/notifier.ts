/**
 * Severe lines of the log, sent to people: grouped (`notices.ts`), one after the other, a few times where it fails. Nobody
 * waits for it; what is not taken in time is dropped, counted, and told with the next.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { outsideOfCalls } from './call-context.ts'
import type { LogSink } from './log-file.ts'
import { type Notice, Notices, type NoticesOptions } from './notices.ts'
import { type Hook, postJson } from './post-json.ts'
import { parseRecord, rankOf } from './record.ts'

export interface NotifierOptions extends Partial<NoticesOptions> {
  readonly hook: Hook
  /** Of this and worse. As the settings write it: `ERROR`, `warning`, … */
  readonly level: string
  /** What the webhook is sent. */
  readonly form: (notice: Notice) => object
  /** For messages: `The Slack webhook`. */
  readonly what: string
  /** Told once when it goes wrong, until it goes well again. */
  readonly onProblem: (message: string) => void
  /** Between two posts; Slack takes one a second. Default 1000. */
  readonly pauseMs?: number | undefined
  /** How long `close` waits for what is on its way. Default 5,000. */
  readonly closeMs?: number | undefined
}

const ATTEMPTS = 4
/** A server that asks for more has lost what it was told. */
const MOST_PAUSE_MS = 60_000
const WINDOW_MS = 5 * 60_000
/** A greater one ends at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export function createNotifier(options: NotifierOptions): LogSink {
  const { hook, level, form, what, onProblem, pauseMs = 1000, closeMs = 5000, windowMs = WINDOW_MS } = options
  const least = rankOf(level) ?? 4
  /** No more comes: what waits goes without pauses. */
  const ending = new AbortController()
  /** What has not gone by now is given up. */
  const closing = new AbortController()
  const notices = new Notices({ ...options, windowMs })
  let isTold = false
  let posting: Promise<void> | undefined
  let sweeping: NodeJS.Timeout | undefined

  function write(line: string): void {
    const record = parseRecord(line)
    if (!record || (rankOf(record.level) ?? 0) < least || closing.signal.aborted) return
    notices.add(record, performance.now())
    outsideOfCalls(goOn)
  }

  function goOn(): void {
    posting ??= postAll().finally(() => {
      posting = undefined
      // What came while it ended.
      if (notices.isWaiting && !closing.signal.aborted) goOn()
    })
    const next = notices.nextSweep
    if (sweeping || next === undefined || ending.signal.aborted) return
    sweeping = setTimeout(sweep, Math.min(LONGEST_TIMER_MS, Math.max(1, next - performance.now()))).unref()
  }

  function sweep(): void {
    sweeping = undefined
    notices.sweep(performance.now())
    goOn()
  }

  async function postAll(): Promise<void> {
    // What one turn of the event loop brings belongs together.
    await new Promise(resolve => setImmediate(resolve))
    for (let notice = notices.take(); notice && !closing.signal.aborted; notice = notices.take()) {
      if (!(await post(notice))) notices.lose(notice)
      await pause(pauseMs, ending.signal)
    }
  }

  async function post(notice: Notice): Promise<boolean> {
    const body = form(notice)
    for (let attempt = 1; ; attempt++) {
      const { problem, isPassing, afterMs } = await postJson(hook, body, closing.signal)
      if (problem === undefined) isTold = false
      else tell(problem)
      if (problem === undefined || !isPassing || attempt === ATTEMPTS || closing.signal.aborted) {
        return problem === undefined
      }
      await pause(Math.min(MOST_PAUSE_MS, Math.max(afterMs, pauseMs * 4 ** (attempt - 1))), closing.signal)
    }
  }

  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    await delay(ms, undefined, { signal }).catch(() => undefined)
  }

  function tell(problem: string): void {
    if (isTold) return
    isTold = true
    onProblem(`${what} does not take messages: ${problem}`)
  }

  return {
    write,
    async close() {
      ending.abort()
      clearTimeout(sweeping)
      // What came again is told now: there is no later.
      notices.sweep(Number.POSITIVE_INFINITY)
      goOn()
      const timer = setTimeout(() => closing.abort(), closeMs)
      while (posting) await posting
      clearTimeout(timer)
      closing.abort()
    },
  }
}
