/**
 * Another copy of a file on another store of this site (librarian 11.3, A1–A7): whoever clones, tiers or repairs makes it here.
 *
 *   row       the clone transfer, with the spool that the bytes arrive in
 *   bytes     from the source into the destination's spool: a file as it is, a tree as an archive
 *   commit    as everything is committed (`commits.ts`): compared with the file's own digests, published, a line in the store's
 *             trail; the copy's row and its proof appear, and the clone transfer is STAGED, in one transaction
 *   read back the copy is read in full, from the medium where that can be
 *   end       COMPLETED, or FAILED with what was found
 *
 * Killed before the commit has begun: nothing happened, and `recover` ends the row. Killed later: the commit is finished or undone
 * by its own recovery, and `recover` goes on from there. Small files that are copied at the same time share commits.
 */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { CloneTransfer } from '../../catalogue/operations/clones.ts'
import type { File, Instance } from '../../catalogue/operations/instances.ts'
import type { Log } from '../../log.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import { functionsFor } from '../../stores/wire-checksum.ts'
import type { Commits } from '../commit/commits.ts'
import type { Presence } from '../presence.ts'
import { type CopiedFile, copyBytes, SourceTrouble } from './copy-bytes.ts'
import { type CopyReader, findFile } from './read-copies.ts'

export interface CopyRequest {
  readonly file: File
  /** Available, and known to be good. */
  readonly from: Instance
  /** A store that has no copy of it. */
  readonly to: SiteStore
  readonly signal?: AbortSignal | undefined
}

export interface MadeCopy {
  /** Of the clone transfer. */
  readonly id: number
  readonly instanceId: number
}

export interface CopyMaker {
  /**
   * Resolves when the copy was published, read back and found good.
   *
   * @throws LibrarianError `Conflict`: the source must not be copied, or the store has a copy · `Busy`: it is being copied there
   *   now, or will be finished by recovery · `NoSpace`, `StoreUnavailable`, `Unacceptable`: the destination · `Mismatch`,
   *   `NotFound`: the source, which has been read again for that · `Unsupported`: the store keeps no trees
   */
  make(request: CopyRequest): Promise<MadeCopy>

  /** Goes on with, or ends, what processes that are gone have left; after the recovery of commits. How many were ended. */
  recover(): Promise<number>
}

export interface CopyMakerOptions {
  readonly catalogue: Pick<Catalogue, 'clones' | 'instances'>
  readonly stores: Pick<Stores, 'byId'>
  readonly commits: Pick<Commits, 'commit'>
  readonly reader: Pick<CopyReader, 'read'>
  readonly presence: Pick<Presence, 'holder' | 'gone'>
  readonly log: Log
  readonly random: (bytes: number) => Buffer
}

/** As the wire calls it: bytes that move on this machine. */
const MANAGER = 'local'

interface Clone {
  readonly id: number
  readonly spool: string
}

export function createCopyMaker(options: CopyMakerOptions): CopyMaker {
  const { catalogue, stores, commits, reader, presence, log, random } = options
  const { holder } = presence
  const working = new Set<string>()

  async function make(request: CopyRequest): Promise<MadeCopy> {
    const { file, from, to } = request
    if (file.kind === 'tree' && !to.store.capabilities.hasTrees) {
      throw new LibrarianError('Unsupported', `Cannot copy ${file.name} to ${to.name}: it keeps no directories`)
    }
    const spool = random(16).toString('hex')
    working.add(spool)
    try {
      const begin = { sourceInstanceId: from.id, destinationStoreId: to.id, spool, holder, manager: MANAGER }
      const clone = { id: await catalogue.clones.begin(begin), spool }
      try {
        await bring(clone, request)
      } catch (error) {
        throw await giveUp(clone, request, error)
      }
      return await finish(clone.id, file)
    } finally {
      working.delete(spool)
    }
  }

  async function bring({ id, spool }: Clone, { file, from, to, signal }: CopyRequest): Promise<void> {
    const source = stores.byId(from.store_id)
    if (!source) {
      throw new LibrarianError('StoreUnavailable', `Cannot copy ${from.path}: its store is not in the settings`)
    }
    await catalogue.clones.start({ id, holder })
    const manifest = file.kind === 'tree' ? await catalogue.instances.treeOf({ name: file.name }) : undefined
    await fill(spool, source, { name: file.name, size: file.size, manifest }, { file, from, to, signal })
    await commits.commit({
      name: file.name,
      store: to,
      origin: { from: 'spool', id: spool, ...(file.kind === 'tree' ? { archive: 'tar' } : {}) },
      size: file.size,
      checksum: file.checksum,
      copy: { cloneTransferId: id, isAttested: file.is_attested === 1 },
      deletionPolicy: from.deletion_policy,
      uploader: file.uploader,
      source: file.source,
      firstUploader: file.first_uploader ?? undefined,
      createTime: file.create_time,
    })
  }

  async function fill(spool: string, source: SiteStore, copied: CopiedFile, { file, to, signal }: CopyRequest) {
    const functions = file.kind === 'tree' ? [] : functionsFor(file.checksum)
    await using opened = await to.store.openSpool(spool, { functions })
    await opened.append(copyBytes(source.store, copied, signal), signal ? { signal } : {})
  }

  /** @returns what to tell whoever asked */
  async function giveUp({ id, spool }: Clone, request: CopyRequest, error: unknown): Promise<unknown> {
    const { file, from, to } = request
    const reason = error instanceof Error ? error.message : String(error)
    const isGivenUp = await catalogue.clones.giveUp({ id, holder, reason })
    // A commit that can only go forward has the bytes: recovery ends it, and the clone with it.
    if (!isGivenUp) return error
    await to.store.removeSpool(spool).catch(failure => {
      log.warn({ err: failure, store: to.name }, 'the bytes of a copy that was given up are left for the sweep')
    })
    const isOfSource = error instanceof SourceTrouble || (error as LibrarianError).code === 'Mismatch'
    if (!isOfSource) return error
    const { state, reason: found } = await reader.read(file, from)
    if (error instanceof LibrarianError) return error
    const is = state === 'ok' ? reason : `it is ${state}: ${found ?? reason}`
    return new LibrarianError('NotFound', `Cannot copy ${from.path}: ${is}`, { cause: error })
  }

  /** Ends the clone by what its copy is found to be. */
  async function readBack({ id, destination_instance_id, destination_store_id }: CloneTransfer, file: File) {
    const copy = { id: destination_instance_id!, store_id: destination_store_id }
    const { state, reason } = await reader.read(file, copy, { isDirect: true })
    const found = state === 'ok' ? undefined : `the copy was read back and is ${state}: ${reason ?? 'read twice'}`
    await catalogue.clones.end({ id, holder, status: found === undefined ? 'COMPLETED' : 'FAILED', reason: found })
    return found
  }

  async function finish(id: number, file: File): Promise<MadeCopy> {
    const row = await catalogue.clones.get({ id })
    if (!row?.destination_instance_id) {
      throw new LibrarianError('Busy', `Cannot say yet whether ${file.name} was copied: its commit goes on`)
    }
    const found = await readBack(row, file)
    if (found !== undefined) throw new LibrarianError('Mismatch', `Cannot copy ${file.name}: ${found}`)
    return { id, instanceId: row.destination_instance_id }
  }

  async function recover(): Promise<number> {
    const open = await catalogue.clones.open()
    const gone = await presence.gone([...new Set(open.map(({ holder: other }) => other!))])
    let ended = 0
    for (const clone of open) {
      const isLeft = clone.holder === holder ? !working.has(clone.spool!) : gone.has(clone.holder!)
      if (!isLeft || clone.isCommitting) continue
      try {
        if (await recoverOne(clone)) ended += 1
      } catch (error) {
        log.warn({ err: error, file: clone.file_name }, 'a copy that was interrupted waits')
      }
    }
    return ended
  }

  async function recoverOne(clone: CloneTransfer): Promise<boolean> {
    const { id, spool, destination_store_id, destination_instance_id } = clone
    if (!(await catalogue.clones.takeOver({ id, holder, from: clone.holder! }))) return false
    if (destination_instance_id === null) {
      if (!(await catalogue.clones.giveUp({ id, holder, reason: 'the server stopped before the copy was there' }))) {
        return false
      }
      // What cannot be removed now, the sweep removes.
      await stores
        .byId(destination_store_id)
        ?.store.removeSpool(spool!)
        .catch(() => undefined)
      return true
    }
    const { file } = await findFile(catalogue, clone.file_name!)
    if (!(await catalogue.instances.get({ id: destination_instance_id }))) {
      const reason = 'the copy is gone by now'
      return await catalogue.clones.end({ id, holder, status: 'FAILED', reason })
    }
    await readBack(clone, file)
    return true
  }

  return { make, recover }
}
