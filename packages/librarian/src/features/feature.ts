import type { Passwords } from '../auth/passwords.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import type { Settings } from '../config.ts'
import type { Log } from '../log.ts'
import type { RawRoute } from '../routes/raw-route.ts'
import type { Route } from '../routes/route.ts'
import type { Stores } from '../stores/stores.ts'
import type { TaskKind } from '../tasks/task.ts'

/** What every service may be made of. */
export interface Ground {
  readonly settings: Settings
  readonly catalogue: Catalogue
  readonly stores: Stores
  readonly clock: Clock
  readonly log: Log
  /** So many bytes that nobody can guess. */
  readonly random: (bytes: number) => Buffer
  /** Default: of the usual cost. */
  readonly passwords?: Passwords | undefined
}

/** Services with the routes that speak for them. */
export interface Feature {
  readonly routes?: readonly Route[]
  readonly rawRoutes?: readonly RawRoute[]
  /** Recurring work that the settings may ask for; `work` is for what every librarian does. */
  readonly tasks?: readonly TaskKind[]
  /** What a crash has left is finished or undone before the first call is answered. */
  readonly recover?: () => Promise<void>
  /** Goes on until the signal, whichever role does background work. Restartable, safe beside itself on another machine. */
  readonly work?: (signal: AbortSignal) => Promise<void>
  /** Ends what it holds; after its routes have ended. */
  readonly close?: () => Promise<void>
}
