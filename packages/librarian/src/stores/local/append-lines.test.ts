import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { appendLines, lookAt } from './append-lines.ts'

const line = (digit: string, name: string) => `${digit.repeat(64)}  ${name}\n`

test('appendLines() writes more than one piece, each line once and in order', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'append-'))
  try {
    const path = join(folder, 'list')
    const lines = Array.from({ length: 30_000 }, (_, index) => line('a', `é-${index}`))
    await writeFile(path, 'torn')
    await appendLines(path, lines)
    const [torn, ...rest] = (await readFile(path, 'utf8')).split('\n')
    expect(torn).toBe('#orn\u0001')
    expect(rest.join('\n')).toBe(lines.join(''))
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('appendLines() of several at once keeps all lines whole', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'append-'))
  try {
    const path = join(folder, 'list')
    const own = (who: number) => Array.from({ length: 20_000 }, (_, index) => line(String(who), `${who}-${index}`))
    await Promise.all([1, 2, 3].map(who => appendLines(path, own(who))))
    const lines = (await readFile(path, 'utf8')).match(/.*\n/g)!.filter(each => !each.startsWith('#'))
    expect(lines.toSorted()).toEqual([1, 2, 3].flatMap(own).toSorted())
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('lookAt() disbelieves a line that continues a torn one, also where both together look whole', () => {
  const before = line('a', 'first')
  const torn = `${'b'.repeat(64)}  na`
  const mine = line('c', 'mine')
  const text = Buffer.from(before + torn + mine)
  expect(lookAt(text, mine, before.length)).toEqual({ isThere: false, torn: [before.length] })
  expect(lookAt(Buffer.from(before + mine), mine, before.length)).toEqual({ isThere: true, torn: [] })
})
