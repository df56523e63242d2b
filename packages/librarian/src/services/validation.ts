/** Checking the copies at this site, when somebody asks (librarian 10.9, 11.8). */
import { type Instant, instantOf, millisecondsOf } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { File, Instance } from '../catalogue/operations/instances.ts'
import type { CopyState } from '../catalogue/schema.ts'
import type { Clock } from '../clock.ts'
import type { Stores } from '../stores/stores.ts'
import { type CopyReader, findFile } from './copies/read-copies.ts'

export interface ValidatedCopy {
  readonly file: File
  readonly instance: Instance
  /** Undefined where the settings know the store no more. */
  readonly storeName: string | undefined
  readonly state: CopyState
  /** Empty where the copy could not be read. */
  readonly checksum: string
  readonly size: number
  readonly isSame: boolean
  /** How it differs, or why it could not be read: of a tree, in which members. Undefined where it is right, or was read earlier. */
  readonly reason: string | undefined
  /** When the bytes were read: for a cached result, then and not now (C1). */
  readonly checkedTime: Instant
}

/** A copy that is known, and whose bytes are not there: on the wire it is no copy of the answer (librarian 10.9). */
export type AbsentCopy = Pick<ValidatedCopy, 'instance' | 'storeName' | 'reason'> & {
  readonly state: 'missing' | 'unavailable'
}

export interface ValidatedFile {
  readonly copies: readonly ValidatedCopy[]
  readonly absent: readonly AbsentCopy[]
}

export interface Validation {
  /**
   * Every copy in use, those that are there and those that are not.
   *
   * @param options.isFresh reads all of them now, past the page cache where the store can. Default: false
   * @throws LibrarianError `NotFound`
   */
  validate(name: string, options?: { readonly isFresh?: boolean }): Promise<ValidatedFile>
}

export interface ValidationOptions {
  readonly catalogue: Pick<Catalogue, 'instances'>
  readonly stores: Pick<Stores, 'byId'>
  readonly reader: CopyReader
  readonly clock: Clock
  /** `checksum_timeout`: how old a result may be that is given without reading. */
  readonly cacheMs: number
}

type Read = Omit<ValidatedCopy, 'storeName'>
type Absent = Omit<AbsentCopy, 'storeName'>

export function createValidation({ catalogue, stores, reader, clock, cacheMs }: ValidationOptions): Validation {
  async function validateCopy(file: File, instance: Instance, isFresh: boolean): Promise<Read | Absent> {
    const cached = isFresh ? undefined : await fromCache(file, instance)
    if (cached) return cached
    const { state, checksum = '', size = 0, reason } = await reader.read(file, instance, { isDirect: isFresh })
    if (state === 'missing' || state === 'unavailable') return { instance, state, reason }
    const checkedTime = instantOf(new Date(clock.wallNow()))
    return { file, instance, state, checksum, size, isSame: state === 'ok', reason, checkedTime }
  }

  /** Only while the file still looks as it did when it was read; never for trees, whose look says little (librarian 6.5). */
  async function fromCache(file: File, instance: Instance): Promise<Read | undefined> {
    const { calculated_checksum: checksum, calculated_size: size, checksum_time: time, fingerprint, state } = instance
    if (file.kind !== 'file' || checksum === null || size === null || time === null || fingerprint === null)
      return undefined
    const ageMs = clock.wallNow() - millisecondsOf(time)
    // A result from the future is one of a clock that was wrong: never young enough (E4).
    if (ageMs < 0 || ageMs > cacheMs) return undefined
    const stat = await stores
      .byId(instance.store_id)
      ?.store.stat(file.name)
      .catch(() => undefined)
    if (stat?.fingerprint !== fingerprint) return undefined
    return { file, instance, state, checksum, size, isSame: state === 'ok', reason: undefined, checkedTime: time }
  }

  return {
    async validate(name, { isFresh = false } = {}) {
      const { file, instances } = await findFile(catalogue, name)
      const available = instances.filter(instance => instance.available === 1)
      const found = await Promise.all(available.map(instance => validateCopy(file, instance, isFresh)))
      const named = found.map(copy => ({ ...copy, storeName: stores.byId(copy.instance.store_id)?.name }))
      return { copies: named.filter(isThere), absent: named.filter(isAbsent) }
    },
  }
}

function isAbsent(copy: ValidatedCopy | AbsentCopy): copy is AbsentCopy {
  return !isThere(copy)
}

function isThere(copy: ValidatedCopy | AbsentCopy): copy is ValidatedCopy {
  return 'checkedTime' in copy
}
