/**
 * The same key gives the same outcome, also after a restart (reliability E1). Calls without a key are served as they are:
 * existing clients send none.
 */
import { createHash, type ScryptOptions, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { type Endpoint, LibrarianError, toFailureBody } from '@arriero/api'
import { secretFields } from '../services/audit.ts'
import { toLibrarianError } from './failure.ts'

export interface Kept {
  readonly status: number
  /** Undefined: an empty one. */
  readonly body: string | undefined
  /** Instead of `body`: too large to be kept, sent as it comes. */
  readonly pieces?: AsyncIterable<string> | undefined
}

export interface IdempotencyOperations {
  begin(call: {
    actor: string
    key: string
    request: string
    holder?: string | undefined
    dead?: string | undefined
  }): Promise<
    | { state: 'new' | 'interrupted' }
    | { state: 'running'; holder?: string | undefined }
    | { state: 'done'; status: number; body: string | undefined }
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

/** Which processes answer calls. */
export interface Processes {
  /** This one. */
  readonly holder: string
  /** Those whose work may be taken over. */
  gone(holders: readonly string[]): Promise<ReadonlySet<string>>
}

/** A call that lives says so every so often; the catalogue takes it for dead after five minutes. */
const touchMs = 60_000

/** 32 MiB and about a tenth of a second. */
const cost: ScryptOptions = { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 }

/** Answers beyond this, in characters, are not kept. */
export const maxKept = 4 * 1024 * 1024

export function createOnce(operations: IdempotencyOperations, processes: Processes): Once {
  return async (call, work) => {
    const key = keyOf(call)
    if (key === undefined) return { kept: await work(), isReplay: false }
    const id = { actor: call.actor, key }
    const begun = await begin({ ...id, request: await fingerprintOf(call, key), holder: processes.holder })
    if (begun.state === 'done') return { kept: { status: begun.status, body: begun.body }, isReplay: true }
    // On another machine nobody knows at once that a process was killed; a commit goes on all the same.
    if (begun.state === 'running' && !call.endpoint.joins) {
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

  /** What a killed server has left is begun anew at once, not when it has been silent for minutes. */
  async function begin(wanted: Parameters<IdempotencyOperations['begin']>[0]) {
    const begun = await operations.begin(wanted)
    if (begun.state !== 'running' || begun.holder === undefined) return begun
    const isGone = (await processes.gone([begun.holder])).has(begun.holder)
    return isGone ? operations.begin({ ...wanted, dead: begun.holder }) : begun
  }

  async function keep(call: KeyedCall, id: { actor: string; key: string }, work: () => Promise<Kept>): Promise<Kept> {
    let kept: Kept
    try {
      kept = await work()
    } catch (thrown) {
      await keepFailure(call, id, thrown)
      throw thrown
    }
    const isTooLarge = kept.pieces !== undefined || (kept.body?.length ?? 0) > maxKept
    const { status, body } = isTooLarge ? tooLarge : kept
    await operations.finish({ ...id, status, body })
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

/** All of it counts. A bare hash of a password would be a gift to whoever steals a backup: that of a secret costs work. */
async function fingerprintOf({ endpoint, request, actor }: KeyedCall, key: string): Promise<string> {
  const fields = Object.entries(request as Record<string, unknown>)
  const hashed = fields.map(async ([name, value]) => {
    const isSecret = secretFields.has(name) && typeof value === 'string'
    return [name, isSecret ? await slowHash(value, `${actor} ${key}`) : value]
  })
  return createHash('sha256')
    .update(JSON.stringify(['POST', endpoint.path, Object.fromEntries(await Promise.all(hashed))]))
    .digest('hex')
}

const slowHash = async (secret: string, salt: string) =>
  (await promisify<string, string, number, ScryptOptions, Buffer>(scrypt)(secret, salt, 32, cost)).toString('hex')
