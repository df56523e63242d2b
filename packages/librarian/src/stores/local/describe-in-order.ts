import { describeTree, printable, type TreeMember } from '@arriero/transfer/paths'
import { type Challenge, inManifestOrder } from '../challenge.ts'
import type { Context } from './context.ts'
import {
  type DescribeOptions,
  type Description,
  describeMember,
  fingerprintOfTree,
  namesIn,
  Strange,
} from './describe.ts'
import type { Held } from './held.ts'
import { isUnchanged, statsOf } from './read-file.ts'

interface Entry {
  readonly path: string
  readonly isDirectory: boolean
}

/**
 * Reads a tree like `describe`, but its members in the order of the manifest, which a challenge demands: that is not the order
 * of a walk, so the tree is listed first, and each member is found again by its path.
 */
export function describeInOrder(
  directory: Held,
  leaf: string,
  options: DescribeOptions & { readonly challenge: Challenge },
  context: Context,
): Description {
  using top = directory.enter(leaf)
  const { entries, looks } = list(top)
  const members: TreeMember[] = []
  const lines: string[] = []
  let isDirect = true
  for (const { path, isDirectory } of entries) {
    if (isDirectory) {
      options.challenge.begin(path, undefined)
      members.push({ path, type: 'directory' })
      lines.push(`${path}/`)
      continue
    }
    const { fingerprint, ...file } = readMember(top, path, options, context)
    members.push({ path, type: 'file', ...file })
    lines.push(`${path} ${fingerprint}`)
    isDirect &&= file.isDirect
  }
  demandUnchanged(top, looks)
  const tree = describeTree(members, options.functions)
  const fingerprint = fingerprintOfTree(inWalkOrder(members, lines))
  return { kind: 'tree', ...tree, fingerprint, isDirect: isDirect && members.length > 0 }
}

type Looks = Map<string, ReturnType<typeof statsOf>>

function list(top: Held): { entries: Entry[]; looks: Looks } {
  const entries: Entry[] = []
  const looks: Looks = new Map()
  const walk = (here: Held, below: string) => {
    looks.set(below, statsOf(here.fd))
    for (const name of namesIn(here, below)) {
      const path = `${below}${name}`
      const isDirectory = here.look(name)?.isDirectory() === true
      entries.push({ path, isDirectory })
      if (!isDirectory) continue
      using inside = here.enter(name)
      walk(inside, `${path}/`)
    }
  }
  walk(top, '')
  return { entries: inManifestOrder(entries), looks }
}

function readMember(top: Held, path: string, options: DescribeOptions, context: Context) {
  const segments = path.split('/')
  const name = segments.pop()!
  if (segments.length === 0) return describeMember(top, name, path, options, context)
  using parent = top.walk(segments)
  return describeMember(parent, name, path, options, context)
}

function demandUnchanged(top: Held, looks: Looks): void {
  for (const [below, before] of looks) {
    using here = below === '' ? top.enter('.') : top.walk(below.slice(0, -1).split('/'))
    if (!isUnchanged(before, statsOf(here.fd))) throw new Strange(`${printable(below)} was changed while it was read`)
  }
}

/** A fingerprint must be the one that any other reading takes: there each directory's names are sorted by themselves. */
function inWalkOrder(members: readonly TreeMember[], lines: readonly string[]): string[] {
  const keyed = members.map(({ path }, at) => ({ key: path.split('/'), line: lines[at]! }))
  return keyed.sort((a, b) => compareSegments(a.key, b.key)).map(({ line }) => line)
}

function compareSegments(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    if (a[at] !== b[at]) return a[at]! < b[at]! ? -1 : 1
  }
  return a.length - b.length
}
