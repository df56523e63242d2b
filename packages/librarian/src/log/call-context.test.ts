import { expect, test } from 'vitest'
import { inCall, ofTransfer, outsideOfCalls } from './call-context.ts'
import { createLog } from './create-log.ts'

function lines() {
  const written: Record<string, unknown>[] = []
  const log = createLog({ level: 'debug', name: 'here', write: line => written.push(JSON.parse(line)) })
  return { log, written }
}

test('lines of a call name its request, and its transfer once that is known, however deep they are written', async () => {
  const { log, written } = lines()
  const work = async (id: number) => {
    log.info({}, 'begins')
    await new Promise(resolve => setImmediate(resolve))
    ofTransfer(id)
    await Promise.all([1, 2].map(async n => log.info({ n }, 'goes on')))
  }
  await Promise.all([inCall('one', () => work(1)), inCall('two', () => work(2))])
  const of = (request: string) => written.filter(line => line.request === request).map(({ transfer }) => transfer)
  expect(of('one')).toEqual([undefined, 1, 1])
  expect(of('two')).toEqual([undefined, 2, 2])
})

test('what a line says itself counts more than its call, and what is outside of calls names none', async () => {
  const { log, written } = lines()
  await inCall('one', async () => {
    ofTransfer(1)
    log.info({ transfer: 9 }, 'another')
    await outsideOfCalls(async () => {
      await null
      log.info({}, 'of nobody')
      ofTransfer(7)
    })
    log.info({}, 'still')
  })
  expect(written.map(({ request, transfer }) => [request, transfer])).toEqual([
    ['one', 9],
    [undefined, undefined],
    ['one', 1],
  ])
})
