/**
 * Full reads of copies, and what they prove (reliability C1, C2). A read that is not good is made again before it is a
 * verdict; both are recorded. Nothing here is decided by a cached result.
 */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { File, Instance, NewReading } from '../../catalogue/operations/instances.ts'
import type { CopyState } from '../../catalogue/schema.ts'
import type { Reading } from '../../stores/store.ts'
import type { Stores } from '../../stores/stores.ts'
import type { Alarms } from '../alarms.ts'
import { createLimit } from '../limit.ts'

export interface CopyReading {
  readonly state: CopyState
  readonly medium: 'medium' | 'cache'
  /** Wire form, by the function of the recorded checksum; undefined where nothing could be read. */
  readonly checksum: string | undefined
  readonly size: number | undefined
  /** Why it could not be read, or how it differs. */
  readonly reason: string | undefined
}

export interface CopyReader {
  /** Reads all of it now. Calls for the same copy that come while one runs have its result. */
  read(file: File, instance: Instance, options?: { isDirect?: boolean }): Promise<CopyReading>
}

export interface CopyReaderOptions {
  readonly catalogue: Pick<Catalogue, 'instances'>
  readonly stores: Pick<Stores, 'byId'>
  readonly alarms: Alarms
  /** Of proofs: this librarian. */
  readonly by: string
  /** Copies at once. */
  readonly atOnce: number
}

export function createCopyReader({ catalogue, stores, alarms, by, atOnce }: CopyReaderOptions): CopyReader {
  const limit = createLimit(atOnce)
  const running = new Map<string, Promise<CopyReading>>()

  async function readTwice(file: File, instance: Instance, isDirect: boolean): Promise<CopyReading> {
    const readings = [await readOnce(file, instance, isDirect)]
    if (readings[0]!.outcome !== 'ok') readings.push(await readOnce(file, instance, isDirect))
    await catalogue.instances.recordReadings({ by, readings })
    const last = readings.at(-1)!
    if (last.outcome !== 'ok') await tell(file, instance, last)
    const { outcome, medium, checksum, size, reason } = last
    return { state: outcome, medium, checksum: checksum ?? undefined, size: size ?? undefined, reason }
  }

  async function readOnce(file: File, instance: Instance, isDirect: boolean) {
    const site = stores.byId(instance.store_id)
    const reading: Reading = site
      ? await site.store.examine(file.name, { kind: file.kind, checksum: file.checksum, isDirect })
      : { outcome: 'unavailable', reason: `store ${instance.store_id} is not in the settings` }
    return judge(file, instance, reading)
  }

  async function tell(
    file: File,
    { path }: Instance,
    { outcome, reason }: NewReading & { reason: string | undefined },
  ) {
    await alarms.raise({
      severity: outcome === 'mismatch' ? 'critical' : 'error',
      category: outcome === 'mismatch' ? 'data_integrity' : 'data_availability',
      message: `The copy ${path} of ${file.name} is ${outcome}: ${reason ?? 'read twice'}`,
      caller: 'validation',
    })
  }

  return {
    read(file, instance, { isDirect = false } = {}) {
      const key = `${instance.id}/${isDirect}`
      const known = running.get(key)
      if (known) return known
      const reading = limit(() => readTwice(file, instance, isDirect)).finally(() => running.delete(key))
      running.set(key, reading)
      return reading
    },
  }
}

function judge(
  file: File,
  { id: instanceId }: Instance,
  reading: Reading,
): NewReading & { reason: string | undefined } {
  if (reading.outcome !== 'read') {
    const { outcome, reason } = reading
    const nothing = { sha256: null, size: null, checksum: null, fingerprint: null }
    return { instanceId, outcome, medium: 'cache', ...nothing, reason }
  }
  const { medium, sha256, size, checksum, fingerprint } = reading
  const differs = differenceOf(file, reading)
  const outcome = differs === undefined ? 'ok' : 'mismatch'
  return { instanceId, outcome, medium, sha256, size, checksum, fingerprint, reason: differs }
}

function differenceOf(file: File, { size, checksum, sha256 }: Reading & { outcome: 'read' }): string | undefined {
  if (size !== file.size) return `it must have ${file.size} bytes, it has ${size}`
  if (file.sha256 !== null && sha256 !== file.sha256) return `its SHA-256 must be ${file.sha256}, it is ${sha256}`
  return checksum === file.checksum ? undefined : `it must have ${file.checksum}, it has ${checksum}`
}

/** The file and all copies at this site. @throws LibrarianError `NotFound` */
export async function findFile(catalogue: Pick<Catalogue, 'instances'>, name: string) {
  const found = await catalogue.instances.ofFile({ name })
  if (found) return found
  throw new LibrarianError('NotFound', `There is no file ${name}`)
}
