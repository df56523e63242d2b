/**
 * What lies in a store and has no row, and as what it is to be read: a file, or one tree.
 *
 *   a tree by the catalogue, from whatever store    a tree: its members were never files of their own
 *   a tree by a line of the trail, believed or not  the same, unless a known name lies in it or above it
 *   a tree by its modes                             the same: it was published, and its line is lost with the catalogue
 *   a directory with files only (`leaf`)            a tree, unless a known name lies in it or above it
 *   all other files                                 each a file
 *
 * What the trail says to be kept has a row by now, or it was told why not: of this nothing is unknown.
 */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import { ancestorsOf } from '../../catalogue/nested-names.ts'
import type { FileKind } from '../../catalogue/schema.ts'
import type { SiteStore } from '../../stores/stores.ts'
import { findTrees } from './find-trees.ts'
import { inPages } from './in-pages.ts'
import { isKeptBy, type LastLines } from './last-lines.ts'

export interface FindUnknownOptions {
  readonly catalogue: Pick<Catalogue, 'instances' | 'rebuilding'>
  readonly lines: LastLines
  readonly directories: 'none' | 'leaf'
  readonly signal?: AbortSignal | undefined
}

export interface Unknown {
  readonly found: readonly (readonly [name: string, kind: FileKind])[]
  /** What no catalogue takes. */
  readonly problems: readonly string[]
}

const PAGE = 200

export async function findUnknown(site: SiteStore, options: FindUnknownOptions): Promise<Unknown> {
  const seen = await scanUnknown(site, options)
  const wholes = await findWholes(seen, options)
  const rest = seen.files.filter(name => !liesIn(wholes, name))
  const leaves = options.directories === 'leaf' ? await findLeaves(rest, seen, options) : new Set<string>()
  const single = rest.filter(name => !leaves.has(ancestorsOf(name).at(-1) ?? ''))
  const trees = [...wholes, ...leaves].sort()
  const found = [...trees.map(name => [name, 'tree'] as const), ...single.map(name => [name, 'file'] as const)]
  return { found: found.filter(([name]) => !isKeptBy(options.lines, name)), problems: seen.problems }
}

/** Directories that are trees elsewhere, or were. What a trail says without being believed gives way to what is known. */
async function findWholes(seen: SeenUnknown, { catalogue, lines }: FindUnknownOptions): Promise<Set<string>> {
  const { last, trees } = lines
  const wholes = new Set<string>()
  for await (const page of inPages(new Set([...seen.files, ...seen.treePlaces]), PAGE)) {
    const above = page.map(name => [...ancestorsOf(name), ...(seen.treePlaces.has(name) ? [name] : [])])
    const known = new Set(await catalogue.rebuilding.treesAmong({ names: [...new Set(above.flat())] }))
    const maybe: string[] = []
    for (const directories of above) {
      const certain = directories.find(one => known.has(one) || (trees.has(one) && last.has(one)))
      const told = directories.find(one => trees.has(one) || seen.committed.has(one))
      if (certain !== undefined) wholes.add(certain)
      else if (told !== undefined) maybe.push(told)
    }
    for (const tree of await freeOf(catalogue, maybe)) wholes.add(tree)
  }
  return wholes
}

async function findLeaves(
  files: readonly string[],
  { files: all, occupied }: SeenUnknown,
  { catalogue }: FindUnknownOptions,
): Promise<Set<string>> {
  const parents = new Set(files.map(name => ancestorsOf(name).at(-1)))
  const leaves = new Set<string>()
  const candidates = findTrees(all, occupied).filter(directory => parents.has(directory))
  for await (const page of inPages(candidates, PAGE)) for (const leaf of await freeOf(catalogue, page)) leaves.add(leaf)
  return leaves
}

function liesIn(directories: ReadonlySet<string>, name: string): boolean {
  return ancestorsOf(name).some(above => directories.has(above))
}

/** Names of a page that no known name lies in or above. */
async function freeOf({ rebuilding }: Pick<Catalogue, 'rebuilding'>, candidates: readonly string[]): Promise<string[]> {
  const names = [...new Set(candidates)]
  const nested = names.length > 0 ? await rebuilding.findNested({ names }) : []
  return names.filter((_, index) => nested[index] === undefined)
}

interface SeenUnknown {
  readonly files: string[]
  /** Directories that the trail, or their modes, call trees: such a one may hold no file. */
  readonly treePlaces: Set<string>
  /** Directories that are committed by their modes. */
  readonly committed: Set<string>
  /** Directories that cannot be a leaf, because a directory or something known lies in them. */
  readonly occupied: Set<string>
  readonly problems: string[]
}

async function scanUnknown(
  { id, name: store, store: place }: SiteStore,
  { catalogue, lines, signal }: FindUnknownOptions,
): Promise<SeenUnknown> {
  const seen: SeenUnknown = {
    files: [],
    treePlaces: new Set(),
    committed: new Set(),
    occupied: new Set(),
    problems: [],
  }
  for await (const page of inPages(place.scan(signal ? { signal } : {}), PAGE)) {
    const names = page.flatMap(({ name }) => (name === undefined ? [] : [name, ...ancestorsOf(name)]))
    const known = new Set(await catalogue.instances.knownOnStore({ storeId: id, names: [...new Set(names)] }))
    for (const { name, shown, kind, isCommitted = false } of page) {
      const parent = name === undefined ? undefined : ancestorsOf(name).at(-1)
      const isKnown = name !== undefined && [name, ...ancestorsOf(name)].some(one => known.has(one))
      const isTold = name !== undefined && !lines.trees.has(name) && isKeptBy(lines, name)
      const isNoFile = kind === 'directory' || kind === 'store'
      if (parent !== undefined && (isKnown || isTold || isNoFile)) seen.occupied.add(parent)
      if (isKnown || isTold) continue
      if (kind === 'store') {
        seen.problems.push(`${store}: ${shown} is the root of another store, and was left out`)
        continue
      }
      if (name !== undefined && kind === 'directory') {
        if (lines.trees.has(name) || isCommitted) seen.treePlaces.add(name)
        if (isCommitted) seen.committed.add(name)
      } else if (name === undefined || kind === 'other') {
        seen.problems.push(`${store}: ${shown} is no file that a catalogue takes`)
      } else {
        seen.files.push(name)
      }
    }
  }
  return seen
}
