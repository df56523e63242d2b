import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Entry } from '../manifest/entry.ts'
import { GivenNames } from './given-names.ts'
import { planNames } from './plan.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-names-'))
})
afterEach(() => rm(directory, { recursive: true }))

interface Listed {
  readonly id: string
  /** What the list says. */
  readonly path?: string | undefined
  /** What the source says. */
  readonly told: string
}

function entryOf({ id, path }: Listed, index: number): Entry {
  return { index, id, uris: [`drs://host.org/${id}`], path, checksums: [] }
}

/** One run: the rows are placed as listed, and told their names in the order of the answers. */
async function run(file: string, rows: readonly Listed[], answers: readonly number[]): Promise<Record<string, string>> {
  const given = new GivenNames(join(directory, file))
  await given.open()
  const plan = planNames({}, given)
  const paths: Record<string, string> = {}
  const waiting = new Set<number>()
  for (const [index, row] of rows.entries()) {
    const placement = plan.place(entryOf(row, index))
    if (placement.status === 'placed') paths[row.id] = placement.path
    if (placement.status === 'unnamed') waiting.add(index)
  }
  for (const index of answers.filter(index => waiting.has(index))) {
    const row = rows[index] as Listed
    const placement = plan.rename(entryOf(row, index), row.told)
    if (placement.status === 'placed') paths[row.id] = placement.path
  }
  await given.close()
  return paths
}

describe('GivenNames', () => {
  test('every row has the same name in the next run, whoever answers first', async () => {
    const name = fc.constantFrom('a.bam', 'A.bam', 'a_2.bam', 'b')
    const path = fc.option(name, { nil: undefined, freq: 3 })
    let file = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ path, told: name }), { maxLength: 40 }), fc.gen(), async (drawn, gen) => {
        const rows = drawn.map((row, index) => ({ ...row, id: `dg.1/${index}` }))
        const order = () => gen(fc.shuffledSubarray, [...rows.keys()], { minLength: rows.length })
        const state = `names-${file++}`
        const first = await run(state, rows, order())
        expect(new Set(Object.values(first).map(path => path.toLowerCase())).size).toBe(rows.length)
        expect(await run(state, rows, order())).toEqual(first)
        expect(await run(state, rows, order())).toEqual(first)
      }),
      { numRuns: 50 },
    )
  })

  test('a new row takes no name of one that is still to answer, nor does a shorter list change any', async () => {
    const row = (id: string): Listed => ({ id, told: 'x.bam' })
    const both = [row('a'), row('b')]
    expect(await run('names', both, [0, 1])).toEqual({ a: 'x.bam', b: 'x_2.bam' })
    expect(await run('names', [row('c'), ...both], [0, 2, 1])).toEqual({ c: 'x_3.bam', a: 'x.bam', b: 'x_2.bam' })
    expect(await run('names', [row('b')], [0])).toEqual({ b: 'x_2.bam' })
    // As the list of what failed has it.
    expect(await run('names', [{ ...row('b'), path: 'x_2.bam' }], [])).toEqual({ b: 'x_2.bam' })
    expect(await run('names', [{ ...row('d'), path: 'x.bam' }], [])).toEqual({ d: 'x_4.bam' })
  })

  test('a list that names all its rows leaves nothing to remember', async () => {
    const rows = [1, 2, 3].map(number => ({ id: `${number}`, path: 'x', told: '' }))
    expect(Object.values(await run('names', rows, []))).toEqual(['x', 'x_2', 'x_3'])
    expect((await stat(join(directory, 'names'))).size).toBe(0)
  })
})
