/** Shows other librarians that the bytes are here (reliability B6, E5): by a full reading that is made for each challenge. */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Instance } from '../../catalogue/operations/instances.ts'
import type { CopyState } from '../../catalogue/schema.ts'
import { type CopyReader, findFile, type ReadableFile } from '../copies/read-copies.ts'

export interface Challenge {
  readonly fileName: string
  /** Hex; theirs, so it is never one that we have answered before. */
  readonly nonce: string
  /** 0: nothing is held. */
  readonly holdSeconds: number
  /** Who asks, and counts on what is held. */
  readonly by: string
  readonly signal?: AbortSignal | undefined
}

export interface ChallengedCopy {
  readonly storeId: number
  readonly instanceId: number
  readonly state: CopyState
  readonly size: number | undefined
  /** Hex; undefined where it could not be read. */
  readonly answer: string | undefined
  readonly holdId: string | undefined
}

export interface Challenges {
  /** Every copy in use at this site. @throws LibrarianError `NotFound` */
  answer(challenge: Challenge): Promise<ChallengedCopy[]>
  /** Resolves to those that were there, and theirs. */
  release(ids: readonly string[], by: string): Promise<string[]>
}

export interface ChallengesOptions {
  readonly catalogue: Pick<Catalogue, 'instances' | 'holds'>
  readonly reader: Pick<CopyReader, 'read'>
  readonly random: (bytes: number) => Buffer
}

export function createChallenges({ catalogue, reader, random }: ChallengesOptions): Challenges {
  /** Held before it is read: a copy that was good must not have gone when the answer is there. */
  async function answerFor(file: ReadableFile, copy: Instance, challenge: Challenge): Promise<ChallengedCopy> {
    const { nonce, holdSeconds: seconds, by: holder, signal } = challenge
    const id = random(16).toString('hex')
    const isHeld = seconds > 0 && (await catalogue.holds.take({ id, instanceId: copy.id, holder, seconds }))
    const { state, size, answers } = await reader.read(file, copy, { isDirect: true, nonces: [nonce], signal })
    const keepsHold = isHeld && state === 'ok'
    if (isHeld && !keepsHold) await catalogue.holds.release({ ids: [id], holder })
    const holdId = keepsHold ? id : undefined
    return { storeId: copy.store_id, instanceId: copy.id, state, size, answer: answers[0], holdId }
  }

  return {
    async answer(challenge) {
      const { file, instances } = await findFile(catalogue, challenge.fileName)
      const copies = instances.filter(({ available }) => available === 1)
      return await Promise.all(copies.map(copy => answerFor(file, copy, challenge)))
    },
    release: (ids, holder) => catalogue.holds.release({ ids, holder }),
  }
}
