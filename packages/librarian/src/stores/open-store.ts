import { mkdir, realpath } from 'node:fs/promises'
import { LibrarianError } from '@arriero/api'
import type { z } from 'zod'
import { type Log, silentLog } from '../log.ts'
import type { Keeper } from './keeper.ts'
import type { Life } from './life.ts'
import { layoutOf } from './local/layout.ts'
import { LocalStore } from './local/local-store.ts'
import { createMarker, readMarker } from './local/marker.ts'
import { apart, storeBelow, whyNested } from './local/nesting.ts'
import { createThreads, type Threads } from './local/threads.ts'
import { MemoryStore } from './memory.ts'
import { openPlace } from './s3/open-place.ts'
import { S3Store } from './s3/s3-store.ts'
import { localStoreData, s3StoreData } from './settings.ts'
import type { Store } from './store.ts'

export interface StoreSettings {
  readonly name: string
  /** `local`, `s3`, `memory`; as the wire's settings have it. */
  readonly type: string
  /** `store_data` of the settings: parsed here. */
  readonly data: Readonly<Record<string, unknown>>
  /** As the catalogue knows it from before: another disk is then no store. Default: whichever is met first. */
  readonly uuid?: string | undefined
}

export interface OpenStoreParts {
  /** Shared by the stores of a process. Default: this store's own. */
  readonly threads?: Threads | undefined
  readonly log?: Log | undefined
  /** Make a place a store that is none yet: on the operator's word only (B4). Default: false. */
  readonly createMarker?: boolean | undefined
  /** Whose store it must be. Default: nobody asks. */
  readonly keeper?: Keeper | undefined
  /** Of that catalogue, for this store. Default: its copies are not told from it. */
  readonly life?: Life | undefined
  /** A marker that names nobody gets this keeper. Default: true. */
  readonly mayClaim?: boolean | undefined
  /** It is taken over next where it is another's, so that this is no alarm. Default: false. */
  readonly isToBeTakenOver?: boolean | undefined
  /** Of its own threads, all start with the first task: for servers, which live long. Default: false. */
  readonly startThreadsTogether?: boolean | undefined
}

/**
 * Opens a store. One whose disk is not there opens too, and tells so by its state.
 *
 * @throws LibrarianError Configuration where the settings cannot be followed.
 */
export async function openStore(settings: StoreSettings, parts: OpenStoreParts = {}): Promise<Store> {
  switch (settings.type) {
    case 'local':
      return openLocal(settings, parts)
    case 's3':
      return openS3(settings, parts)
    case 'memory':
      return new MemoryStore({ name: settings.name })
    default:
      throw new LibrarianError(
        'Configuration',
        `Cannot open store ${settings.name}: its type must be local, s3 or memory, it is ${settings.type}`,
      )
  }
}

async function openLocal(settings: StoreSettings, parts: OpenStoreParts): Promise<Store> {
  const data = parse(localStoreData, settings)
  const [storePath, stagingPath] = [await resolved(data.store_path), await resolved(data.staging_path)]
  if (parts.createMarker) {
    await refuseNested(settings.name, storePath, stagingPath)
    await createMarker(settings.name, storePath, parts.keeper)
  }
  const isOpen = data.readonly_after_commit
  const [uid, gid] = [process.geteuid?.(), process.getegid?.()]
  const owner = data.own_after_commit && uid !== undefined && gid !== undefined ? { uid, gid } : undefined
  const threads = parts.threads ?? createThreads({ startTogether: parts.startThreadsTogether })
  const store = new LocalStore(
    {
      name: settings.name,
      uuid: settings.uuid,
      storePath,
      stagingPath,
      keeper: parts.keeper,
      mayClaim: parts.mayClaim ?? true,
      isToBeTakenOver: parts.isToBeTakenOver,
      life: parts.life,
      fullFraction: data.report_full_fraction,
      reserve: data.reserve,
      groupWriteAfterStage: data.group_write_after_stage,
      modes: { file: isOpen ? 0o444 : 0o440, directory: isOpen ? 0o555 : 0o550, owner },
    },
    { threads, log: parts.log ?? silentLog },
  )
  return parts.threads ? store : withOwn(store, threads)
}

/** What is a store already may have been one for long: then it is unavailable, and the others are served. */
async function refuseNested(name: string, storePath: string, stagingPath?: string): Promise<void> {
  if ('uuid' in (await readMarker(layoutOf(storePath, storePath)))) return
  const below = await storeBelow(storePath)
  const why =
    (await whyNested({ storePath, stagingPath })) ?? (below && `${below}, which lies in it, is a store itself`)
  if (why === undefined) return
  throw new LibrarianError('Configuration', `Cannot make a store of ${storePath} (${name}): ${why}`, { remedy: apart })
}

async function openS3(settings: StoreSettings, parts: OpenStoreParts): Promise<Store> {
  const data = parse(s3StoreData, settings)
  const place = await openPlace(data)
  const threads = parts.threads ?? createThreads({ startTogether: parts.startThreadsTogether })
  const { name, uuid } = settings
  const { prefix, scratch_path: scratchPath, capacity } = data
  const { keeper, mayClaim = true, life } = parts
  const store = new S3Store(
    { name, uuid, prefix, scratchPath, capacity, keeper, mayClaim, life },
    { place, threads, log: parts.log ?? silentLog },
  )
  if (parts.createMarker) {
    await mkdir(scratchPath, { recursive: true })
    await refuseNested(name, await resolved(scratchPath))
    await store.createMarker()
  }
  return parts.threads ? store : withOwn(store, threads)
}

/** A disk that is not mounted has its path all the same. */
async function resolved(path: string): Promise<string> {
  return realpath(path).catch(() => path.replace(/\/+$/, ''))
}

function withOwn(store: Store, threads: Threads): Store {
  const end = store[Symbol.asyncDispose].bind(store)
  store[Symbol.asyncDispose] = async () => {
    await end()
    await threads[Symbol.asyncDispose]()
  }
  return store
}

function parse<T>(schema: z.ZodType<T>, { name, data }: StoreSettings): T {
  const found = schema.safeParse(data)
  if (found.success) return found.data
  const why = found.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
  throw new LibrarianError('Configuration', `Cannot open store ${name}: ${why}`)
}
