/**
 * The same key gives the same outcome, also after a restart (reliability E1). Calls without a key are served as they are:
 * existing clients send none.
 */
import { createHash } from 'node:crypto'
import { type Endpoint, LibrarianError, toFailureBody } from '@arriero/api'
import { withoutSecrets } from '../services/audit.ts'
import { toLibrarianError } from './failure.ts'

export interface Kept {
  readonly status: number
  /** Undefined: an empty one. */
  readonly body: string | undefined
}

export interface IdempotencyOperations {
  begin(call: {
    actor: string
    key: string
    request: string
  }): Promise<
    { state: 'new' | 'interrupted' | 'running' } | { state: 'done'; status: number; body: string | undefined }
  >
  touch(call: { actor: string; key: string }): Promise<boolean>
  finish(call: { actor: string; key: string; status: number; body?: string | undefined }): Promise<void>
  abandon(call: { actor: string; key: string }): Promise<void>
}

export interface KeyedCall {
  readonly endpoint: Endpoint
  /** Parsed. */
  readonly request: unknown
  readonly actor: string
  readonly key: string | undefined
}

export interface Outcome {
  readonly kept: Kept
  readonly isReplay: boolean
}

export type Once = (call: KeyedCall, work: () => Promise<Kept>) => Promise<Outcome>

/** A call that lives says so every so often; the catalogue takes it for dead after five minutes. */
const touchMs = 60_000

/** Answers beyond this are not kept. */
const maxKept = 4 * 1024 * 1024

export function createOnce(operations: IdempotencyOperations): Once {
  return async (call, work) => {
    const key = keyOf(call)
    if (key === undefined) return { kept: await work(), isReplay: false }
    const id = { actor: call.actor, key }
    const begun = await operations.begin({ ...id, request: fingerprintOf(call) })
    if (begun.state === 'done') return { kept: { status: begun.status, body: begun.body }, isReplay: true }
    if (begun.state === 'running') {
      throw new LibrarianError('Busy', 'Cannot answer yet: a call with the same Idempotency-Key is under way', {
        retryAfterSeconds: 1,
      })
    }
    const timer = setInterval(() => void operations.touch(id).catch(() => undefined), touchMs)
    timer.unref()
    try {
      return { kept: await keep(call, id, work), isReplay: false }
    } finally {
      clearInterval(timer)
    }
  }

  async function keep(call: KeyedCall, id: { actor: string; key: string }, work: () => Promise<Kept>): Promise<Kept> {
    let kept: Kept
    try {
      kept = await work()
    } catch (thrown) {
      await keepFailure(call, id, thrown)
      throw thrown
    }
    const isTooLarge = (kept.body?.length ?? 0) > maxKept
    await operations.finish({ ...id, ...(isTooLarge ? tooLarge : kept) })
    return kept
  }

  /** What cannot succeed later fails the same way again; of anything else the key is free for another try. */
  async function keepFailure(call: KeyedCall, id: { actor: string; key: string }, thrown: unknown): Promise<void> {
    const error = toLibrarianError(thrown)
    if (error.isRetriable) return operations.abandon(id)
    const { status, body } = toFailureBody(error, call.endpoint, call.request)
    await operations.finish({ ...id, status, body: JSON.stringify(body) })
  }
}

const tooLarge: Kept = {
  status: 409,
  body: JSON.stringify({
    reason: 'This call was answered before, and its answer was too large to be kept.',
    suggested_remedy: 'Look at the present state, then decide.',
    code: 'Conflict',
  }),
}

function keyOf({ endpoint, key }: KeyedCall): string | undefined {
  if (key === undefined || !endpoint.mutates) return undefined
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key
  throw new LibrarianError('BadRequest', 'Cannot use the Idempotency-Key: it must be 1 to 255 printable characters')
}

/** Without secrets: a bare hash of a password would be a gift to whoever steals a backup. */
function fingerprintOf({ endpoint, request }: KeyedCall): string {
  return createHash('sha256')
    .update(JSON.stringify(['POST', endpoint.path, withoutSecrets(request)]))
    .digest('hex')
}
