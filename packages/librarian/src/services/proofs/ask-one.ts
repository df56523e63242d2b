/** One librarian's answer about its own copies: to a challenge, or, where it knows none, its word (librarian 10.9). */
import { type AnswerOf, type Connection, type endpoints, FLOWS, LibrarianError } from '@arriero/api'
import type { Clock } from '@arriero/transfer'
import type { File } from '../../catalogue/operations/instances.ts'
import type { CopyState } from '../../catalogue/schema.ts'
import type { PeerConnections } from '../peer-connections.ts'
import type { DisagreeingCopy, ProvenCopy } from './peer-proofs.ts'

export type Told =
  | { readonly kind: 'challenge' | 'claim'; readonly copies: readonly ToldCopy[] }
  | { readonly kind: 'unreachable'; readonly reason: string }

/** As it was told; nothing of it is believed yet. */
export interface ToldCopy extends DisagreeingCopy, ProvenCopy {
  readonly answer: string | undefined
}

export interface Question {
  readonly librarian: string
  readonly file: File
  readonly nonce: string
  readonly holdSeconds: number
  readonly signal: AbortSignal
}

export interface AskOptions {
  readonly connections: PeerConnections
  readonly name: string
  readonly clock: Clock
}

type Challenged = AnswerOf<typeof endpoints.proof.challenge>
type Validated = AnswerOf<typeof endpoints.validate.file>

/** Never rejects. */
export async function askOne(question: Question, options: AskOptions): Promise<Told> {
  const { librarian, signal } = question
  if (librarian === options.name) return unreachable('it is this librarian itself')
  try {
    const { connection } = await options.connections.to(librarian)
    const greeting = await connection.greet({ signal })
    // A real librarian has no such call, and would have its reading for nothing.
    if (!greeting.capabilities.has(FLOWS)) return await askItsWord(connection, question)
    return await challenge(connection, question, options)
  } catch (error) {
    if (error instanceof LibrarianError && error.code === 'NotFound') return { kind: 'challenge', copies: [] }
    if (signal.aborted) return unreachable('it did not answer in time')
    return unreachable(error instanceof Error ? error.message : String(error))
  }
}

function unreachable(reason: string): Told {
  return { kind: 'unreachable', reason }
}

async function challenge(
  connection: Connection,
  { librarian, file, nonce, holdSeconds, signal }: Question,
  { name, clock }: AskOptions,
): Promise<Told> {
  // From here on, since only that we know: the hold begins over there, later.
  const heldUntilMs = clock.now() + holdSeconds * 1000
  const asked = { file_name: file.name, nonce, hold_seconds: holdSeconds }
  const answer = await connection.proof.challenge(asked, { signal })
  if (answer.librarian === name) return unreachable('its address leads to this librarian itself')
  if (answer.librarian !== librarian) return unreachable(`its address leads to a librarian called ${answer.librarian}`)
  return { kind: 'challenge', copies: oncePerStore(answer.copies.map(copy => toldOf(copy, librarian, heldUntilMs))) }
}

function toldOf(copy: Challenged['copies'][number], librarian: string, heldUntilMs: number): ToldCopy {
  return {
    librarian,
    storeId: copy.store_id,
    instanceId: copy.instance_id,
    state: stateOf(copy.state),
    reason: `it says that the copy is ${copy.state}`,
    answer: copy.answer ?? undefined,
    holdId: copy.hold_id ?? undefined,
    heldUntilMs: copy.hold_id === null ? 0 : heldUntilMs,
  }
}

const states: readonly CopyState[] = ['ok', 'mismatch', 'missing', 'unreadable', 'unavailable']

function stateOf(told: string): CopyState {
  return states.find(state => state === told) ?? 'never-checked'
}

/** Each counts once, however often it is told (reliability B1); of two, the one that is not good is believed. */
function oncePerStore(copies: readonly ToldCopy[]): ToldCopy[] {
  const byStore = new Map<number, ToldCopy>()
  for (const copy of copies) {
    const known = byStore.get(copy.storeId)
    if (!known || known.state === 'ok') byStore.set(copy.storeId, copy)
  }
  return [...byStore.values()]
}

async function askItsWord(connection: Connection, { librarian, file, signal }: Question): Promise<Told> {
  const entries = await connection.validate.file({ file_name: file.name, via: [] }, { signal })
  // It tells of those behind it as well: they are asked by themselves, or not at all.
  const own = entries.filter(entry => entry.librarian === librarian)
  return { kind: 'claim', copies: oncePerStore(own.map(entry => claimOf(entry, librarian, file))) }
}

function claimOf(entry: Validated[number], librarian: string, file: File): ToldCopy {
  const isGood =
    entry.computed_same_checksum &&
    entry.current_size === file.size &&
    entry.current_checksum === file.checksum &&
    entry.original_checksum === file.checksum
  const state = isGood ? 'ok' : entry.state === 'unreadable' ? 'unreadable' : 'mismatch'
  return {
    librarian,
    storeId: entry.store,
    instanceId: entry.instance_id,
    state,
    reason: `it says that the copy has ${entry.current_size} bytes and ${entry.current_checksum}`,
    answer: undefined,
    holdId: undefined,
    heldUntilMs: 0,
  }
}
