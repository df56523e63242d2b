import type { Clock } from '@arriero/transfer'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { FileWithInstances, Instance } from '../../catalogue/operations/instances.ts'
import type { NewRemoteProof } from '../../catalogue/operations/remote-proofs.ts'
import type { Log } from '../../log.ts'
import type { Stores } from '../../stores/stores.ts'
import { type CopyReader, type CopyReading, findFile, wholeDifference } from '../copies/read-copies.ts'
import type { PeerConnections } from '../peer-connections.ts'
import { askOne, type Told, type ToldCopy } from './ask-one.ts'
import type {
  DisagreeingCopy,
  PeerCopy,
  PeerProofReport,
  PeerProofRequest,
  PeerProofs,
  ProvenCopy,
} from './peer-proofs.ts'

export interface PeerProofsOptions {
  readonly catalogue: Pick<Catalogue, 'instances' | 'remoteProofs' | 'trash'>
  readonly stores: Pick<Stores, 'byId'>
  readonly reader: Pick<CopyReader, 'read'>
  readonly connections: PeerConnections
  /** Our own `name`: who answers with it is no other librarian. */
  readonly name: string
  readonly clock: Clock
  readonly random: (bytes: number) => Buffer
  readonly log: Log
}

const HOUR_MS = 3_600_000

export function createPeerProofs(options: PeerProofsOptions): PeerProofs {
  const { catalogue, stores, reader, connections, name, clock, random, log } = options

  async function ask(request: PeerProofRequest): Promise<PeerProofReport> {
    const { fileName, timeoutMs = HOUR_MS } = request
    const found = await findFile(catalogue, fileName)
    const librarians = [...new Set(request.librarians ?? (await catalogue.remoteProofs.holdersOf({ name: fileName })))]
    const nonces = librarians.map(() => random(32).toString('hex'))
    const limit = AbortSignal.timeout(timeoutMs)
    const signal = request.signal ? AbortSignal.any([request.signal, limit]) : limit
    // Whatever the answer takes, the hold lasts as long as was asked for after it.
    const holdSeconds = request.holdSeconds && Math.ceil(request.holdSeconds + timeoutMs / 1000)
    const [own, ...told] = await Promise.all([
      readOwn(found, request, nonces, signal),
      ...librarians.map((librarian, at) =>
        askOne({ librarian, file: found.file, nonce: nonces[at]!, holdSeconds, signal }, { connections, name, clock }),
      ),
    ])
    request.signal?.throwIfAborted()
    const report = judge(own, librarians, told, request.holdSeconds > 0)
    await catalogue.remoteProofs.record({ proofs: proofsOf(fileName, told, report) })
    await release(uselesslyHeld(told, report))
    return report
  }

  async function readOwn(
    found: FileWithInstances,
    { instanceId, trashId }: PeerProofRequest,
    nonces: readonly string[],
    signal: AbortSignal,
  ): Promise<OwnReading> {
    const copy = found.instances.find(instanceId === undefined ? isUsable : ({ id }) => id === instanceId)
    try {
      if (trashId !== undefined) return { instanceId, ...(await readTrash(found, trashId, nonces, signal)) }
      if (copy)
        return { instanceId: copy.id, ...(await reader.read(found.file, copy, { isDirect: true, nonces, signal })) }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return { instanceId: copy?.id ?? instanceId, state: 'unavailable', reason, answers: [] }
    }
    return { instanceId, state: 'missing', reason: 'there is no copy here to compare with', answers: [] }
  }

  /** It has no row any more that could be told of it. */
  async function readTrash(
    { file }: FileWithInstances,
    trashId: string,
    nonces: readonly string[],
    signal: AbortSignal,
  ): Promise<Omit<OwnReading, 'instanceId'>> {
    const trash = await catalogue.trash.get({ id: trashId })
    const site = trash && stores.byId(trash.store_id)
    if (!site) return { state: 'unavailable', reason: 'its trash is not there', answers: [] }
    const { name, kind, checksum } = file
    const reading = await site.store.examine(name, { kind, checksum, trashId, isDirect: true, nonces, signal })
    if (reading.outcome !== 'read') return { state: reading.outcome, reason: reading.reason, answers: [] }
    const reason = wholeDifference(file, reading)
    return { state: reason === undefined ? 'ok' : 'mismatch', reason, answers: reading.answers }
  }

  async function release(copies: readonly Pick<ProvenCopy, 'librarian' | 'holdId'>[]): Promise<void> {
    const byLibrarian = Map.groupBy(
      copies.filter(({ holdId }) => holdId !== undefined),
      ({ librarian }) => librarian,
    )
    await Promise.all(
      Array.from(byLibrarian, async ([librarian, held]) => {
        try {
          const { connection } = await connections.to(librarian)
          await connection.proof.release({ hold_ids: held.map(({ holdId }) => holdId!) })
        } catch (error) {
          log.warn({ err: error, librarian }, 'holds at another librarian could not be ended; they end by themselves')
        }
      }),
    )
  }

  return { ask, release }
}

type OwnReading = Pick<CopyReading, 'state' | 'reason' | 'answers'> & { readonly instanceId: number | undefined }

/** One that is known to be bad proves nothing. */
function isUsable({ available, state }: Instance): boolean {
  return available === 1 && (state === 'ok' || state === 'never-checked')
}

/** @param isToBeHeld a copy that could have gone by now is no proof, however good it was: it may be going over there. */
function judge(
  own: OwnReading,
  librarians: readonly string[],
  told: readonly Told[],
  isToBeHeld: boolean,
): PeerProofReport {
  const proven: ProvenCopy[] = []
  const disagreeing: DisagreeingCopy[] = []
  const claimed: PeerCopy[] = []
  for (const [at, answer] of told.entries()) {
    if (answer.kind === 'unreachable') continue
    for (const copy of answer.copies) {
      const { librarian, storeId, instanceId, holdId, heldUntilMs } = copy
      const of = { librarian, storeId, instanceId }
      const isRight = copy.answer === own.answers[at]
      if (copy.state !== 'ok') disagreeing.push({ ...of, state: copy.state, reason: copy.reason })
      else if (answer.kind === 'claim' || own.state !== 'ok') claimed.push(of)
      else if (isRight && isToBeHeld && holdId === undefined) claimed.push(of)
      else if (isRight) proven.push({ ...of, holdId, heldUntilMs })
      else
        disagreeing.push({ ...of, state: 'mismatch', reason: 'it says that the copy is good, and its answer is wrong' })
    }
  }
  const isWithout = (at: number) => {
    const answer = told[at]!
    return answer.kind !== 'unreachable' && answer.copies.length === 0
  }
  return {
    own: { instanceId: own.instanceId, state: own.state, reason: own.reason },
    proven,
    disagreeing,
    claimed,
    without: librarians.filter((_, at) => isWithout(at)),
    unreachable: librarians.flatMap((librarian, at) => {
      const answer = told[at]!
      return answer.kind === 'unreachable' ? [{ librarian, reason: answer.reason }] : []
    }),
  }
}

function proofsOf(fileName: string, told: readonly Told[], report: PeerProofReport): NewRemoteProof[] {
  const challenged = new Set(told.flatMap(answer => (answer.kind === 'challenge' ? answer.copies.map(keyOf) : [])))
  const row = (copy: PeerCopy, medium: NewRemoteProof['medium'], outcome: NewRemoteProof['outcome']) => {
    return { fileName, librarian: copy.librarian, storeId: copy.storeId, medium, outcome }
  }
  return [
    ...report.proven.map(copy => row(copy, 'peer-challenge', 'ok')),
    ...report.disagreeing.map(copy => row(copy, challenged.has(keyOf(copy)) ? 'peer-challenge' : 'claim', copy.state)),
    ...report.claimed.map(copy => row(copy, 'claim', 'ok')),
  ]
}

/** Held for an answer that proves nothing. */
function uselesslyHeld(told: readonly Told[], { proven }: PeerProofReport): ToldCopy[] {
  const good = new Set(proven.map(keyOf))
  return told.flatMap(answer =>
    answer.kind === 'challenge' ? answer.copies.filter(copy => !good.has(keyOf(copy))) : [],
  )
}

function keyOf({ librarian, storeId }: Pick<PeerCopy, 'librarian' | 'storeId'>): string {
  return `${storeId} ${librarian}`
}
