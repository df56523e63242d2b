/** Files and trees that are uploaded night by night, and what the uploader was told is safe. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Acknowledged } from '../../../packages/librarian/test/check-invariants.ts'
import { testBytes } from '../server.ts'
import type { Killer } from './kills.ts'
import type { World } from './world.ts'

const smallFiles = 10
/** Fetched by ranges, not in an archive with others. */
const largeBytes = 3_000_000

/** A night's files, one by one, and a tree; uploaded in Peru until all are kept. */
export async function uploadNight(world: World, killer: Killer, night: number): Promise<Acknowledged[]> {
  const name = `night-${night}`
  const files = new Map<string, Uint8Array>()
  for (let n = 0; n < smallFiles; n++) files.set(`${name}/${n % 2 ? 'deep/er/' : ''}${n}.fits`, bytesOf(name, 500 * n))
  files.set(`${name}/large.fits`, bytesOf(name, largeBytes + night))
  const tree = new Map<string, Uint8Array | null>([
    ['a.txt', bytesOf(`${name} a`, 300)],
    ['sub', null],
    ['sub/b.bin', bytesOf(`${name} b`, 70_000)],
  ])
  const members = [...tree].flatMap(([path, bytes]) => (bytes ? [[`tree-${night}/${path}`, bytes] as const] : []))
  for (const [path, bytes] of [...files, ...members]) {
    await mkdir(dirname(world.at(path)), { recursive: true })
    await writeFile(world.at(path), bytes)
  }
  const isGood = ({ code }: { readonly code: number }) => code === 0
  await killer.insist(['upload', '--each', name, '.', '--librarian', 'peru'], isGood)
  await killer.insist(['upload', `tree-${night}`, `trees/${night}`, '--librarian', 'peru'], isGood)
  const kept = [...files].map(([path, content]): Acknowledged => ({ name: path, content }))
  return [...kept, { name: `trees/${night}`, content: tree }]
}

/** No two have the same. */
function bytesOf(label: string, length: number): Uint8Array {
  return Buffer.concat([Buffer.from(`${label} ${length} `), testBytes(length)])
}
