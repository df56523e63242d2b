import { constants } from 'node:fs'
import { access, lstat } from 'node:fs/promises'
import { LibrarianError } from '@arriero/api'
import type { Log } from '../../log.ts'
import { createSharedLook } from '../../shared-look.ts'
import { type Keeper, othersStore } from '../keeper.ts'
import type { Life } from '../life.ts'
import { failed } from '../outcomes.ts'
import { atStore, unavailable } from '../refusals.ts'
import type { Outcome, Unavailable } from '../store.ts'
import type { Layout } from './layout.ts'
import { claimMarker, type Marker, parseMarker, readMarker, renewMarker, takeMarkerOver } from './marker.ts'
import { apart, whyNested } from './nesting.ts'
import { type FileSystemPowers, probe } from './probe.ts'
import { tellInodes } from './space.ts'
import type { Sums } from './sums.ts'
import { codeOf, systemError, writable } from './system-error.ts'

export interface AvailabilityOptions {
  readonly name: string
  /** Of the marker. Default: the one that is met first. */
  readonly uuid?: string | undefined
  readonly keeper?: Keeper | undefined
  readonly mayClaim?: boolean | undefined
  /** That it is another's is no alarm until it was taken over. Default: false. */
  readonly isToBeTakenOver?: boolean | undefined
  /** Of the catalogue whose store it must be. Default: its copies are not told from it. */
  readonly life?: Life | undefined
}

export interface AvailabilityParts {
  readonly layout: Layout
  /** Mended when the disk is met first. */
  readonly sums: Sums
  readonly log: Log
}

/** Whether a store's disk is there, is the right one, and is ours: told by its marker, at every question (reliability B4). */
export class Availability {
  /** Looked at anew for every question; questions of one moment share a look. */
  readonly whyUnavailable: () => Promise<Unavailable | undefined> = createSharedLook(async () =>
    this.#noted(await this.#lookForDisk()),
  )
  readonly #options: AvailabilityOptions
  readonly #parts: AvailabilityParts
  readonly #layout: Layout
  #uuid: string | undefined
  /** Why it was unavailable when somebody last looked. */
  #reason: string | undefined
  #powers: FileSystemPowers | undefined
  #isToBeTakenOver: boolean
  #isRenewed = false

  constructor(options: AvailabilityOptions, parts: AvailabilityParts) {
    this.#options = options
    this.#parts = parts
    this.#layout = parts.layout
    this.#uuid = options.uuid
    this.#isToBeTakenOver = options.isToBeTakenOver ?? false
  }

  /** Of the marker; known once the store was available. */
  get uuid(): string | undefined {
    return this.#uuid
  }

  /** What its file system can do; known once the store was available and had room for the attempt. */
  get powers(): FileSystemPowers | undefined {
    return this.#powers
  }

  /** @throws LibrarianError StoreUnavailable */
  async check(): Promise<void> {
    const why = await this.whyUnavailable()
    if (why) throw unavailable(this.#options.name, why)
  }

  /** A failure on a disk that is not there is about the disk. */
  async judged<T>(outcome: Outcome<T>): Promise<Outcome<T>> {
    if (outcome.ok) return outcome
    const why = await this.whyUnavailable()
    return failed(why ? unavailable(this.#options.name, why) : await this.explained(outcome.error))
  }

  /** The same error, or one that says more: which store, and what its disk lacks. */
  async explained(error: LibrarianError): Promise<LibrarianError> {
    return await tellInodes(atStore(this.#options.name, error), [this.#layout.root, this.#layout.staging])
  }

  /** The same for what throws. */
  async unlessGone<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      await this.check()
      throw error
    }
  }

  /** Makes it this librarian's, whosever it was. */
  async takeOver(): Promise<Keeper | undefined> {
    const { name, keeper, life } = this.#options
    if (!keeper) throw new RangeError(`Cannot take ${name} over: it was opened for nobody`)
    const why = await this.whyUnavailable()
    if (why && !why.otherKeeper) throw unavailable(name, why)
    const before = await takeMarkerOver(this.#layout, life ? await life.announce(undefined, this.#layout.root) : keeper)
    this.#isToBeTakenOver = false
    return why?.otherKeeper && before
  }

  async #lookForDisk(): Promise<Unavailable | undefined> {
    const marker = await readMarker(this.#layout)
    if ('reason' in marker) return marker
    if (this.#uuid !== undefined && marker.uuid !== this.#uuid) {
      const reason = `another disk is there: its marker has ${marker.uuid}, not ${this.#uuid}`
      return { reason, otherUuid: marker.uuid }
    }
    const others = await this.#whyNotOurs(marker.keeper)
    if (others) return others
    const hasStaging = await lstat(this.#layout.staging).catch(() => undefined)
    if (!hasStaging?.isDirectory()) return { reason: `its staging area ${this.#layout.staging} is not there` }
    return await this.#lookInside(marker)
  }

  async #whyNotOurs(met: Keeper | undefined): Promise<Unavailable | undefined> {
    const { keeper, life } = this.#options
    return othersStore(met, keeper) ?? (met && (await life?.whyNotOurs(met, this.#layout.root)))
  }

  async #lookInside(marker: Marker): Promise<Unavailable | undefined> {
    const { keeper, mayClaim } = this.#options
    try {
      await access(this.#layout.work, constants.W_OK)
      if (this.#powers === undefined) {
        const { root: storePath, staging: stagingPath } = this.#layout
        const nested = await whyNested({ storePath, stagingPath })
        if (nested !== undefined) return { reason: nested, remedy: apart }
      }
      if (keeper && mayClaim && !marker.keeper) {
        const others = await this.#whyNotOurs(await claimMarker(this.#layout, keeper))
        if (others) return others
      }
      if (await this.#renewLife()) {
        const others = await this.#whyNotOurs((await parseMarker(this.#layout.marker)).keeper)
        if (others) return others
      }
      this.#uuid ??= marker.uuid
      if (this.#powers === undefined) {
        this.#powers = probe(this.#options.name, this.#layout)
        await this.#mendSums()
      }
      return undefined
    } catch (error) {
      if (codeOf(error) === 'EROFS') return { reason: 'its disk is mounted read-only', remedy: writable }
      // A full disk that was a store before still is one; what it can do is found out when there is room.
      const isFull = error instanceof LibrarianError && error.code === 'NoSpace'
      return isFull && this.#options.uuid !== undefined ? undefined : { reason: (error as Error).message }
    }
  }

  /** Once, before anything else is written: a copy of the catalogue has it no more. Resolves to whether it was tried. */
  async #renewLife(): Promise<boolean> {
    const { name, life, mayClaim } = this.#options
    if (!life || !mayClaim || this.#isRenewed) return false
    try {
      await renewMarker(this.#layout, life)
    } catch (error) {
      throw systemError(error, 'renew the marker of', name)
    }
    this.#isRenewed = true
    return true
  }

  /** What a killed process has left. The check list is for people: without it the store does its work. */
  async #mendSums(): Promise<void> {
    const { sums, log } = this.#parts
    const store = this.#options.name
    await sums.flush().catch(error => log.warn({ store, err: error }, 'SHA256SUMS could not be brought up to date'))
  }

  /** That its disk went, and that it is back, is told once each, however many ask. */
  #noted(why: Unavailable | undefined): Unavailable | undefined {
    if (why?.otherKeeper && this.#isToBeTakenOver) return why
    const { name } = this.#options
    const before = this.#reason
    this.#reason = why?.reason
    if (why && before === undefined) {
      const { reason, remedy } = why
      this.#parts.log.error(
        { store: name, reason, ...(remedy === undefined ? {} : { remedy }) },
        why.otherKeeper
          ? 'a store is unavailable: it is another librarian’s, and nothing more is written to it'
          : 'a store is unavailable; it is used again by itself when its disk is back',
      )
    }
    if (!why && before !== undefined) this.#parts.log.info({ store: name }, 'a store is available again')
    return why
  }
}
