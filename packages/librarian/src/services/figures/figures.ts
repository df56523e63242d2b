/** What this site's librarian has to say of itself in numbers, for those who watch it every few seconds. */
import { stat } from 'node:fs/promises'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { CopyFigures, StandingFigures, TransferFigures } from '../../catalogue/operations/figures.ts'
import type { TaskState } from '../../catalogue/operations/tasks.ts'
import type { Clock } from '../../clock.ts'
import type { Settings } from '../../config.ts'
import type { Stores } from '../../stores/stores.ts'
import type { Waiting } from '../sending/waiting.ts'
import { createPacedLook, type PacedLook, type PacedLookOptions, type Seen } from './paced-look.ts'

export interface StoreFigures {
  readonly name: string
  readonly isAvailable: boolean
  readonly isEnabled: boolean
  /** Bytes; undefined where it is not available. */
  readonly free: number | undefined
  readonly total: number | undefined
}

export interface Standing extends StandingFigures {
  readonly tasks: readonly TaskState[]
  /** Bytes beside the database that are not yet merged into it; undefined: it is not in a file. */
  readonly walBytes: number | undefined
}

/** Each as it was last seen; undefined: it could not be, or not yet. */
export interface Figures {
  readonly copies: Seen<CopyFigures> | undefined
  readonly transfers: Seen<TransferFigures> | undefined
  readonly standing: Seen<Standing> | undefined
  readonly stores: Seen<readonly StoreFigures[]> | undefined
  readonly waiting: Seen<readonly Waiting[]> | undefined
}

export interface FiguresOptions {
  readonly catalogue: Pick<Catalogue, 'figures' | 'tasks' | 'stores'>
  readonly stores: Pick<Stores, 'all' | 'byId'>
  readonly settings: Pick<Settings, 'catalogue'>
  readonly clock: Clock
  readonly waiting: PacedLook<readonly Waiting[]>
  readonly pace?: Omit<PacedLookOptions, 'clock'> | undefined
}

/** Of the time, for what goes through indexes of all files and of all transfers that ever were. */
const DEAR_SHARE = 0.01

/** Never rejects; takes no longer than its pace's patience, whatever hangs. */
export function createFigures(options: FiguresOptions): () => Promise<Figures> {
  const { catalogue, stores, settings, clock, waiting, pace } = options
  const paced = <T>(look: () => Promise<T>, share?: number) => createPacedLook(look, { share, ...pace, clock })
  const copies = paced(() => catalogue.figures.copies(), DEAR_SHARE)
  const transfers = paced(() => catalogue.figures.transfers(), DEAR_SHARE)
  const standing = paced(async () => {
    const [found, tasks, walBytes] = await Promise.all([
      catalogue.figures.standing(),
      catalogue.tasks.list(),
      walBytesOf(settings.catalogue),
    ])
    return { ...found, tasks, walBytes }
  })
  const places = paced(() => storeFigures(catalogue, stores))
  return async () => {
    const [seenCopies, seenTransfers, seenStanding, seenStores, seenWaiting] = await Promise.all([
      copies(),
      transfers(),
      standing(),
      places(),
      waiting(),
    ])
    const seen = { copies: seenCopies, transfers: seenTransfers, standing: seenStanding, stores: seenStores }
    return { ...seen, waiting: seenWaiting }
  }
}

async function storeFigures(
  catalogue: Pick<Catalogue, 'stores'>,
  stores: Pick<Stores, 'byId'>,
): Promise<StoreFigures[]> {
  const rows = await catalogue.stores.list()
  return await Promise.all(
    rows.map(async ({ id, name, enabled }) => {
      const state = await stores.byId(id)?.store.state()
      return state?.available
        ? { name, isEnabled: enabled, isAvailable: true, free: state.free, total: state.total }
        : { name, isEnabled: enabled, isAvailable: false, free: undefined, total: undefined }
    }),
  )
}

async function walBytesOf(catalogue: Settings['catalogue']): Promise<number | undefined> {
  if (catalogue.engine !== 'sqlite') return undefined
  // Gone while it is empty.
  return await stat(`${catalogue.path}-wal`).then(
    ({ size }) => size,
    () => 0,
  )
}
