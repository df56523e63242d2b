import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorOf } from './context.ts'
import { createGroup } from './group.ts'
import { codeOf } from './system-error.ts'
import type { Answer, DirectoryLook, TaskKind, Tasks } from './task.ts'

/** Spare directories, at most: those of some full batches. */
const MOST_SPARE = 2048

export interface StagingsParts {
  /** Where emptied directories wait, in private. */
  readonly spare: string
  /** Of new ones; default: as the umask has it. */
  readonly mode: number | undefined
  readonly run: <Kind extends TaskKind>(kind: Kind, ask: Tasks[Kind]['ask']) => Promise<Tasks[Kind]['answer']>
}

/**
 * Staging directories of a store, made and removed many at once, and used again: to make and remove a directory takes longer
 * than all else that is done for a small file, since a file system looks for room for each, past what was just removed.
 *
 * An emptied directory waits under `spare` for the next upload. Which there are only this process remembers: what another
 * one has left there is removed, and one that another process took is simply not there any more.
 */
export class Stagings implements AsyncDisposable {
  /** Resolves when a directory of this name is there. */
  readonly open: (id: string) => Promise<void>
  /** Resolves when it and all in it are gone. */
  readonly remove: (id: string) => Promise<void>
  readonly #parts: StagingsParts
  readonly #spares: string[] = []
  /** How those look that this process makes. */
  #like: DirectoryLook | undefined
  #begun: Promise<void> | undefined

  constructor(parts: StagingsParts) {
    this.#parts = parts
    this.open = createGroup(ids => this.#open(ids))
    this.remove = createGroup(ids => this.#remove(ids))
  }

  /** Makes the directories above the one that the upload lies in. May be called twice. */
  async leadIn(directory: string, uploadName: string): Promise<void> {
    const { mode } = this.#parts
    let at = directory
    for (const segment of uploadName.split('/').slice(0, -2)) {
      at = join(at, segment)
      const isNew = await mkdir(at).then(() => true, ignoreExisting)
      // The umask would take bits.
      if (isNew && mode !== undefined) await chmod(at, mode)
    }
  }

  async #open(ids: readonly string[]): Promise<unknown[]> {
    const spares = this.#spares.splice(-ids.length)
    const answers = await this.#parts.run('openStaging', { ids, spares, mode: this.#parts.mode })
    for (const answer of answers) if (answer.ok) this.#like ??= answer.value
    return answers.map(failureOf)
  }

  async #remove(ids: readonly string[]): Promise<unknown[]> {
    await (this.#begun ??= this.#begin())
    const room = MOST_SPARE - this.#spares.length
    const answers = await this.#parts.run('removeStaging', { ids, room, like: this.#like })
    for (const [index, answer] of answers.entries()) if (answer.ok && answer.value) this.#spares.push(ids[index]!)
    return answers.map(failureOf)
  }

  /** Where that cannot be, directories are removed, as they would be without this. */
  async #begin(): Promise<void> {
    await this.#clear()
    await mkdir(this.#parts.spare, { mode: 0o700 }).catch(() => {})
  }

  async #clear(): Promise<void> {
    await rm(this.#parts.spare, { recursive: true, force: true }).catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#spares.length = 0
    if (this.#begun) await this.#clear()
  }
}

function ignoreExisting(error: unknown): false {
  if (codeOf(error) !== 'EEXIST') throw error
  return false
}

function failureOf(answer: Answer<unknown>): unknown {
  return answer.ok ? undefined : errorOf(answer.error)
}
