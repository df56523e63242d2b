import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { describeSink, resourceOf, verified, writeAll } from '../../test/sink-suite.ts'
import { contentOf } from '../../test/source-suite.ts'
import { planParts } from '../plan.ts'
import { Slots } from '../slots.ts'
import { createCompareSink } from './compare.ts'

async function make(content: Uint8Array) {
  const directory = await mkdtemp(join(tmpdir(), 'arriero-compare-'))
  const path = join(directory, 'file')
  await writeFile(path, content)
  return {
    path,
    sink: createCompareSink(path),
    bytesOf: ({ path: found }: { readonly path: string }) => readFile(found),
    visible: () => undefined,
    traces: () => readdir(directory),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}

describeSink('createCompareSink()', { make, cannot: { hidden: 'the file was there before' } })

describe('createCompareSink()', () => {
  const slots = new Slots({ budget: 1 << 20 })
  const content = contentOf(200_000)
  const parts = planParts(content.length, 50_000)

  test.each([0, 49_999, 50_000, 199_999])('finds a difference at byte %s and changes nothing', async at => {
    const other = Uint8Array.from(content)
    other[at]! ^= 1
    await using subject = await make(other)
    await subject.sink.open(resourceOf(content.length), { isResumed: false })
    await expect(writeAll(subject.sink, content, parts, slots)).rejects.toMatchObject({ code: 'Exists' })
    await subject.sink.abort(undefined)
    expect((await readFile(subject.path)).equals(other)).toBe(true)
  })

  test.each([-1, 1])('finds a file that is %s byte longer', async by => {
    const other = contentOf(content.length + by)
    other.set(content.subarray(0, other.length))
    await using subject = await make(other)
    await expect(subject.sink.open(resourceOf(content.length), { isResumed: false })).rejects.toMatchObject({
      code: 'Exists',
    })
    await subject.sink.abort(undefined)
    await using unsized = await make(other)
    await unsized.sink.open(resourceOf(undefined), { isResumed: false })
    const comparing = writeAll(unsized.sink, content, parts, slots).then(() =>
      unsized.sink.commit(verified(content.length)),
    )
    await expect(comparing).rejects.toMatchObject({ code: 'Exists' })
    await unsized.sink.abort(undefined)
  })
})
