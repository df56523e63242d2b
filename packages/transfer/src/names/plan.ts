/**
 * Where every entry of a list lands, decided over the whole list before anything is transferred (gen3 4.3, 8.2). A plan is
 * a function of the list and the options alone: entries are placed in the order of the list, and what is transferred first,
 * or was transferred in an earlier run, changes nothing. So a second run finds its files under the same names. Where only
 * the sources tell the names, what was given in an earlier run is remembered for that.
 *
 * In memory it takes about 18 bytes an entry, and 5 more for each directory.
 */

import { parseIdentifier } from '../commons/identifier.ts'
import { TransferError } from '../errors.ts'
import type { Entry } from '../manifest/entry.ts'
import { redactUrl } from '../redact.ts'
import { printable } from './characters.ts'
import type { GivenNames } from './given-names.ts'
import { KnownObjects } from './known-objects.ts'
import { type Layout, type NamedLayout, parseLayout } from './layout.ts'
import { safePath } from './safe-path.ts'
import { type Obstacle, TakenNames } from './taken-names.ts'

/** How entries get their paths. */
export interface NamePlanOptions {
  /**
   * How paths are made: a named layout, or a template of `{guid} {name} {stem} {ext} {host} {subject_id} {index}`, for example
   * `{subject_id}/{stem}_{guid}{ext}`. Entries without an id keep their own name where a layout wants the id.
   * Default `original`.
   */
  readonly layout?: NamedLayout | (string & {}) | undefined
  /**
   * Names with `..`, absolute ones, those with a drive letter, UNC or NUL: refuse the entry, or put `_` in the place of what
   * is unsafe. Default `reject`.
   */
  readonly unsafeNames?: 'reject' | 'rewrite' | undefined
  /** Replace `< > : " | ? *` also on systems that take them. Default: as the system needs. */
  readonly portable?: boolean | undefined
  /**
   * What becomes of an entry whose name an earlier one has, or needs as a directory. `rename`: `_2`, `_3` … before
   * the extension. `overwrite`: both have one path, the later entry is to be published last; where file and
   * directory meet, it is an error. Default: `rename` for objects with an id, whose names may be anybody's; `error` for rows
   * that name a URL and its path.
   */
  readonly onConflict?: 'rename' | 'skip' | 'overwrite' | 'error' | undefined
  /**
   * Names that differ only in case or Unicode form are two. Only for volumes that keep them apart, and data that stays on
   * them; `downloadAll` refuses such names. Default false.
   */
  readonly isCaseSensitive?: boolean | undefined
}

/** What becomes of an entry. */
export type Placement = Placed | Unnamed | Duplicate | Skipped | Refused

/** An entry with the path that it got. */
export interface Placed {
  readonly status: 'placed'
  /** Relative, `/`-separated; `resolveTarget` accepts it. */
  readonly path: string
  /** The path that the layout gives, where that was unsafe or taken. */
  readonly renamedFrom?: string | undefined
  /** An earlier entry has this path, too: this one is to be published after it. Only with `overwrite`. */
  readonly overwrites?: true | undefined
  /** Index of an earlier entry with the same size and MD5 under another id: for the report only. */
  readonly sameContentAs?: number | undefined
}

/** The layout needs the file's name, and the list does not tell it. `rename` places the entry once it is known. */
export interface Unnamed {
  readonly status: 'unnamed'
  readonly sameContentAs?: number | undefined
}

/** An earlier entry names the same object: nothing is to be transferred. */
export interface Duplicate {
  readonly status: 'duplicate'
  /** Index of the earlier entry; undefined for those behind the 67 millionth. */
  readonly duplicateOf: number | undefined
}

/** An earlier entry has the name. Only with `skip`. */
export interface Skipped {
  readonly status: 'skipped'
  readonly path: string
}

/** An entry that gets no path, and why. */
export interface Refused {
  readonly status: 'refused'
  /** `conflict`: the same id with another size or digest. `collision`: the name is taken, with `error` or `overwrite`. */
  readonly reason: 'unsafe_name' | 'conflict' | 'collision'
  /** PathUnsafe for unsafe names, else Usage. */
  readonly error: TransferError
}

/** A plan of names. Nothing in it throws for what an entry says. */
export interface NamePlan {
  /**
   * Places an entry. To be called once for each entry, in the order of the list. An object that was named before, at the
   * same place, is a `duplicate`, unless only a range of it is meant; a refused one takes no name.
   */
  place(entry: Entry): Placement
  /**
   * Places an entry that belongs to another one: under its own name in this directory, without the layout. In the place of
   * `place`, by the same rules. Empty: the top directory.
   */
  placeIn(directory: string, entry: Entry): Placement
  /**
   * Places an entry that `place` answered `unnamed` for, under the name that the object or its address tells, by the same rules;
   * of a `name` without anything that could be a name the id is used instead, else `download`. Names that collide are numbered in
   * the order of these calls, unless an earlier run has given them already.
   */
  rename(entry: Entry, name: string): Placement
  /** What was placed at this path turned out to be a directory: entries may be placed below it. */
  open(path: string): void
  /** Whether `sameContentAs` could be told for every entry: contents are compared up to a million different ones. */
  readonly knowsAllContents: boolean
  /** Bytes of its tables. */
  readonly byteLength: number
}

/**
 * Begins a plan.
 *
 * @param given names that earlier runs gave to entries that the list does not name
 * @throws TransferError Usage for a template that cannot be read
 * @example
 * ```ts
 * const plan = planNames({ layout: 'tree' })
 * const entry = { index: 0, id: 'dg.4503/ab12', uris: ['drs:dg.4503/ab12'], path: 'run 1/a.bam', checksums: [] }
 * plan.place(entry) // { status: 'placed', path: 'dg.4503_ab12/run 1/a.bam' }
 * ```
 */
export function planNames(options: NamePlanOptions = {}, given?: GivenNames): NamePlan {
  return new Plan(options, given)
}

class Plan implements NamePlan {
  readonly #layout: Layout
  readonly #ownName = parseLayout('original')
  readonly #o: NamePlanOptions
  readonly #objects = new KnownObjects()
  readonly #names: TakenNames
  readonly #given: GivenNames | undefined

  constructor(options: NamePlanOptions, given: GivenNames | undefined) {
    this.#layout = parseLayout(options.layout ?? 'original')
    this.#o = { ...options, portable: options.portable ?? process.platform === 'win32' }
    this.#names = new TakenNames(options.isCaseSensitive ?? false, given && (path => given.isGiven(path)))
    this.#given = given
  }

  get knowsAllContents(): boolean {
    return this.#objects.knowsAllContents
  }

  get byteLength(): number {
    return this.#objects.byteLength + this.#names.byteLength
  }

  place(entry: Entry): Placement {
    return this.#placeOnce(entry, () =>
      this.#isUnnamed(entry) ? { status: 'unnamed' } : this.#place(entry, entry.path ?? ''),
    )
  }

  placeIn(directory: string, entry: Entry): Placement {
    return this.#placeOnce(entry, () => this.#placeBelow(directory, entry))
  }

  #placeOnce(entry: Entry, place: () => Placement): Placement {
    const isObject = entry.id !== undefined && entry.uris.length > 0 && entry.range === undefined
    const known = isObject ? this.#objects.meet(entry) : undefined
    if (known?.isConflict) return conflict(entry, known.index)
    if (known) return { status: 'duplicate', duplicateOf: known.index }
    const placement = place()
    const twin = isObject ? this.#objects.meetContent(entry) : undefined
    const isKept = placement.status === 'placed' || placement.status === 'unnamed'
    return twin !== undefined && isKept ? { ...placement, sameContentAs: twin } : placement
  }

  rename(entry: Entry, name: string): Placement {
    const directory = entry.path?.endsWith('/') ? entry.path : ''
    const named = /[^./\\]/.test(name) ? name : segmentOfId(entry) || 'download'
    return this.#place(entry, directory + named, true)
  }

  open(path: string): void {
    this.#names.open(path)
  }

  #isUnnamed(entry: Entry): boolean {
    return this.#layoutOf(entry).needsName && (entry.path === undefined || /^[./\\]*$|[/\\]$/.test(entry.path))
  }

  #layoutOf(entry: Entry): Layout {
    return this.#layout.needsId && entry.id === undefined ? this.#ownName : this.#layout
  }

  /** @param isTold the name is the source's, not the list's */
  #place(entry: Entry, name: string, isTold = false): Placement {
    const layout = this.#layoutOf(entry)
    const rules = { rewrite: this.#o.unsafeNames === 'rewrite', portable: this.#o.portable }
    // First by itself: behind a directory of the layout, an absolute path would look like a relative one.
    const own = layout.needsName ? safePath(name, rules) : { path: '' }
    if ('problem' in own) return unsafe(entry, name, own.problem)
    const id = objectIdOf(entry)
    const filled = safePath(layout.fill(entry, id, own.path), rules)
    if ('problem' in filled) return unsafe(entry, name, filled.problem)
    if (filled.path === '') return unsafe(entry, name, 'it must not be empty')
    return this.#take(entry, filled.path, layout.fill(entry, id, name), isTold)
  }

  #placeBelow(directory: string, entry: Entry): Placement {
    const rules = { rewrite: this.#o.unsafeNames === 'rewrite', portable: this.#o.portable }
    const { path: name = '' } = entry
    const own = safePath(name, rules)
    if ('problem' in own) return unsafe(entry, name, own.problem)
    if (own.path === '') return unsafe(entry, name, 'it must not be empty')
    const inside = directory === '' ? '' : `${directory}/`
    return this.#take(entry, inside + own.path, inside + name)
  }

  #take(entry: Entry, path: string, meant: string, isTold = false): Placement {
    const { onConflict = entry.id === undefined ? 'error' : 'rename' } = this.#o
    if (onConflict === 'rename') return this.#takeOrNumber(entry, path, meant, isTold)
    const obstacle = this.#names.take(path)
    if (obstacle === undefined) return placed(path, meant)
    if (onConflict === 'skip') return { status: 'skipped', path }
    if (onConflict === 'overwrite' && obstacle === 'same') return { ...placed(path, meant), overwrites: true }
    return collision(entry, path, obstacle)
  }

  #takeOrNumber(entry: Entry, path: string, meant: string, isTold: boolean): Placement {
    const given = this.#given
    const again = given?.pathFor(entry, path)
    if (again !== undefined && this.#names.take(again) === undefined) return placed(again, meant)
    const isReserved = given?.isGiven(path) === true
    const obstacle = isReserved ? 'same' : this.#names.take(path)
    const free = obstacle === undefined ? path : this.#names.takeNumbered(path)
    if (free === undefined) return collision(entry, path, obstacle as Obstacle)
    // The number of a row that the list names follows from the list, unless one that it does not name was in the way.
    if (isTold || isReserved) given?.give(entry, path, free)
    return placed(free, meant)
  }
}

function placed(path: string, meant: string): Placed {
  return path === meant ? { status: 'placed', path } : { status: 'placed', path, renamedFrom: meant }
}

/** The id without the place that an id written as a DRS URI names. */
function objectIdOf({ id }: Entry): string {
  if (id === undefined || !/^(?:drs|dos|https?):/i.test(id)) return id ?? ''
  try {
    return parseIdentifier(id, { allowPort: true }).objectId
  } catch {
    return id
  }
}

function segmentOfId(entry: Entry): string {
  return objectIdOf(entry).replace(/[/\\:]/g, '_')
}

function conflict(entry: Entry, index: number | undefined): Refused {
  const earlier = index === undefined ? 'an earlier row' : `row ${index + 1}`
  const problem = `rows with one id must agree on size and digest, got others in ${earlier}`
  return {
    status: 'refused',
    reason: 'conflict',
    error: new TransferError('Usage', `Cannot use ${rowOf(entry)}: ${problem}`),
  }
}

function unsafe(entry: Entry, name: string, problem: string): Refused {
  const message = `Cannot name the file of ${rowOf(entry)} ${shown(name)}: ${problem}`
  return { status: 'refused', reason: 'unsafe_name', error: new TransferError('PathUnsafe', message, { file: name }) }
}

const obstacles: Readonly<Record<Obstacle, string>> = {
  same: 'an earlier row has the same name (names that differ only in case or Unicode form count as one)',
  'parent-is-file': 'an earlier row uses one of its parent directories as a file',
  'is-directory': 'an earlier row uses the same name as a directory',
}

function collision(entry: Entry, path: string, obstacle: Obstacle): Refused {
  const message = `Cannot name the file of ${rowOf(entry)} ${shown(path)}: ${obstacles[obstacle]}`
  return { status: 'refused', reason: 'collision', error: new TransferError('Usage', message, { file: path }) }
}

function rowOf({ index, line, id, uris }: Entry): string {
  const where = line === undefined ? `row ${index + 1}` : `row ${index + 1} (line ${line})`
  return `${where}, ${id === undefined ? redactUrl(uris[0] ?? '') : shown(id)}`
}

function shown(text: string): string {
  const clean = printable(redactUrl(text))
  return `"${clean.length > 100 ? `${clean.slice(0, 99)}…` : clean}"`
}
