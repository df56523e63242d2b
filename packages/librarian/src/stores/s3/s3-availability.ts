import { randomUUID } from 'node:crypto'
import { type Keeper, othersStore } from '../keeper.ts'
import type { Life } from '../life.ts'
import type { Layout } from '../local/layout.ts'
import { claimMarker, readMarker, takeMarkerOver } from '../local/marker.ts'
import { apart, whyNested } from '../local/nesting.ts'
import { unavailable } from '../refusals.ts'
import type { Unavailable } from '../store.ts'
import { speaking } from './s3-error.ts'
import type { S3Ground, S3Keys } from './s3-keys.ts'
import { probe, putKeeper, readMarkerObject, renewKeeper, type S3Marker } from './s3-marker.ts'
import { prefixAbove } from './s3-nesting.ts'
import { headObject, type S3Object, type S3Place } from './s3-objects.ts'

export interface S3AvailabilityOptions {
  readonly name: string
  readonly scratchPath: string
  readonly uuid?: string | undefined
  readonly keeper?: Keeper | undefined
  readonly mayClaim?: boolean | undefined
  readonly life?: Life | undefined
}

export interface S3AvailabilityParts extends S3Ground {
  readonly scratch: Layout
}

/** Whether a bucket and its scratch directory are those of one store, and whose: told by the markers of both (reliability B4). */
export class S3Availability {
  readonly #options: S3AvailabilityOptions
  readonly #place: S3Place
  readonly #keys: S3Keys
  readonly #scratch: Layout
  #uuid: string | undefined
  #isProbed = false
  #isRenewed = false
  /** The marker that was read last: it is read again when it is another object. */
  #seen: { readonly etag: string; readonly marker: S3Marker } | undefined

  constructor(options: S3AvailabilityOptions, { place, keys, scratch }: S3AvailabilityParts) {
    this.#options = options
    this.#place = place
    this.#keys = keys
    this.#scratch = scratch
    this.#uuid = options.uuid
  }

  /** Of the marker; known once the store was available. */
  get uuid(): string | undefined {
    return this.#uuid
  }

  /** For people. */
  get #where(): string {
    return `s3://${this.#place.bucket}/${this.#keys.prefix}`
  }

  /** @throws LibrarianError StoreUnavailable */
  async check(): Promise<void> {
    const why = await this.whyUnavailable()
    if (why) throw unavailable(this.#options.name, why)
  }

  async whyUnavailable(): Promise<Unavailable | undefined> {
    const scratch = await readMarker(this.#scratch)
    if ('reason' in scratch) return { reason: `its scratch disk: ${scratch.reason}` }
    const others = othersStore(scratch.keeper, this.#options.keeper)
    if (others) return { ...others, reason: `its scratch directory: ${others.reason}` }
    try {
      const found = await headObject(this.#place, this.#keys.marker)
      if (!found) return { reason: `there is no marker ${this.#keys.marker} in ${this.#place.bucket}` }
      return await this.#whyNotOurs(found)
    } catch (error) {
      return { reason: `${this.#place.bucket}: ${(error as Error).message || (error as Error).name}` }
    }
  }

  /** Makes it this librarian's, whosever it was. */
  async takeOver(): Promise<Keeper | undefined> {
    const { name, keeper, life } = this.#options
    if (!keeper) throw new RangeError(`Cannot take ${name} over: it was opened for nobody`)
    const why = await this.whyUnavailable()
    if (why && !why.otherKeeper) throw unavailable(name, why)
    const scratch = await takeMarkerOver(this.#scratch, keeper)
    const before = await speaking(this.#place, 'take over', this.#keys.marker, () =>
      life
        ? renewKeeper(this.#place, this.#keys.marker, () => life.announce(undefined, this.#where))
        : putKeeper(this.#place, this.#keys.marker, keeper, { isTakeOver: true }),
    )
    if (!why?.otherKeeper) return undefined
    return [before, scratch].find(one => one !== undefined && one.catalogue !== keeper.catalogue) ?? before
  }

  async #whyNotOurs(found: S3Object): Promise<Unavailable | undefined> {
    const { keeper } = this.#options
    if (this.#seen?.etag !== found.etag) {
      this.#seen = { etag: found.etag, marker: await readMarkerObject(this.#place, this.#keys.marker, found) }
    }
    const { marker } = this.#seen
    if (this.#uuid !== undefined && marker.uuid !== this.#uuid) {
      const reason = `another store is there: its marker has ${marker.uuid}, not ${this.#uuid}`
      return { reason, otherUuid: marker.uuid }
    }
    const others =
      othersStore(marker.keeper, keeper) ??
      (marker.keeper && (await this.#options.life?.whyNotOurs(marker.keeper, this.#where)))
    if (others) return others
    if (!this.#isProbed) {
      const unfit = (await this.#whyUnfit()) ?? (await this.#claim(marker))
      if (unfit) return unfit
      await this.#renewLife()
      await probe(this.#place, { marker: this.#keys.marker, spare: this.#keys.ofPrivate(`probe-${randomUUID()}`) })
      this.#isProbed = true
    }
    this.#uuid ??= marker.uuid
    return undefined
  }

  /** Once, before anything else is written: a copy of the catalogue has it no more. */
  async #renewLife(): Promise<void> {
    const { life, mayClaim } = this.#options
    if (!life || !mayClaim || this.#isRenewed) return
    // Written only where the marker is what was read: a copy that was faster is met, and refuses us.
    await renewKeeper(this.#place, this.#keys.marker, met => life.announce(met, this.#where))
    this.#isRenewed = true
  }

  async #whyUnfit(): Promise<Unavailable | undefined> {
    const above = await prefixAbove(this.#place, this.#keys.prefix)
    const nested =
      above === undefined
        ? await whyNested({ storePath: this.#options.scratchPath })
        : `${this.#keys.marker} lies under ${above || 'the whole bucket'}, which is a store itself`
    return nested === undefined ? undefined : { reason: nested, remedy: apart }
  }

  async #claim({ keeper: named }: S3Marker): Promise<Unavailable | undefined> {
    const { keeper, mayClaim } = this.#options
    if (!keeper || !mayClaim) return undefined
    // One after the other: whoever has the scratch directory, and nobody beside, goes on to the bucket.
    const scratch = await readMarker(this.#scratch)
    const ofScratch = 'uuid' in scratch && !scratch.keeper ? await claimMarker(this.#scratch, keeper) : undefined
    const others = othersStore(ofScratch, keeper)
    if (others) return others
    const ofBucket = named ?? (await putKeeper(this.#place, this.#keys.marker, keeper, { isTakeOver: false }))
    return othersStore(ofBucket, keeper)
  }
}
