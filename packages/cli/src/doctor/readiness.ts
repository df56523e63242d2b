/** One question to a running librarian, for those who watch over containers. */
import type { Finding } from './finding.ts'

/** Those who ask give up after as long. */
const LONGEST_MS = 8000

export async function* examineReadiness(url: string, signal: AbortSignal): AsyncGenerator<Finding> {
  const check = 'ready'
  try {
    const answer = await fetch(`${url.replace(/\/+$/, '')}/health/ready`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]),
    })
    const { reasons = [] } = (await answer.json().catch(() => ({}))) as { reasons?: readonly string[] }
    if (answer.ok) yield { check, level: 'ok', found: `${url} can do its work` }
    else {
      const why = reasons.length > 0 ? reasons.join('; ') : `it answers ${answer.status}`
      yield { check, level: 'fail', found: `${url}: ${why}`, next: 'Run: arriero doctor --deployment --config FILE' }
    }
  } catch (error) {
    signal.throwIfAborted()
    const { cause } = error as { cause?: NodeJS.ErrnoException }
    const why = cause?.code ?? (error as Error).message
    yield { check, level: 'fail', found: `${url} does not answer: ${why}`, next: 'Start it, or look at its log.' }
  }
}
