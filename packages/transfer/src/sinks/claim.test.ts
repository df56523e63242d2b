import { mkdtemp, readdir, readlink, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatOwner, newOwner, parseOwner } from '../owner.ts'
import { type Claim, takeClaim } from './claim.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-claim-'))
  path = join(directory, 'a.part.claim')
})
afterEach(() => rm(directory, { recursive: true }))

/** No process has this number. */
const dead = formatOwner({ ...newOwner(), pid: 4_194_305 })
const elsewhere = formatOwner({ ...newOwner(), host: 'another-machine' })

async function taken(): Promise<Claim> {
  const claim = await takeClaim(path)
  if (typeof claim === 'string') throw new Error(`The claim is ${claim}`)
  return claim
}

describe('takeClaim()', () => {
  test('names its owner, keeps others off, and leaves nothing', async () => {
    const claim = await taken()
    expect(parseOwner(await readlink(path))).toMatchObject({ pid: process.pid })
    expect(await takeClaim(path)).toBe('held')
    await claim.release()
    await claim.release()
    expect(await readdir(directory)).toEqual([])
  })

  test('of many that come at once, one gets it', async () => {
    const claims = await Promise.all(Array.from({ length: 20 }, () => takeClaim(path)))
    expect(claims.filter(claim => typeof claim !== 'string')).toHaveLength(1)
  })

  test('passes over what dead owners left, and removes it in the end', async () => {
    await symlink(dead, path)
    await symlink(dead, `${path}.2`)
    const claims = await Promise.all(Array.from({ length: 20 }, () => takeClaim(path)))
    const got = claims.filter((claim): claim is Claim => typeof claim !== 'string')
    expect(got).toHaveLength(1)
    expect((await readdir(directory)).sort()).toEqual(['a.part.claim', 'a.part.claim.2', 'a.part.claim.3'])
    await got[0]?.release()
    expect(await readdir(directory)).toEqual([])
  })

  test('removes what an owner left who died while it released', async () => {
    await symlink(dead, `${path}.2`)
    await (await taken()).release()
    expect(await readdir(directory)).toEqual([])
  })

  test('is in doubt about another machine, and about a claim without a name, until they are stale', async () => {
    await symlink(elsewhere, path)
    expect(await takeClaim(path)).toBe('in doubt')
    await rm(path)
    await writeFile(path, '')
    expect(await takeClaim(path)).toBe('in doubt')
    const longAgo = new Date(Date.now() - 61_000)
    await utimes(path, longAgo, longAgo)
    await (await taken()).release()
    expect(await readdir(directory)).toEqual([])
  })
})
