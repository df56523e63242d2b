/** The part of a librarian that packs disks, over files that lie in a directory. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DiskCandidate, LibrarianError } from '@arriero/api'
import { digestPath } from '@arriero/transfer'
import type { Librarian } from '../src/librarian.ts'

export interface PackingTwin {
  readonly librarian: Librarian
  /** Names with their numbers, as the disk has them. */
  readonly items: Map<string, number | null>
  readonly calls: string[]
  /** Called before each call; may throw. */
  onCall: (call: string) => void
}

/** @param names of files or trees below `store` that are to go */
export async function packingTwin(store: string, names: readonly string[]): Promise<PackingTwin> {
  const files = new Map<string, DiskCandidate>()
  for (const [at, name] of [...names].sort().entries()) files.set(name, await candidateOf(store, name, at + 1))
  const items = new Map<string, number | null>()
  const twin: PackingTwin = { librarian: undefined as never, items, calls: [], onCall: () => {} }
  const call =
    <Request, Answer>(name: string, answer: (request: Request) => Answer) =>
    async (request: Request): Promise<Answer> => {
      twin.onCall(name)
      twin.calls.push(name)
      return answer(request)
    }
  const bytes = () => [...items.keys()].reduce((sum, name) => sum + (files.get(name)?.size ?? 0), 0)
  const sneakernet = {
    key: call('key', () => ({ librarian_name: 'peru', public_key: 'k' })),
    begin: call('begin', () => ({ state: 'packing' })),
    candidates: call('candidates', ({ after, names: wanted, max_results }: CandidateRequest) => {
      const found = [...files.values()].filter(
        ({ name }) => !items.has(name) && (after === undefined || name > after) && (wanted?.includes(name) ?? true),
      )
      const page = found.slice(0, max_results)
      return { files: page, next: found.length > max_results ? page.at(-1)!.name : null }
    }),
    add: call('add', ({ files: added }: { files: { name: string }[] }) => {
      for (const { name } of added) if (!items.has(name)) items.set(name, null)
      return {}
    }),
    seal: call('seal', () => {
      for (const name of items.keys()) items.set(name, files.get(name)!.instance_id + 100)
      return { files: items.size, bytes: bytes() }
    }),
    items: call('items', () => ({
      items: Array.from(items, ([name, transfer_id]) => ({ name, transfer_id })),
      next: null,
    })),
    sign: call('sign', ({ tag_manifest, files: count, bytes: sum, disk_id }: SignRequest) => {
      if (count !== items.size || sum !== bytes()) throw new LibrarianError('Conflict', 'other sums')
      const said = {
        purpose: 'arriero disk 1',
        source: 'peru',
        destination: 'chile',
        disk: disk_id,
        time: '2026-11-20T00:00:00.000000Z',
        nonce: '0'.repeat(32),
        tag_manifest,
        files: count,
        bytes: sum,
      }
      return { statement: JSON.stringify(said), signature: 's', public_key: 'k' }
    }),
    giveUp: call('giveUp', () => ({})),
  }
  return Object.assign(twin, { librarian: { api: { sneakernet } } as unknown as Librarian })
}

interface CandidateRequest {
  readonly after?: string
  readonly names?: readonly string[]
  readonly max_results: number
}

interface SignRequest {
  readonly disk_id: string
  readonly tag_manifest: string
  readonly files: number
  readonly bytes: number
}

async function candidateOf(store: string, name: string, id: number): Promise<DiskCandidate> {
  const path = join(store, name)
  const { kind, size, digests, sha256 } = await digestPath(path, { functions: ['xxh3'] })
  return {
    name,
    kind,
    size,
    checksum: `xxh3:::${digests.xxh3}`,
    sha256,
    uploader: 'ada',
    create_time: '2026-11-20T22:03:37.293159',
    instance_id: id,
    store_name: 'main',
    instance_path: path,
  }
}

export async function sha256Of(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}
