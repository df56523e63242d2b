/** What the steps of the deletion gate share. */
import { type Instant, instantOf, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import { brakeCaller } from '../../catalogue/operations/deletion-rules.ts'
import type { DeletionPolicy } from '../../catalogue/schema.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { TrailRecord } from '../../stores/store.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import type { Alarms } from '../alarms.ts'
import { type CopyReader, findFile } from '../copies/read-copies.ts'
import type { Presence } from '../presence.ts'
import type { PeerProofs } from '../proofs/peer-proofs.ts'
import { createProver, type Prove, type Verdict } from './prover.ts'

export interface DeletionGateOptions {
  readonly catalogue: Pick<Catalogue, 'instances' | 'deletions' | 'trash' | 'audit'>
  readonly stores: Stores
  readonly reader: Pick<CopyReader, 'read'>
  readonly alarms: Alarms
  /** What other librarians show of their copies. Default: they count for nothing. */
  readonly peers?: PeerProofs | undefined
  /** Of this process, and who else is alive. */
  readonly presence: Pick<Presence, 'holder' | 'gone'>
  readonly clock: Clock
  readonly log: Log
  /** Good copies that must remain, on other devices or at other librarians. Default 2, least 1 (reliability B1). */
  readonly floor?: number
  /** How long the trash keeps what was deleted, s. Default 7 d (reliability B2). */
  readonly purgeAfterSeconds?: number | undefined
}

/** Who asks, and for what. */
export interface Asked {
  readonly actor: string
  readonly action: string
  readonly subject: string
  readonly detail: Readonly<Record<string, unknown>>
}

export interface Ground extends DeletionGateOptions {
  readonly floor: number
  readonly purgeAfterSeconds: number
  readonly prove: Prove
  /**
   * Rejects where what other librarians hold for this deletion may be held no more: what relies on it must not go on.
   *
   * @throws LibrarianError `KeepsLastCopy`
   */
  demandHeld(verdict: Pick<Verdict, 'proven'>, what: string): void
  /** They need not hold it any longer. */
  release(verdict: Pick<Verdict, 'proven'> | undefined): Promise<void>
  /** Trash on which this process works now: what is its own and not here was left by it. */
  readonly working: Set<string>
  demandStore(storeId: number, what: string): Promise<SiteStore>
  /** Writes the refusal into the audit, a task's only where it is a new one, sounds the brake's alarm where that was it, and throws it again. */
  refuse(error: unknown, asked: Asked, site: SiteStore | undefined): Promise<never>
  appendTrail(site: SiteStore, fileName: string, line: TrailLine): Promise<void>
}

export interface TrailLine {
  readonly action: 'trash' | 'restore' | 'purge'
  /** Of the act that it tells of, also where that is taken back. */
  readonly order: number
  readonly deletionPolicy: DeletionPolicy
}

export function createGround(options: DeletionGateOptions): Ground {
  const { catalogue, stores, alarms, clock, log, floor = 2, purgeAfterSeconds = 7 * 86_400 } = options

  async function demandStore(storeId: number, what: string): Promise<SiteStore> {
    const site = stores.byId(storeId)
    const state = await site?.store.state()
    if (site && state?.available) return site
    const why = state && !state.available ? state.reason : 'it is not in the settings'
    throw new LibrarianError('StoreUnavailable', `Cannot ${what}: its store must be there: ${why}`)
  }

  async function refuse(error: unknown, asked: Asked, site: SiteStore | undefined): Promise<never> {
    const code = error instanceof LibrarianError ? error.code : 'Internal'
    const why = error instanceof Error ? error.message : String(error)
    await record(asked, code, why).catch(failure =>
      log.error({ err: failure, subject: asked.subject }, 'A refused deletion is not in the audit'),
    )
    if (code === 'TooMany' && site) await soundBrake(site)
    throw error
  }

  /** A task asks again in every run: what it is refused for the same reason is told once. */
  async function record(asked: Asked, code: string, why: string): Promise<void> {
    const isKnownRefusal = code !== 'OutcomeUnknown' && asked.actor.startsWith('task:')
    if (isKnownRefusal) return await catalogue.audit.appendRefusal({ ...asked, code, why })
    const outcome = code === 'OutcomeUnknown' ? 'unknown' : 'refused'
    await catalogue.audit.append({ ...asked, detail: { ...asked.detail, outcome, code, why } })
  }

  async function soundBrake({ name }: SiteStore): Promise<void> {
    await alarms.raise({
      severity: 'critical',
      category: 'data_availability',
      message: `The brake of store ${name} is on: as many copies were deleted within a day as may be. Nothing more goes from it until a person has looked at \`arriero trash\` and the audit, and cleared this error.`,
      caller: brakeCaller(name),
    })
  }

  async function appendTrail({ store }: SiteStore, name: string, line: TrailLine): Promise<void> {
    const { file } = await findFile(catalogue, name)
    const { kind, size, checksum, sha256, create_time, uploader, source } = file
    const time: Instant = instantOf(new Date(clock.wallNow()))
    // Whoever rebuilds from the trail reads this line alone.
    const manifest = line.action !== 'purge' && kind === 'tree' ? await catalogue.instances.treeOf({ name }) : undefined
    const record: TrailRecord = {
      action: line.action,
      order: line.order,
      time,
      name,
      kind,
      size,
      checksum,
      sha256,
      is_attested: file.is_attested === 1,
      create_time,
      uploader,
      source,
      deletion_policy: line.deletionPolicy,
      ...(file.first_uploader === null ? {} : { first_uploader: file.first_uploader }),
      ...(manifest === undefined ? {} : { manifest }),
    }
    await store.appendTrail([record])
  }

  function demandHeld({ proven }: Pick<Verdict, 'proven'>, what: string): void {
    const late = proven.find(({ heldUntilMs }) => heldUntilMs <= clock.now())
    if (!late) return
    const message = `Cannot delete ${what}: ${late.librarian} holds its copy no longer, since the other proofs took too long`
    throw new LibrarianError('KeepsLastCopy', message)
  }

  async function release(verdict: Pick<Verdict, 'proven'> | undefined): Promise<void> {
    if (verdict && verdict.proven.length > 0) await options.peers?.release(verdict.proven)
  }

  const prove = createProver(options)
  const working = new Set<string>()
  const least = Math.max(1, floor)
  return {
    ...options,
    floor: least,
    purgeAfterSeconds,
    prove,
    demandHeld,
    release,
    working,
    demandStore,
    refuse,
    appendTrail,
  }
}
