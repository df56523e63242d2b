import { expect, test } from 'vitest'
import type { NewUpload, StageOutcome } from '../../catalogue/operations/uploads.ts'
import { announceTogether } from './announce.ts'

const upload = (name: string): NewUpload => ({
  name,
  uploadName: 'x',
  size: 1,
  checksum: '',
  uploader: 'u',
  source: 'u',
  stagingId: 'id',
  token: name,
})
const outcomeOf = ({ name }: NewUpload): StageOutcome => ({ outcome: 'refused', code: 'NoStore', message: name })

function held() {
  const rounds: string[][] = []
  const first = Promise.withResolvers<void>()
  const announce = announceTogether(async uploads => {
    const names = uploads.map(({ name }) => name)
    rounds.push(names)
    if (rounds.length === 1) await first.promise
    if (names.includes('bad')) throw new Error('refused')
    return uploads.map(outcomeOf)
  })
  return { rounds, announce, release: first.resolve }
}

test('what comes while one is written goes together, and each call has its own outcomes', async () => {
  const { rounds, announce, release } = held()
  const calls = [announce([upload('a')]), announce([upload('b'), upload('c')]), announce([upload('d')])]
  release()
  const outcomes = await Promise.all(calls)
  expect(rounds).toEqual([['a'], ['b', 'c', 'd']])
  expect(outcomes.map(each => each.map(one => 'message' in one && one.message))).toEqual([['a'], ['b', 'c'], ['d']])
})

test('a name that comes twice is announced twice, one after the other', async () => {
  const { rounds, announce, release } = held()
  const calls = [announce([upload('x')]), announce([upload('a')]), announce([upload('a')]), announce([upload('b')])]
  release()
  await Promise.all(calls)
  expect(rounds).toEqual([['x'], ['a'], ['a', 'b']])
})

test('a call that is refused takes nobody with it', async () => {
  const { announce, release } = held()
  const calls = [
    announce([upload('x')]),
    announce([upload('good')]),
    announce([upload('bad')]),
    announce([upload('b')]),
  ]
  release()
  const settled = await Promise.allSettled(calls)
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
})
