/**
 * Severe lines of the log, posted to a Slack webhook (librarian 16). Nobody waits for it: what it does not take in time is
 * dropped and counted. The address is a secret, and is in no message.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Secret } from '../config/secret.ts'
import type { LogSink } from './log-file.ts'

export interface SlackOptions {
  readonly url: Secret
  /** Of this and worse. As the settings write it: `ERROR`, `warning`, … */
  readonly level: string
  /** Who posts. */
  readonly username: string
  readonly onProblem: (message: string) => void
  /** Of one post. Default 10,000. */
  readonly timeoutMs?: number
  /** Between two posts; Slack takes one a second. Default 1000. */
  readonly pauseMs?: number
  /** How long `close` waits for what is on its way. Default 5,000. */
  readonly closeMs?: number
  /** Lines that wait. Default 100. */
  readonly most?: number
}

const ranks: Readonly<Record<string, number>> = {
  trace: 0,
  debug: 1,
  info: 2,
  success: 2,
  warn: 3,
  warning: 3,
  error: 4,
  fatal: 5,
  critical: 5,
}

/** Undefined: no such level. */
export function rankOf(level: string): number | undefined {
  return Object.hasOwn(ranks, level.toLowerCase()) ? ranks[level.toLowerCase()] : undefined
}

const ATTEMPTS = 3
/** A server that asks for more has lost what it was told. */
const MOST_PAUSE_MS = 60_000

export function createSlack(options: SlackOptions): LogSink {
  const { url, level, username, onProblem, timeoutMs = 10_000, pauseMs = 1000, closeMs = 5000, most = 100 } = options
  const least = rankOf(level) ?? 4
  const closing = new AbortController()
  const waiting: string[] = []
  let dropped = 0
  let isTold = false
  let posting: Promise<void> | undefined

  function write(line: string): void {
    const record = parse(line)
    if (!record || (rankOf(record.level) ?? 0) < least) return
    if (waiting.length >= most || closing.signal.aborted) {
      dropped++
      return
    }
    waiting.push(textOf(record))
    posting ??= postAll().finally(() => {
      posting = undefined
    })
  }

  async function postAll(): Promise<void> {
    while (waiting.length > 0 && !closing.signal.aborted) {
      const text = waiting.shift()!
      const more = dropped > 0 ? `\n(${dropped} more were not sent)` : ''
      if (await post(`${text}${more}`)) dropped -= more === '' ? 0 : dropped
      else dropped++
      if (waiting.length > 0) await pause(pauseMs)
    }
  }

  async function post(text: string): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      const { outcome, afterMs } = await ask(text)
      if (outcome === 'taken') isTold = false
      else tell(outcome)
      if (outcome === 'taken' || attempt === ATTEMPTS || afterMs === undefined || closing.signal.aborted)
        return outcome === 'taken'
      await pause(Math.min(MOST_PAUSE_MS, afterMs * attempt))
    }
  }

  /** `afterMs`: when it may go better; undefined: never. */
  async function ask(text: string): Promise<{ outcome: string; afterMs?: number }> {
    try {
      const answer = await fetch(url.reveal(), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username, icon_emoji: ':ledger:', text }),
        redirect: 'error',
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), closing.signal]),
      })
      await answer.body?.cancel()
      if (answer.ok) return { outcome: 'taken' }
      const outcome = `it answered ${answer.status}`
      if (answer.status !== 429 && answer.status < 500) return { outcome }
      const after = Number(answer.headers.get('retry-after'))
      return { outcome, afterMs: after > 0 ? after * 1000 : pauseMs }
    } catch (error) {
      // Not its message, which may name the address.
      const outcome = (error as Error).name === 'TimeoutError' ? 'it did not answer in time' : 'it cannot be reached'
      return { outcome, afterMs: pauseMs }
    }
  }

  async function pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: closing.signal }).catch(() => undefined)
  }

  function tell(outcome: string): void {
    if (isTold) return
    isTold = true
    onProblem(`The Slack webhook does not take messages: ${outcome}`)
  }

  return {
    write,
    async close() {
      const timer = setTimeout(() => closing.abort(), closeMs)
      await posting
      clearTimeout(timer)
      closing.abort()
    },
  }
}

interface LogRecord {
  readonly level: string
  readonly time?: string
  readonly msg?: string
  readonly caller?: string
  readonly path?: string
  readonly code?: string
  readonly id?: string
  readonly err?: { readonly type?: string; readonly message?: string }
}

function parse(line: string): LogRecord | undefined {
  try {
    return JSON.parse(line) as LogRecord
  } catch {
    return undefined
  }
}

/** Five lines, as people's channels have them: level, part of the server, where, message, time. */
function textOf({ level, time, msg = '', caller = 'server', path, code, id, err }: LogRecord): string {
  const where = [path, code ?? err?.type, id].filter(part => part !== undefined).join(' ') || '-'
  const why = err?.message && err.message !== msg ? `${msg} (${err.message})` : msg
  const when = time === undefined ? '' : time.replace('T', ' ').replace(/Z$/, '')
  return [level.toUpperCase(), caller, where, why, when].map(part => harmless(part)).join('\n')
}

/** Slack reads `<!channel>` and links; a name of a file must call nobody. */
function harmless(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return escaped.replaceAll('\n', ' ').slice(0, 2000)
}
