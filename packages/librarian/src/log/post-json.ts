/** One message to somebody's webhook. The address is a secret, and is in no message. */
import type { Secret } from '../config/secret.ts'

export interface Hook {
  readonly url: Secret
  /** As a bearer's. */
  readonly token?: Secret | undefined
  /** ms. Default 10,000. */
  readonly timeoutMs?: number | undefined
}

export interface Posted {
  /** Undefined: it was taken. */
  readonly problem: string | undefined
  /** Whether it may go better later. */
  readonly isPassing: boolean
  /** The least pause that was asked for, ms. */
  readonly afterMs: number
}

/** Never rejects; no redirect is followed. */
export async function postJson(
  { url, token, timeoutMs = 10_000 }: Hook,
  body: object,
  signal: AbortSignal,
): Promise<Posted> {
  try {
    const answer = await fetch(url.reveal(), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token ? { authorization: `Bearer ${token.reveal()}` } : {}),
      },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), signal]),
    })
    await answer.body?.cancel()
    if (answer.ok) return { problem: undefined, isPassing: false, afterMs: 0 }
    const isPassing = answer.status === 429 || answer.status === 408 || answer.status >= 500
    const after = Number(answer.headers.get('retry-after'))
    return { problem: `it answered ${answer.status}`, isPassing, afterMs: after > 0 ? after * 1000 : 0 }
  } catch (error) {
    // Not its message, which may name the address.
    const problem = (error as Error).name === 'TimeoutError' ? 'it did not answer in time' : 'it cannot be reached'
    return { problem, isPassing: true, afterMs: 0 }
  }
}
